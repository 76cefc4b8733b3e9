import { compareText } from '../../shared/text-order.ts';
import { episodeCause, unfundedCause } from './commands.ts';
import { coverOf } from './cover.ts';
import { decidingEnd, endedReservations } from './ends.ts';
import { meet, outcomeOf, subjectOf } from './meet.ts';
import { plannedActions } from './notices.ts';
import type { AccountState, Plan, ResourceState, Step } from './state.ts';
import { issue, type Turn } from './turn.ts';

type Steps = readonly [Step, ...Step[]];

/** N3: an episode begins: one alert that lists what is coming to each resource, and its times. */
export function announceExhaustion(turn: Turn): void {
  const { account, at } = turn;
  const listed: { readonly resource: ResourceState; readonly steps: Steps }[] = [];
  for (const resource of resourcesInOrder(account)) {
    const steps = unfundedSteps(turn, resource);
    if (steps !== undefined) listed.push({ resource, steps });
  }
  account.episodes += 1;
  const number = account.episodes;
  account.episode = { number, unfunded: 0 };
  const cause = episodeCause(number);
  const alert = issue(turn, {
    cause,
    command: 'alert',
    alert: 'credits_exhausted',
    resource: { kind: 'account', id: account.accountId },
    reason: 'credits_exhausted',
    episode: number,
    detail: { actions: listed.flatMap(({ resource, steps }) => plannedActions(subjectOf(resource), steps)) },
  });
  for (const { resource, steps } of listed) {
    const plan: Plan = { cause, episode: number, noticeId: alert.commandId, noticeAt: at, steps, pending: 'coming' };
    meet(turn, resource, { occasion: 'unfunded', plan });
  }
}

/** N3: a resource that comes to be listed while the account is exhausted gets its own notice and its own times. */
export function announceIfUnfunded(turn: Turn, resource: ResourceState): void {
  const { account, at } = turn;
  const { episode } = account;
  if (episode === undefined) return;
  const steps = unfundedSteps(turn, resource);
  if (steps === undefined) return;
  episode.unfunded += 1;
  const cause = unfundedCause(episode.number, episode.unfunded);
  const subject = subjectOf(resource);
  const alert = issue(turn, {
    cause,
    command: 'alert',
    alert: 'resource_unfunded',
    resource: subject,
    reason: 'resource_unfunded',
    episode: episode.number,
    detail: { actions: plannedActions(subject, steps) },
  });
  const noticeId = alert.commandId;
  const plan: Plan = { cause, episode: episode.number, noticeId, noticeAt: at, steps, pending: 'coming' };
  meet(turn, resource, { occasion: 'unfunded', plan });
}

/** By kind, then id. */
export function resourcesInOrder(account: AccountState): readonly ResourceState[] {
  const byId = (left: ResourceState, right: ResourceState) => compareText(left.id, right.id);
  return [...[...account.clusters.values()].sort(byId), ...[...account.volumes.values()].sort(byId)];
}

/** N3: what would come to a resource now; undefined if it is not listed, has something coming, or is N7's or N6's. */
function unfundedSteps(turn: Turn, resource: ResourceState): Steps | undefined {
  if (outcomeOf(turn, resource, 'unfunded') !== 'announce') return undefined;
  const { rules, at, account } = turn;
  if (resource.kind === 'cluster' && decidingEnd(turn, resource, endedReservations(turn, resource)) !== undefined) {
    return undefined;
  }
  const [first, ...later] =
    resource.kind === 'cluster'
      ? rules.clusterSteps(resource, coverOf(turn, resource.id), account.policy, at)
      : rules.volumeSteps(resource, account.policy, at);
  return first === undefined ? undefined : [first, ...later];
}
