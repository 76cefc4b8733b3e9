import { checkAbsent, checkCommandFact, checkCommands } from './check-commands.ts';
import { matches, member, millis, pairUp, same, short, text, usd } from './compare.ts';
import type { Facts, Output, Row } from './facts.ts';
import { checkLaws, linesOf, sumOf } from './laws.ts';

const SUMS = new Set(['quantity_ms', 'amount', 'list_amount']);

/**
 * Compares replay's output with a scenario's facts: check.py, in the project's own language.
 *
 * @returns one sentence a difference; empty if every fact holds
 * @throws Error where the output has a shape that cannot be compared, such as an amount that is a number
 */
export function evaluate(facts: Facts, output: Output): string[] {
  const rated = output.rated.map((line) => ({ ...line, line_n: lineNumber(line) }));
  const found = Object.entries(facts.balances ?? {}).flatMap(([account, want]) => {
    const rows = output.balances.filter((row) => member(row, 'account_id') === account);
    return checkOne(`balances[${account}]`, want, rows);
  });
  if (facts.rated_totals !== undefined) found.push(...checkRatedTotals(facts.rated_totals, rated));
  found.push(...checkEach('rated_lines', facts.rated_lines ?? [], rated));
  if (facts.rated_count !== undefined && rated.length !== facts.rated_count)
    found.push(`rated_count: expected ${facts.rated_count}, got ${rated.length}`);
  found.push(...checkLedger(facts, output));
  for (const [account, wants] of Object.entries(facts.commands ?? {}))
    found.push(...checkCommands(account, wants, output));
  for (const [account, { kinds, list }] of Object.entries(facts.commands_of ?? {}))
    found.push(...checkCommands(account, list, output, new Set(kinds)));
  for (const [account, absent] of Object.entries(facts.commands_absent ?? {}))
    found.push(...checkAbsent(account, absent, output));
  for (const fact of facts.command_facts ?? []) found.push(...checkCommandFact(fact, output));
  if (facts.laws === true) found.push(...checkLaws(output));
  if (facts.unique_line_ids === true && new Set(rated.map((line) => text(line, 'line_id'))).size !== rated.length)
    found.push('line ids are not unique');
  if (facts.rejected !== undefined) {
    const got = output.rejected.map((row) => [member(row, 'line'), member(row, 'reason')]);
    if (!same('', facts.rejected, got)) found.push(`rejected: expected ${short(facts.rejected)}, got ${short(got)}`);
  }
  for (const want of facts.invoices ?? []) found.push(...checkInvoice(want, output));
  if (facts.summary !== undefined) found.push(...checkOne('summary', facts.summary, [output.summary]));
  for (const group of facts.equal_balances ?? []) {
    const rows = output.balances.filter((row) => group.includes(text(row, 'account_id')));
    if (new Set(rows.map((row) => row.balance)).size !== 1 || rows.length !== group.length)
      found.push(`equal_balances: ${short(rows.map((row) => [row.account_id, row.balance]))}`);
  }
  return found;
}

function checkOne(name: string, want: Row, rows: readonly Row[]): string[] {
  const [row] = rows;
  if (row === undefined || rows.length > 1) return [`${name}: ${rows.length} of them`];
  return Object.entries(want)
    .filter(([key, value]) => !same(key, value, member(row, key)))
    .map(([key, value]) => `${name}.${key}: expected ${short(value)}, got ${short(member(row, key))}`);
}

function checkEach(name: string, wants: readonly Row[], rows: readonly Row[], complete = false): string[] {
  const { missing, extra } = pairUp(wants, rows, matches);
  return [
    ...missing.map((want) => `${name}: no ${short(want)}${nearest(want, rows)}`),
    ...(complete ? extra.map((row) => `${name}: unexpected ${short(row)}`) : []),
  ];
}

