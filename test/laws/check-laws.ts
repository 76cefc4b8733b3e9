import { parseTime } from '../model/calendar.ts';
import { checkCommands } from './command-laws.ts';
import { checkNotices } from './notice-laws.ts';
import { checkPlans } from './plan-laws.ts';
import { reconstruct } from './reconstruct.ts';
import {
  type Balance,
  type Command,
  type Entry,
  readBalance,
  readCommand,
  readEntry,
  readRated,
  readRejected,
} from './rows.ts';

/** The files of a replay, as far as the laws read them. */
export interface Files {
  readonly rated: readonly unknown[];
  readonly ledger: readonly unknown[];
  readonly balances: readonly unknown[];
  readonly commands: readonly unknown[];
  readonly rejected: readonly unknown[];
}

/** How much of L9 could be checked (capacity-law.ts). */
export interface Checked {
  instants: number;
  reservedInstants: number;
  hours: number;
  hoursLeftOut: number;
}

/**
 * L1-L9, and what of N2-N7, N10 and R6 follows from the log and the files alone. It shares no code with the core: what
 * happened is reconstructed from the events that were not rejected.
 *
 * @returns one sentence a violation
 * @throws Error where a file has a shape that cannot be read
 */
export function checkLaws(
  lines: readonly string[],
  files: Files,
  until?: string,
  checked?: Checked,
): readonly string[] {
  const rated = files.rated.map(readRated);
  const rejected = files.rejected.map(readRejected);
  const commands = files.commands.map(readCommand);
  const past = reconstruct(lines, until === undefined ? undefined : parseTime(until), rated, rejected);
  const broken = [...past.broken, ...past.capacity.check(), ...checkOrder(commands)];
  const entries = group(files.ledger.map(readEntry));
  const balances = new Map(files.balances.map(readBalance).map((row) => [row.accountId, row]));
  const commandsOf = group(commands);
  for (const account of past.accounts.values()) {
    const { id, books } = account;
    broken.push(...checkLedger(id, books.expected, entries.get(id) ?? []));
    broken.push(...checkBalance(id, { ...books.sums, balance: books.balance }, balances.get(id)));
    const own = commandsOf.get(id) ?? [];
    broken.push(...checkCommands(account, past.prices, own, past.endsAt));
    broken.push(...checkNotices(account, own, past.endsAt), ...checkPlans(account, own, past.endsAt));
    if (own.some(({ at }) => at > past.endsAt)) broken.push(`X: ${id}: a command after the end`);
  }
  for (const id of [...entries.keys(), ...balances.keys(), ...commandsOf.keys()]) {
    if (!past.accounts.has(id)) broken.push(`L7: something of an account that was not opened: ${id}`);
  }
  if (checked !== undefined) add(checked, past.capacity.checked);
  return broken;
}

/** L7, C5: the ledger has an entry for every movement, and no other; expiries of one instant in any order. */
function checkLedger(
  id: string,
  expected: readonly Omit<Entry, 'id' | 'accountId'>[],
  entries: readonly Entry[],
): readonly string[] {
  const broken: string[] = [];
  if (new Set(entries.map((entry) => entry.id)).size < entries.length) broken.push(`C5: ${id}: an entry id twice`);
  const [want, got] = [expected, entries].map(inOrder);
  for (let index = 0; index < Math.max(want?.length ?? 0, got?.length ?? 0); index += 1) {
    if (want?.[index] === got?.[index]) continue;
    broken.push(`L7: ${id}: entry ${index} is ${got?.[index]} instead of ${want?.[index]}`);
    break;
  }
  return broken;
}

function inOrder(entries: readonly Omit<Entry, 'id' | 'accountId'>[]): readonly string[] {
  const texts = entries.map(({ time, kind, amount, ref }) => `${time} ${kind} ${amount} ${ref}`);
  const runs: string[][] = [];
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1];
    const joins = entry.kind === 'expiry' && before?.kind === 'expiry' && before.time === entry.time;
    if (joins) runs.at(-1)?.push(texts[index] ?? '');
    else runs.push([texts[index] ?? '']);
  }
  return runs.flatMap((run) => run.sort());
}

/** L7, C1. */
function checkBalance(
  id: string,
  sums: Omit<Balance, 'accountId' | 'level'>,
  row: Balance | undefined,
): readonly string[] {
  if (row === undefined) return [`L7: ${id} has no balance`];
  const names = ['balance', 'granted', 'refunded', 'charged', 'expired'] as const;
  const broken = names
    .filter((name) => row[name] !== sums[name])
    .map((name) => `L7: ${id}: ${name} is ${row[name]} instead of ${sums[name]}`);
  const exhausted = sums.balance <= 0n && sums.charged > 0n;
  if (exhausted !== (row.level === 'exhausted')) broken.push(`N3: ${id}: level ${row.level} at ${row.balance}`);
  return broken;
}

/** X, L5: by time, then account; no id twice. */
function checkOrder(commands: readonly Command[]): readonly string[] {
  const broken: string[] = [];
  for (const [index, command] of commands.entries()) {
    const before = commands[index - 1];
    if (before === undefined) continue;
    if (before.at > command.at || (before.at === command.at && before.accountId > command.accountId))
      broken.push(`X: out of order: ${command.id}`);
  }
  if (new Set(commands.map(({ id }) => id)).size < commands.length) broken.push('L5: a command id twice');
  return broken;
}

function group<Row extends { readonly accountId: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const own = groups.get(row.accountId);
    if (own === undefined) groups.set(row.accountId, [row]);
    else own.push(row);
  }
  return groups;
}

function add(total: Checked, more: Checked): void {
  total.instants += more.instants;
  total.reservedInstants += more.reservedInstants;
  total.hours += more.hours;
  total.hoursLeftOut += more.hoursLeftOut;
}
