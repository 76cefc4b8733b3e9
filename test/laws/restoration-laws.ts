import type { Judge } from './judge.ts';
import type { View } from './past.ts';
import { type Command, decimal } from './rows.ts';
import { viewAfter } from './views.ts';

const hour = 3_600_000n;

/** N5: what a restoration takes back, what it restores or resumes at once, and which clusters stay paused. */
export function judgeRestoration(
  judge: Judge,
  alert: Command,
  views: readonly View[],
  later: readonly Command[],
): void {
  judge.restored = alert;
  if (alert.balance <= 0n) judge.break('N5', alert, 'there is no credit');
  const paused = alert.detail.get('paused');
  const stay = new Set(Array.isArray(paused) ? paused.map((id) => `cluster/${id}`) : []);
  const released = keysReleasedWith(alert, later);
  for (const key of judge.orders.keys()) {
    const told = judge.orders.of(key, alert.at);
    if (told.stopped !== undefined && !told.maybeGone && !released.has(key) && !stay.has(key))
      judge.break('N5', alert, `${key} is neither released nor among those that stay paused`);
    if (told.sent?.reason === 'credits_exhausted') Object.assign(told, { first: undefined, sent: undefined });
  }
  // No event both restores and has a reservation hold: what is reserved at this instant came later, and was counted.
  const burned = burnedByPaused(judge, alert.at, new Set());
  const resumesAt = alert.detail.get('resumes_at');
  if (stay.size === 0 || burned === undefined || typeof resumesAt !== 'string') return;
  if (!views.some((view) => !covers(view, alert.balance, burned)))
    judge.break('N5', alert, 'clusters stay paused, and the balance covers them');
  const least = views.map(({ policy }) => (burned * BigInt(policy.resumeRunway) + hour - 1n) / hour);
  if (!least.some((nanos) => nanos === decimal(resumesAt) || (nanos === 0n && decimal(resumesAt) === 1n)))
    judge.break('N5', alert, `it says ${resumesAt}`);
}

/** L6, N5: a resume or restore. */
export function judgeRelease(judge: Judge, command: Command, views: readonly View[], later: readonly Command[]): void {
  const { command: name, reason, resourceId, key, at, balance } = command;
  const told = judge.orders.of(key, at);
  const ordered = told.stopped !== undefined || (told.sent !== undefined && told.sent.scope !== 'burst');
  if (!ordered && !told.maybeGone) judge.break('L6', command, `a ${name} of what was not stopped`);
  if (reason === 'reserved') {
    if (!views.some((view) => view.holds(resourceId))) judge.break('N5', command, 'no reservation holds');
  } else {
    if (balance <= 0n || views.every(({ exhausted }) => exhausted))
      judge.break('N5', command, 'the account is not restored');
    if (name === 'restore' && at !== judge.restored?.at) judge.break('N5', command, 'not at the restoration');
    if (name === 'resume') judgeResume(judge, command, views, later);
  }
  Object.assign(told, { stopped: undefined, burned: undefined, first: undefined, sent: undefined, at });
}

/** N5: only what the balance covers is resumed, and all together. The first one of a group is judged for all. */
function judgeResume(judge: Judge, command: Command, views: readonly View[], later: readonly Command[]): void {
  const keys = judge.orders.keys().filter((key) => key.startsWith('cluster/'));
  const burned = burnedByPaused(judge, command.at, keysReservedWith(command, later));
  if (burned !== undefined && !views.some((view) => covers(view, command.balance, burned)))
    judge.break('N5', command, 'the balance does not cover it');
  const released = keysReleasedWith(command, later);
  for (const key of keys) {
    const told = judge.orders.of(key, command.at);
    if (key !== command.key && told.stopped !== undefined && !told.maybeGone && !released.has(key))
      judge.break('N5', command, `${key} stays paused`);
  }
}

/** N5: clusters that stay paused are resumed as soon as the balance covers it: at no event before `until` it does. */
export function judgeStay(judge: Judge, command: Command, until: number): void {
  const { account } = judge;
  if (judge.restored === undefined || !account.books.transitions.length) return;
  const burned = burnedByPaused(judge, command.at, new Set());
  const keys = judge.orders.keys().filter((key) => judge.orders.of(key, command.at).stopped !== undefined);
  if (burned === undefined || keys.length === 0) return;
  for (const { step, clock } of account.steps) {
    if (clock <= command.at || clock >= until) continue;
    const view = viewAfter(account, step, clock);
    if (view.exhausted) return;
    if (keys.some((key) => judge.orders.confirmedBy(key, clock))) return;
    if (!covers(view, account.books.balances.at(step) ?? 0n, burned)) continue;
    judge.break('N5', command, `the balance covers ${keys.join(' ')} at ${new Date(clock).toISOString()}`);
    return;
  }
}

/** What is released on the same update as a command, and after it: at its instant, and the same balance. */
function keysReleasedWith({ at, balance }: Command, later: readonly Command[]): ReadonlySet<string> {
  const releases = later.filter(({ command }) => command === 'resume' || command === 'restore');
  return new Set(releases.filter((one) => one.at === at && one.balance === balance).map(({ key }) => key));
}

/** N5: clusters of which a reservation holds since that update run whatever the balance, and need no cover. */
function keysReservedWith(command: Command, later: readonly Command[]): ReadonlySet<string> {
  return keysReleasedWith(
    command,
    later.filter(({ reason }) => reason === 'reserved'),
  );
}

/** N5: what the paused clusters burned, those in `without` left out, in nanos an hour; undefined where that cannot be told. */
function burnedByPaused(judge: Judge, at: number, without: ReadonlySet<string>): bigint | undefined {
  let burned = 0n;
  for (const key of judge.orders.keys()) {
    const told = judge.orders.of(key, at);
    if (!key.startsWith('cluster/') || without.has(key) || told.stopped === undefined) continue;
    if (told.maybeGone || told.burned === undefined) return undefined;
    burned += told.burned;
  }
  return burned;
}

function covers({ policy }: View, balance: bigint, burned: bigint): boolean {
  return balance > 0n && balance * hour >= burned * BigInt(policy.resumeRunway);
}