function nearest(want: Row, rows: readonly Row[]): string {
  const differing = (row: Row) => Object.entries(want).filter(([key, value]) => !same(key, value, member(row, key)));
  const [near] = rows.toSorted((a, b) => differing(a).length - differing(b).length);
  if (near === undefined) return '';
  const parts = differing(near).map(
    ([key, value]) => `${key}: expected ${short(value)} got ${short(member(near, key))}`,
  );
  return `; nearest differs in ${parts.join(', ')}`;
}

/** Sums over the lines that have the other fields; complete: a line that no entry covers is a difference. */
function checkRatedTotals(wants: readonly Row[], rated: readonly Row[]): string[] {
  const found: string[] = [];
  const covered = new Set<Row>();
  for (const want of wants) {
    const selector = Object.fromEntries(Object.entries(want).filter(([key]) => !SUMS.has(key)));
    const hits = rated.filter((line) => matches(selector, line));
    for (const hit of hits) covered.add(hit);
    const sums: Row = {
      quantity_ms: hits.reduce((sum, line) => sum + BigInt(text(line, 'quantity_ms')), 0n).toString(),
      amount: usd(sumOf(hits, 'amount')),
      list_amount: usd(sumOf(hits, 'list_amount')),
    };
    for (const key of SUMS)
      if (Object.hasOwn(want, key) && want[key] !== sums[key])
        found.push(`rated_totals ${short(selector)}: ${key} expected ${short(want[key])}, got ${short(sums[key])}`);
  }
  const rest = rated.filter((line) => !covered.has(line));
  return [...found, ...rest.map((line) => `rated_totals: a line that nothing expects: ${short(line)}`)];
}

function checkLedger(facts: Facts, output: Output): string[] {
  const found: string[] = [];
  for (const [account, wants] of Object.entries(facts.ledger ?? {})) {
    const rows = output.ledger.filter((entry) => member(entry, 'account_id') === account);
    const gots = rows.map((entry) => ['time', 'kind', 'amount', 'ref'].map((key) => member(entry, key)));
    const { missing, extra } = pairUp(wants, gots, ledgerMatches);
    found.push(...missing.map((want) => `ledger[${account}]: missing ${short(want)}`));
    found.push(...extra.map((got) => `ledger[${account}]: unexpected ${short(got)}`));
    const times = rows.map((entry) => millis(entry.time));
    if (times.some((time, index) => time < (times[index - 1] ?? time)))
      found.push(`ledger[${account}]: times go backwards`);
  }
  for (const [account, sums] of Object.entries(facts.ledger_sums ?? {})) {
    for (const [kind, want] of Object.entries(sums)) {
      const entries = output.ledger.filter((e) => member(e, 'account_id') === account && text(e, 'kind') === kind);
      const got = usd(sumOf(entries, 'amount'));
      if (got !== want) found.push(`ledger_sums[${account}].${kind}: expected ${want}, got ${got}`);
    }
  }
  return found;
}

function ledgerMatches(want: readonly unknown[], got: readonly unknown[]): boolean {
  return ['time', '', 'amount', ''].every((field, i) => i >= want.length || same(field, want[i], got[i]));
}

function checkInvoice(want: Row, output: Output): string[] {
  const { lines, absent, ...fields } = want;
  const name = `invoice ${text(want, 'account_id')} ${text(want, 'month')}`;
  const found = output.invoices.filter((row) => row.account_id === want.account_id && row.month === want.month);
  if (absent === true) return found.length === 0 ? [] : [`${name}: there should be none`];
  const [invoice] = found;
  if (invoice === undefined || found.length > 1) return [`${name}: ${found.length} of them`];
  const wantedLines = lines === undefined ? [] : checkEach(`${name} lines`, linesOf(want), linesOf(invoice), true);
  return [...checkOne(name, fields, [invoice]), ...wantedLines];
}

/** `line_n`: the last part of the line's id. Throws where that is no number. */
function lineNumber(line: Row): number {
  const last = text(line, 'line_id').split('/').at(-1) ?? '';
  if (!/^\d+$/.test(last)) throw new Error(`line_id should end in a number: ${short(line)}`);
  return Number(last);
}
