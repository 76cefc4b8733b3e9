import { judgeAlert } from './alert-laws.ts';
import { namedBy } from './announced.ts';
import { Judge } from './judge.ts';
import type { AccountPast, PricedAt, View } from './past.ts';
import { judgeRelease, judgeStay } from './restoration-laws.ts';
import type { Command } from './rows.ts';
import type { Told } from './told.ts';
import { viewsAt } from './views.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** L1-L6 and what N2-N7 say of a single command: goes through the commands of one account in the order of issue. */
export function checkCommands(
  account: AccountPast,
  prices: readonly PricedAt[],
  commands: readonly Command[],
  endsAt: number,
): readonly string[] {
  const judge = new Judge(account, prices);
  const acts = new Set<string>();
  const sequences = new Map<string, number>();
  for (const [index, command] of commands.entries()) {
    const { key, sequence } = command;
    if (sequence <= (sequences.get(key) ?? 0)) judge.break('N8', command, 'its sequence does not rise');
    sequences.set(key, sequence);
    const act = actOf(command);
    if (acts.has(act)) judge.break('L5', command, 'a second one of the same cause and attempt');
    acts.add(act);
    const later = commands.slice(index + 1);
    const views = viewsAt(account, command.at);
    if (command.command === 'alert') judgeAlert(judge, command, views, later);
    else if (command.command === 'resume' || command.command === 'restore') judgeRelease(judge, command, views, later);
    else judgeOrder(judge, command, views, commands[index - 1]);
    judgeStay(judge, command, Math.min(endsAt, later[0]?.at ?? endsAt));
  }
  return judge.broken;
}

/** L5: what a command is about. Of what ends an episode or a pause, the cause is the instant. */
function actOf({ id, alert, key, command, scope, attempt, noticeId, reason, at }: Command): string {
  if (alert !== undefined) return id;
  const cause = command === 'resume' || command === 'restore' ? `${reason}@${at}` : noticeId;
  return [cause, key, command, scope, attempt].join(' ');
}

/** A pause, revoke or decommission. */
function judgeOrder(judge: Judge, command: Command, views: readonly View[], before: Command | undefined): void {
  const told = judge.orders.of(command.key, command.at);
  judgeNotice(judge, command, told);
  if (command.attempt > 1) judgeRepeat(judge, command, views, told, before);
  else judgeFirst(judge, command, told);
  judgeStanding(judge, command, views);
  told.at = command.at;
  told.sent = command;
  if (command.attempt > 1) return;
  told.first = command;
  if (command.reason === 'reservation_ended' || command.scope === 'burst') told.stopped = undefined;
  else if (command.command !== 'decommission') {
    told.stopped = command;
    told.burned = command.kind === 'cluster' ? burnedAt(judge, command, views) : 0n;
  }
}

/** L1, L4: the alert that named it, its notice before it, in the same episode. */
function judgeNotice(judge: Judge, command: Command, { stopped }: Told): void {
  const notice = judge.alerts.get(command.noticeId ?? '');
  if (notice === undefined) {
    judge.break('L1', command, 'no earlier alert is its notice');
    return;
  }
  if (command.reason === 'reservation_ended') {
    const reservation = judge.account.reservations.get(notice.resourceId);
    if (notice.alert !== 'reservation_ending' || reservation?.clusterId !== command.resourceId)
      judge.break('L1', command, 'its notice is not of the end of a reservation of the cluster');
    return;
  }
  if (notice.index < (judge.restored?.index ?? -1)) judge.break('L4', command, 'planned before the restoration');
  const named = namedBy(notice, command);
  if (named === undefined) judge.break('L1', command, 'its notice does not name it');
  if (named === undefined || command.attempt > 1) return;
  const stops = command.command !== 'decommission';
  const first = notice.actions.find((action) => action.key === command.key && action.command !== 'decommission');
  const late = !stops && first !== undefined && stopped?.noticeId === notice.id ? stopped.at - first.at : 0;
  const due = named.at + late;
  if (command.at < due) judge.break('L1', command, 'before the time that was announced');
  if (command.at > due + (stops ? day : 0)) judge.break('N4', command, 'after the time that was announced');
}

