import type { Command, PlannedAction } from '../../shared/contracts/command.ts';
import type { Instant } from '../../shared/time.ts';
import { resourcesInOrder } from './announce.ts';
import { subjectOf } from './meet.ts';
import { plannedActions } from './notices.ts';
import { clusterExists, endDecommissions } from './reservation-end.ts';
import type { AccountState, ReservationState } from './state.ts';

/**
 * K: what stands for each resource, by kind and id: the pause, revoke or decommission sent last. Of a cluster of which the
 * decommission was taken back (N5) it is the pause again. A resource that is not named runs freely.
 */
export function standingOrders(account: AccountState): readonly Command[] {
  const orders: Command[] = [];
  for (const resource of resourcesInOrder(account)) {
    const sent = resource.order?.sent ?? (resource.kind === 'cluster' ? resource.paused?.sent : undefined);
    if (sent !== undefined) orders.push(sent);
  }
  return orders;
}

/** What is coming to an account's resources as things stand at `at`, with its times: N3's actions and the ends of N6. */
export function comingActions(account: AccountState, at: Instant): readonly PlannedAction[] {
  const actions: PlannedAction[] = [];
  for (const resource of resourcesInOrder(account)) {
    if (resource.plan !== undefined) actions.push(...plannedActions(subjectOf(resource), resource.plan.steps));
  }
  const reservations = [...account.reservations.values()];
  for (const reservation of reservations) {
    const end = comingEnd(account, reservation, reservations, at);
    if (end !== undefined) actions.push(end);
  }
  return actions.sort((left, right) => left.at - right.at);
}

function comingEnd(
  account: AccountState,
  reservation: ReservationState,
  reservations: readonly ReservationState[],
  at: Instant,
): PlannedAction | undefined {
  const { clusterId, endsAt } = reservation.facts;
  if (reservation.end === 'done' || !clusterExists(account.clusters.get(clusterId)?.facts)) return undefined;
  const others = reservations.filter((other) => other.facts.clusterId === clusterId);
  const endedAt = Math.max(at, endsAt);
  if (!endDecommissions(reservation, others, endedAt)) return undefined;
  const twin = others.some(
    (other) =>
      other.facts.endsAt === endsAt &&
      other.facts.reservationId < reservation.facts.reservationId &&
      endDecommissions(other, others, endedAt),
  );
  if (twin) return undefined;
  return {
    resource: { kind: 'cluster', id: clusterId },
    command: 'decommission',
    scope: 'cluster',
    gpus: undefined,
    at: endsAt,
  };
}
