import { unfundedActions } from './announced.ts';
import type { Judge } from './judge.ts';
import type { View } from './past.ts';
import { judgeRestoration } from './restoration-laws.ts';
import { type Action, type Command, decimal } from './rows.ts';

const hour = 3_600_000n;

/** What N2-N5 and N7 say of an alert, apart from when it is due (notice-laws.ts). */
export function judgeAlert(judge: Judge, command: Command, views: readonly View[], later: readonly Command[]): void {
  const { alert, audience } = command;
  judge.alerts.set(command.id, command);
  if (audience !== (alert === 'enforcement_overdue' ? 'operator' : 'customer')) judge.break('K', command, 'audience');
  switch (alert) {
    case 'credits_exhausted':
      judge.episodes += 1;
      if (command.episode !== judge.episodes) judge.break('N3', command, `it is episode ${judge.episodes}`);
      if (command.balance > 0n) judge.break('N3', command, 'there is credit left');
      judgeAnnouncement(judge, command, views);
      return;
    case 'resource_unfunded':
      if (command.actions.length === 0) judge.break('N3', command, 'it announces nothing');
      judgeAnnouncement(judge, command, views);
      return;
    case 'credits_restored':
      judgeRestoration(judge, command, views, later);
      return;
    case 'credits_low':
      judgeLow(judge, command, views);
      return;
    case 'enforcement_overdue': {
      const [next] = later;
      if (next?.key !== command.key || next.attempt < 2 || next.at !== command.at)
        judge.break('N7', command, 'no repeat follows');
      return;
    }
    case 'action_reminder':
      judgeReminder(judge, command, views);
      return;
    default:
      return;
  }
}

/** N3, N1: it lists what N3 says of the resources as they stand, with the times of the policy in force. */
function judgeAnnouncement(judge: Judge, command: Command, views: readonly View[]): void {
  const { clusters, volumes, reservations } = judge.account;
  const all = [
    ...[...clusters.keys()].map((id) => `cluster/${id}`),
    ...[...volumes.keys()].map((id) => `volume/${id}`),
  ];
  const keys = command.alert === 'resource_unfunded' ? [command.key] : all;
  const told = keys.map((key) => [key, judge.orders.of(key, command.at)] as const);
  // What a confirmation or an end of this very instant leads to stands in the order of events that the files do not tell.
  if (told.some(([, { maybeGone }]) => maybeGone)) return;
  if ([...reservations.values()].some(({ terms }) => terms.all.some(({ endsAt }) => endsAt === command.at))) return;
  const got = inOrder(command.actions);
  const wants = views
    .filter(({ exhausted }) => exhausted)
    .map((view) => inOrder(told.flatMap(([key, known]) => unfundedActions(view, key, known))));
  if (!wants.includes(got)) judge.break('N3', command, `it lists ${got} instead of ${wants.at(-1)}`);
}

function inOrder(actions: readonly Action[]): string {
  return actions
    .map(({ key, command, scope, gpus, at }) => JSON.stringify([key, command, scope, gpus, at]))
    .sort()
    .join();
}

/** N2. */
function judgeLow(judge: Judge, command: Command, views: readonly View[]): void {
  const threshold = Number(command.detail.get('threshold_ms'));
  const burn = decimal(String(command.detail.get('burn_rate')));
  if (command.balance * hour > BigInt(threshold) * burn || command.balance <= 0n || burn <= 0n)
    judge.break('N2', command, 'the threshold is not passed');
  const view = views.find(({ exhausted, policy }) => !exhausted && policy.lowRunway.includes(threshold));
  if (view === undefined) {
    judge.break('N2', command, 'exhausted, or no threshold of the policy');
    return;
  }
  // Of thresholds that were always the same, a shorter one is not passed before this one is.
  const always = new Set(judge.account.policy.all.map(({ lowRunway }) => lowRunway.join()));
  const shorter = view.policy.lowRunway.find((ms) => ms < threshold && command.balance * hour <= BigInt(ms) * burn);
  if (always.size === 1 && shorter !== undefined) judge.break('N2', command, `${shorter} ms is passed, too`);
}

/** N4: a reminder comes after its notice and before what it reminds of, and only of what would still be carried out. */
function judgeReminder(judge: Judge, command: Command, views: readonly View[]): void {
  const notice = judge.alerts.get(command.noticeId ?? '');
  const told = judge.orders.of(command.key, command.at);
  const [next] = command.actions;
  if (notice === undefined || notice.at >= command.at) judge.break('N4', command, 'not after its notice');
  if ((notice?.index ?? 0) < (judge.restored?.index ?? -1)) judge.break('L4', command, 'of before the restoration');
  if (command.actions.some(({ at }) => at <= command.at)) judge.break('N4', command, 'what it reminds of is past');
  const follows = next?.command === 'decommission' ? told.stopped !== undefined : told.stopped === undefined;
  if (!follows && !told.maybeGone) judge.break('N4', command, 'a reminder of what cannot follow');
  const fits = views.some((view) => view.exhausted && (next?.scope !== 'cluster' || !view.holds(command.resourceId)));
  if (!fits) judge.break('N4', command, 'a reminder of what would not be carried out');
}
