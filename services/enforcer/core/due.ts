import type { Instant } from '../../shared/time.ts';
import { WAIT_MS } from './carry-out.ts';
import type { Rules } from './rules.ts';
import type { AccountState, Notices, Plan, ReservationState, ResourceState } from './state.ts';

/** When something of a resource is due next: an end of its reservations, an action, a reminder, a look at its order. */
export function resourceDueAt(
  rules: Rules,
  resource: ResourceState,
  reservations: readonly ReservationState[],
): Instant | undefined {
  let next: Instant | undefined;
  const consider = (at: Instant): void => {
    if (next === undefined || at < next) next = at;
  };
  for (const { end, facts } of reservations) if (end === 'coming') consider(facts.endsAt);
  if (resource.plan !== undefined) considerPlan(resource.plan, consider);
  if (resource.order !== undefined && rules.goesOn(resource)) consider(rules.nextLookAt(resource.order));
  return next;
}

/** N6, N10: when the next alert of a reservation or grant is due. */
export function noticeDueAt(notices: Notices): Instant | undefined {
  return notices.times[0];
}

/** When something of an account is due next: a shell has to have it loaded by then. Held actions are due at any time. */
export function accountDueAt(
  rules: Rules,
  account: AccountState,
  reservationsOf: (clusterId: string) => readonly ReservationState[],
): Instant | undefined {
  if (account.held !== undefined) return 0;
  const times: (Instant | undefined)[] = [];
  for (const cluster of account.clusters.values())
    times.push(resourceDueAt(rules, cluster, reservationsOf(cluster.id)));
  for (const volume of account.volumes.values()) times.push(resourceDueAt(rules, volume, []));
  for (const { notices } of account.reservations.values()) times.push(noticeDueAt(notices));
  for (const { notices } of account.grants.values()) times.push(noticeDueAt(notices));
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : known.reduce((least, at) => Math.min(least, at));
}

/** N4: while an action waits or is held, what follows it has no time yet. */
function considerPlan(plan: Plan, consider: (at: Instant) => void): void {
  const [first] = plan.steps;
  if (plan.pending === 'held') return;
  if (plan.pending === 'waiting') {
    consider(first.at + WAIT_MS);
    return;
  }
  consider(first.at);
  for (const { at, remindersMs } of plan.steps) for (const ms of remindersMs) consider(at - ms);
}