/** L3, L6, N3: what a first attempt follows on. */
function judgeFirst(judge: Judge, command: Command, { stopped, sent, maybeGone }: Told): void {
  const { command: name, scope, reason } = command;
  if (reason === 'reservation_ended' || maybeGone) return;
  if ((name !== 'decommission' || scope === 'burst') && stopped !== undefined)
    judge.break('L6', command, 'stopped already');
  if (name !== 'decommission' || scope === 'burst') return;
  if (stopped === undefined) judge.break('L3', command, scope === 'cluster' ? 'not paused first' : 'not revoked first');
  if (sent?.command === 'decommission') judge.break('L6', command, 'decommissioned already');
}

/** N7: a repeat of the order that stands, `overdue_after` or so many hours more after it was first issued. */
function judgeRepeat(
  judge: Judge,
  command: Command,
  views: readonly View[],
  { first, sent }: Told,
  before: Command | undefined,
): void {
  const { attempt, key, at } = command;
  const same = sent?.command === command.command && sent.scope === command.scope && sent.noticeId === command.noticeId;
  if (first === undefined || !same || sent.attempt !== attempt - 1) {
    judge.break('N7', command, 'it repeats no order that stands');
    return;
  }
  const onTime = viewsAt(judge.account, first.at).some(({ policy }) => {
    const late = at - first.at - policy.overdueAfter;
    return late >= 0 && late % hour === 0;
  });
  if (!onTime || at <= sent.at) judge.break('N7', command, 'at no time for a repeat');
  const alerted = before?.alert === 'enforcement_overdue' && before.key === key && before.at === at;
  if (alerted !== (attempt === 2 || attempt === 3 || attempt % 24 === 0))
    judge.break('N7', command, 'an alert to operators is missing, or one too many');
  const goesOn = (view: View) =>
    command.scope === 'burst' ? view.uncoveredGpus(command.resourceId) > 0 : view.active(key);
  if (!views.some(goesOn)) judge.break('N7', command, 'it repeats what took');
}

/** L2, N3, N4: whether there is a view of that instant in which the command is right. */
function judgeStanding(judge: Judge, command: Command, views: readonly View[]): void {
  const { resourceId: id, command: name, scope, key, gpus, keep } = command;
  if (scope === 'cluster' && !views.some((view) => !view.holds(id)))
    judge.break('L2', command, 'a reservation of the cluster holds');
  if (scope === 'burst' && !views.some((view) => sameCounts(view.capacity(id), keep)))
    judge.break('L2', command, 'keep is not the capacity that holds');
  if (scope === 'burst' && !views.some((view) => view.uncoveredGpus(id) === gpus && gpus > 0))
    judge.break('K', command, 'gpus is not what is uncovered');
  if (command.reason === 'reservation_ended') return;
  const right = views.some((view) => {
    if (!view.exhausted) return false;
    if (scope === 'burst') return view.uncoveredGpus(id) > 0 && view.holds(id);
    if (command.attempt === 1 && name !== 'decommission') return view.active(key);
    return scope === 'volume' || name === 'pause' || !view.begins(id);
  });
  if (!right) judge.break('N4', command, 'not what N3 says any more');
}

/** N5: what a cluster burned when it was paused; undefined where the views of that instant differ. */
function burnedAt(judge: Judge, command: Command, views: readonly View[]): bigint | undefined {
  const burns = views
    .filter((view) => view.exhausted && view.active(command.key))
    .map((view) => view.burn(command.resourceId, judge.prices));
  return burns.every((burn) => burn === burns[0]) ? burns[0] : undefined;
}

function sameCounts(want: ReadonlyMap<string, number>, got: ReadonlyMap<string, unknown> | undefined): boolean {
  return want.size > 0 && got?.size === want.size && [...want].every(([name, count]) => got.get(name) === count);
}
