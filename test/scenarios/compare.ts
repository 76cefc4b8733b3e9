import { isDeepStrictEqual } from 'node:util';
import { Decimal } from 'decimal.js';
import type { Row } from './facts.ts';

const MONEY = new Set([
  ...['balance', 'granted', 'refunded', 'charged', 'expired', 'burn_rate', 'amount', 'list_amount'],
  ...['opening_balance', 'closing_balance', 'charges'],
]);
const PRICES = new Set(['unit_price', 'list_unit_price']);
const TIMES = new Set(['start', 'end', 'time', 'issued_at', 'expires_at', 'clock']);
const RFC_3339_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The value of an own member, or null: hostile ids and absent members look alike to a scenario. */
export function member(row: unknown, key: string): unknown {
  if (typeof row !== 'object' || row === null || !Object.hasOwn(row, key)) return null;
  return (row as Row)[key] ?? null;
}

/** The member as text. Throws where it is anything else: the output cannot be compared then. */
export function text(row: Row, key: string): string {
  const value = member(row, key);
  if (typeof value !== 'string') throw new Error(`${key} should be a string: ${short(row)}`);
  return value;
}

/** Whether an output's value is what a scenario wants; `"*"` takes anything, `{"any": [..]}` any of them. */
export function same(field: string, want: unknown, got: unknown): boolean {
  if (want === '*') return true;
  const choices = choicesOf(want);
  if (choices !== undefined) return choices.some((choice) => same(field, choice, got));
  if (want === null || want === undefined) return got === null || got === undefined;
  if (got === null || got === undefined) return false;
  if (PRICES.has(field)) return samePrice(want, got);
  if (TIMES.has(field)) return typeof got === 'string' && RFC_3339_MS.test(got) && millis(want) === millis(got);
  if (MONEY.has(field) || field === 'quantity_ms') return typeof got === 'string' && want === got;
  return isDeepStrictEqual(want, got);
}

/** Whether every named member is as wanted. */
export function matches(want: Row, got: Row): boolean {
  return Object.entries(want).every(([key, value]) => same(key, value, member(got, key)));
}

/** An instant in integer milliseconds, from RFC 3339 or milliseconds. Throws on anything else. */
export function millis(time: unknown): number {
  const value = typeof time === 'string' ? Date.parse(time) : time;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Error(`not a time: ${short(time)}`);
  return value;
}

/** Nanos of a decimal string. Throws on anything that is not one. */
export function nanos(amount: unknown): bigint {
  const found = typeof amount === 'string' ? /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(amount) : null;
  if (found === null) throw new Error(`not an amount: ${short(amount)}`);
  const [, sign, whole = '0', fraction = ''] = found;
  const size = BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  return sign === '-' ? -size : size;
}

/** The wire form of nanos: nine places. */
export function usd(amountNanos: bigint): string {
  const size = amountNanos < 0n ? -amountNanos : amountNanos;
  const digits = size.toString().padStart(10, '0');
  return `${amountNanos < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** One line of JSON, for a message. */
export function short(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}

export interface Pairing<W, G> {
  readonly missing: readonly W[];
  readonly extra: readonly G[];
  /** The index of the got that stands for each want. */
  readonly gotOf: ReadonlyMap<number, number>;
}

/** The largest matching of wants and gots (augmenting paths): a vague want never takes the only got of a precise one. */
export function pairUp<W, G>(wants: readonly W[], gots: readonly G[], fits: (w: W, g: G) => boolean): Pairing<W, G> {
  const candidates = wants.map((want) => gots.flatMap((got, index) => (fits(want, got) ? [index] : [])));
  const owners = new Map<number, number>();
  const grow = (want: number, seen: Set<number>): boolean => {
    for (const got of candidates[want] ?? []) {
      if (seen.has(got)) continue;
      seen.add(got);
      const owner = owners.get(got);
      if (owner !== undefined && !grow(owner, seen)) continue;
      owners.set(got, want);
      return true;
    }
    return false;
  };
  const order = wants.map((_, index) => index);
  order.sort((a, b) => (candidates[a]?.length ?? 0) - (candidates[b]?.length ?? 0));
  for (const want of order) grow(want, new Set());
  const gotOf = new Map([...owners].map(([got, want]) => [want, got]));
  return {
    missing: wants.filter((_, index) => !gotOf.has(index)),
    extra: gots.filter((_, index) => !owners.has(index)),
    gotOf,
  };
}

function choicesOf(want: unknown): readonly unknown[] | undefined {
  if (typeof want !== 'object' || want === null || Object.keys(want).join() !== 'any') return undefined;
  const choices = member(want, 'any');
  return Array.isArray(choices) ? choices : undefined;
}

function samePrice(want: unknown, got: unknown): boolean {
  const [a, b] = [String(want), String(got)];
  return [a, b].every((price) => /^-?\d+(\.\d+)?$/.test(price)) && new Decimal(a).equals(new Decimal(b));
}
