import { isDeepStrictEqual } from 'node:util';
import type { Row, Facts as ScenarioFacts } from '../scenarios/facts.ts';
import { parseAmount, parsePrice } from './amounts.ts';
import { parseTime } from './calendar.ts';
import type { ModelOutput } from './output.ts';

/** The facts of a scenario's `expect` that rating and credits decide; the rest is about commands. */
export type Facts = Pick<
  ScenarioFacts,
  | 'balances'
  | 'summary'
  | 'rejected'
  | 'rated_totals'
  | 'rated_lines'
  | 'rated_count'
  | 'ledger'
  | 'ledger_sums'
  | 'invoices'
>;

/** What in `output` differs from the facts, one sentence each; empty if all hold. */
export function differences(facts: Facts, output: ModelOutput): string[] {
  const found: string[] = [];
  const lines = output.rated.map((line) => item({ ...line, line_n: Number(line.line_id.split('/').at(-1)) }));
  const balances = output.balances.map(item);
  const ledger = output.ledger.map(item);
  for (const [account, want] of Object.entries(facts.balances ?? {})) {
    const balance = balances.filter((b) => b.account_id === account);
    expectOne(found, `balance of ${account}`, want, balance);
  }
  if (facts.summary !== undefined) expectOne(found, 'summary', facts.summary, [item(output.summary)]);
  const rejected = output.rejected.map(({ line, reason }) => [line, reason]);
  if (facts.rejected !== undefined && !isDeepStrictEqual(rejected, facts.rejected))
    found.push(`rejected ${show(rejected)}`);
  for (const want of facts.rated_totals ?? []) checkTotal(found, want, lines);
  for (const line of facts.rated_totals === undefined ? [] : lines) {
    const expected = facts.rated_totals?.some((want) => fits(without(want, sums), line));
    if (expected === false) found.push(`a line that nothing expects ${show(line)}`);
  }
  expectEach(found, 'rated line', facts.rated_lines ?? [], lines);
  if (facts.rated_count !== undefined && facts.rated_count !== lines.length) found.push(`${lines.length} rated lines`);
  for (const [account, want] of Object.entries(facts.ledger ?? {})) {
    const entries = ledger.filter((e) => e.account_id === account);
    const wanted = want.map(([time, kind, amount, ref]) => ({
      time,
      kind,
      amount,
      ...(ref === undefined ? {} : { ref }),
    }));
    expectEach(found, `ledger of ${account}`, wanted, entries);
    if (entries.length !== wanted.length) found.push(`${entries.length} ledger entries of ${account}`);
  }
  for (const [account, want] of Object.entries(facts.ledger_sums ?? {})) {
    for (const [kind, amount] of Object.entries(want)) {
      const entries = ledger.filter((e) => e.account_id === account && e.kind === kind);
      if (sumOf(entries, 'amount') !== signed(amount)) found.push(`ledger sum ${kind} of ${account}`);
    }
  }
  for (const want of facts.invoices ?? []) checkInvoice(found, want, output);
  return found;
}

const sums = ['quantity_ms', 'amount', 'list_amount'];

function checkTotal(found: string[], want: Row, lines: readonly Row[]): void {
  const hits = lines.filter((line) => fits(without(want, sums), line));
  for (const name of sums) {
    const total = want[name];
    if (total !== undefined && sumOf(hits, name) !== signed(total))
      found.push(`${name} of ${show(want)} is ${sumOf(hits, name)}`);
  }
}

function checkInvoice(found: string[], want: Row, output: ModelOutput): void {
  const name = `invoice ${want.account_id} ${want.month}`;
  const invoices = output.invoices.filter((i) => i.account_id === want.account_id && i.month === want.month);
  if (want.absent === true) {
    if (invoices.length > 0) found.push(`${name} should be absent`);
    return;
  }
  expectOne(found, name, without(want, ['lines']), invoices.map(item));
  const { lines } = want;
  if (!Array.isArray(lines)) return;
  const got = invoices.flatMap((i) => i.lines.map(item));
  expectEach(found, `${name} line`, lines.map(item), got);
  if (got.length !== lines.length) found.push(`${name} has ${got.length} lines`);
}

function expectOne(found: string[], name: string, want: Row, got: readonly Row[]): void {
  const [only] = got;
  if (only === undefined || got.length > 1 || !fits(want, only)) found.push(`${name}: ${show(want)}, got ${show(got)}`);
}

/** Each wanted item fits one of its own: the first free one, as wanted items that fit the same are alike in the files. */
function expectEach(found: string[], name: string, wanted: readonly Row[], got: readonly Row[]): void {
  const free = [...got];
  for (const want of wanted) {
    const index = free.findIndex((one) => fits(want, one));
    if (index === -1) found.push(`${name}: none fits ${show(want)}`);
    else free.splice(index, 1);
  }
}

function fits(want: Row, got: Row): boolean {
  return Object.entries(want).every(([name, value]) =>
    same(name, value, Object.hasOwn(got, name) ? got[name] : undefined),
  );
}

function same(name: string, want: unknown, got: unknown): boolean {
  if (want === '*') return true;
  if (want === null || want === undefined) return got === null || got === undefined;
  if (name.endsWith('unit_price')) return isDeepStrictEqual(parsePrice(want), parsePrice(got));
  if (['start', 'end', 'time', 'clock'].includes(name)) return parseTime(want) === parseTime(got);
  return isDeepStrictEqual(want, got);
}

function without(want: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(want).filter(([name]) => !names.includes(name)));
}

function sumOf(items: readonly Row[], name: string): bigint {
  return items.reduce((sum, one) => sum + signed(one[name]), 0n);
}

/** A signed amount in nanos, or a quantity. */
function signed(text: unknown): bigint {
  const value = String(text);
  if (!value.includes('.')) return BigInt(value);
  const nanos = parseAmount(value.replace('-', '')) ?? 0n;
  return value.startsWith('-') ? -nanos : nanos;
}

function item(value: object): Row {
  return Object.fromEntries(Object.entries(value));
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
