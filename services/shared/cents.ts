import type { Nanos } from './money.ts';

const NANOS_PER_CENT = 10_000_000n;

/** F2: amounts in whole cents, as a customer sees them. */
export interface RoundedAmounts {
  /** Of each amount, in their order; they add up to `totalCents`. */
  readonly cents: readonly bigint[];
  /** The exact sum, rounded half away from zero. */
  readonly totalCents: bigint;
}

/**
 * F2: rounds the lines of an invoice to whole cents so that they add up to the rounded total: each is cut down to a whole
 * cent, and the cents that are missing then go to the lines that lost most, of equals to the first.
 */
export function roundToCents(amounts: readonly Nanos[]): RoundedAmounts {
  const cents = amounts.map(floorCents);
  const totalCents = centsOf(sum(amounts));
  const lost = amounts.map((amount, index) => ({ index, nanos: amount - (cents[index] ?? 0n) * NANOS_PER_CENT }));
  lost.sort((left, right) =>
    left.nanos === right.nanos ? left.index - right.index : left.nanos > right.nanos ? -1 : 1,
  );
  const missing = Number(totalCents - sum(cents));
  for (const { index } of lost.slice(0, missing)) cents[index] = (cents[index] ?? 0n) + 1n;
  return { cents, totalCents };
}

/** An amount in whole cents, half away from zero. */
export function centsOf(amount: Nanos): bigint {
  const half = NANOS_PER_CENT / 2n;
  return amount < 0n ? -((-amount + half) / NANOS_PER_CENT) : (amount + half) / NANOS_PER_CENT;
}

/** Whole cents as USD with two places: `-0.05`. */
export function formatCents(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function floorCents(amount: Nanos): bigint {
  const whole = amount / NANOS_PER_CENT;
  return amount < 0n && whole * NANOS_PER_CENT !== amount ? whole - 1n : whole;
}

function sum(values: readonly bigint[]): bigint {
  let total = 0n;
  for (const value of values) total += value;
  return total;
}
