import { commandTuple } from './check-commands.ts';
import { member, nanos, short, text, usd } from './compare.ts';
import type { Output, Row } from './facts.ts';

const NOTICED = new Set(['pause', 'revoke', 'decommission']);

/** What is true of every history: the sums of C1, C5, L7 and F1, notices (L1), ids (L5, R7), sequences (N8), the summary. */
export function checkLaws(output: Output): string[] {
  return [...checkSums(output), ...checkInvoices(output), ...checkCommandLaws(output), ...checkCounts(output)];
}

function checkSums(output: Output): string[] {
  const found: string[] = [];
  const balances = sumsBy(output.balances, 'balance');
  const entries = sumsBy(output.ledger, 'amount');
  const used = sumsBy(
    output.ledger.filter((entry) => text(entry, 'kind') === 'usage'),
    'amount',
  );
  const rated = sumsBy(output.rated, 'amount');
  for (const row of output.balances) {
    const parts = nanos(row.granted) + nanos(row.refunded) - nanos(row.charged) - nanos(row.expired);
    const account = text(row, 'account_id');
    if (parts !== nanos(row.balance))
      found.push(`C1: balance of ${account} is not granted + refunded - charged - expired`);
  }
  for (const account of new Set([...balances.keys(), ...entries.keys()])) {
    const [sum, balance] = [entries.get(account) ?? 0n, balances.get(account) ?? 0n];
    if (sum !== balance)
      found.push(`C5: the ledger of ${account} adds up to ${usd(sum)}, its balance is ${usd(balance)}`);
  }
  for (const account of new Set([...used.keys(), ...rated.keys()])) {
    const [paid, cost] = [-(used.get(account) ?? 0n), rated.get(account) ?? 0n];
    if (paid !== cost) found.push(`L7: lines of ${account} cost ${usd(cost)}, its usage entries ${usd(paid)}`);
  }
  return found;
}

function checkInvoices(output: Output): string[] {
  const found: string[] = [];
  const closings = new Map<string, bigint>();
  for (const invoice of output.invoices) {
    const account = text(invoice, 'account_id');
    const name = `invoice ${account} ${text(invoice, 'month')}`;
    const [opening, closing, charges] = [invoice.opening_balance, invoice.closing_balance, invoice.charges].map(nanos);
    const before = closings.get(account) ?? 0n;
    if (opening !== before)
      found.push(`F1: ${name} opens with ${usd(opening ?? 0n)}, the one before closed with ${usd(before)}`);
    if (sumOf(linesOf(invoice), 'amount') !== charges) found.push(`F1: lines of ${name} do not add up to its charges`);
    const moved = nanos(invoice.granted) + nanos(invoice.refunded) - nanos(invoice.expired) - (charges ?? 0n);
    if ((opening ?? 0n) + moved !== closing) found.push(`F1: ${name} does not add up`);
    closings.set(account, closing ?? 0n);
  }
  for (const [account, balance] of sumsBy(output.balances, 'balance')) {
    const last = closings.get(account) ?? 0n;
    if (last !== balance)
      found.push(`F1: the last invoice of ${account} closes with ${usd(last)}, its balance is ${usd(balance)}`);
  }
  return found;
}

function checkCommandLaws(output: Output): string[] {
  const found: string[] = [];
  const ids = new Set<unknown>();
  const alertOwners = new Map<unknown, unknown>();
  const sequences = new Map<string, number>();
  for (const command of output.commands) {
    const { command_id: id, command: kind, account_id: account, sequence } = command;
    if (typeof id !== 'string' || id === '' || ids.has(id)) found.push(`L5: command id ${short(id)} twice or missing`);
    ids.add(id);
    if (text(command, 'command') === 'alert') alertOwners.set(id, account);
    const notice = command.notice_id;
    if (NOTICED.has(String(kind)) && (!alertOwners.has(notice) || alertOwners.get(notice) !== account))
      found.push(`L1: ${short(commandTuple(command))} has no earlier alert as its notice`);
    const resource = short([text(command, 'account_id'), ...resourceOf(command)]);
    if (typeof sequence !== 'number' || !Number.isInteger(sequence) || sequence <= (sequences.get(resource) ?? -1))
      found.push(`N8: sequence does not rise at ${short(commandTuple(command))}`);
    else sequences.set(resource, sequence);
  }
  return found;
}

function checkCounts({ summary, rejected, rated }: Output): string[] {
  const found: string[] = [];
  const outcomes = [summary.applied, summary.duplicates, summary.rejected].map((count) => Number(count ?? 0));
  if (summary.events !== outcomes.reduce((sum, count) => sum + count, 0))
    found.push(`summary does not add up: ${short(summary)}`);
  if (summary.rejected !== rejected.length)
    found.push('summary.rejected is not the number of lines in rejected.ndjson');
  if (new Set(rated.map((line) => line.line_id)).size !== rated.length) found.push('R7: a line id occurs twice');
  return found;
}

/** The kind and id of a command's resource. Throws where one is missing: no order could be kept. */
function resourceOf(command: Row): readonly [kind: string, id: string] {
  const resource = member(command, 'resource');
  if (typeof resource !== 'object' || resource === null) throw new Error(`no resource: ${short(command)}`);
  return [text(resource as Row, 'kind'), text(resource as Row, 'id')];
}

/** The lines of an invoice. */
export function linesOf(invoice: Row): readonly Row[] {
  const lines = member(invoice, 'lines');
  return Array.isArray(lines) ? (lines as Row[]) : [];
}

/** The sum of a money member over rows. */
export function sumOf(rows: readonly Row[], key: string): bigint {
  return rows.reduce((sum, row) => sum + nanos(row[key]), 0n);
}

function sumsBy(rows: readonly Row[], key: string): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const row of rows) {
    const account = text(row, 'account_id');
    sums.set(account, (sums.get(account) ?? 0n) + nanos(row[key]));
  }
  return sums;
}
