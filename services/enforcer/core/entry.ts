import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import type { AccountState, ReservationState, ResourceState } from './state.ts';

/** An account in memory, with what is derived from its state. */
export interface Entry {
  readonly state: AccountState;
  /** The reservations of each cluster, by id. */
  reservationsByCluster: ReadonlyMap<string, readonly ReservationState[]>;
}

export function entryOf(state: AccountState): Entry {
  return { state, reservationsByCluster: indexReservations(state) };
}

export function indexReservations(state: AccountState): ReadonlyMap<string, readonly ReservationState[]> {
  const byCluster = new Map<string, ReservationState[]>();
  for (const reservation of state.reservations.values()) {
    const { clusterId } = reservation.facts;
    const of = byCluster.get(clusterId);
    if (of === undefined) byCluster.set(clusterId, [reservation]);
    else of.push(reservation);
  }
  for (const of of byCluster.values()) {
    of.sort((left, right) => compareText(left.facts.reservationId, right.facts.reservationId));
  }
  return byCluster;
}

/** One that is gone or idle, not ordered and unplanned needs not be known: the rater tells of it again once it changes. */
export function isForgettable(resource: ResourceState): boolean {
  const { facts, plan, order } = resource;
  if (plan !== undefined || order !== undefined) return false;
  if (resource.kind === 'cluster' && (resource.paused !== undefined || resource.facts?.provisioned === true)) {
    return false;
  }
  return facts?.active !== true;
}

/** N11: when the next action for want of credits of an account is due; what waits or is held counts as due. */
export function actionDueAt(state: AccountState): Instant | undefined {
  let next: Instant | undefined;
  for (const { plan } of state.clusters.values()) next = earlier(next, plan?.steps[0].at);
  for (const { plan } of state.volumes.values()) next = earlier(next, plan?.steps[0].at);
  return next;
}

/** N9: the alerts that something coming rests on. */
export function noticeIds(state: AccountState): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { plan } of state.clusters.values()) if (plan !== undefined) ids.add(plan.noticeId);
  for (const { plan } of state.volumes.values()) if (plan !== undefined) ids.add(plan.noticeId);
  for (const { notice } of state.reservations.values()) if (notice !== undefined) ids.add(notice.id);
  return ids;
}

function earlier(left: Instant | undefined, right: Instant | undefined): Instant | undefined {
  if (left === undefined) return right;
  return right === undefined ? left : Math.min(left, right);
}
