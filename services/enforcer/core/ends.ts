import { compareText } from '../../shared/text-order.ts';
import type { ClusterState, ReservationState } from './state.ts';
import type { Turn } from './turn.ts';

/** N6: the reservations of a cluster of which the end has come, and was not carried out yet. */
export function endedReservations(turn: Turn, cluster: ClusterState): readonly ReservationState[] {
  return turn
    .reservationsOf(cluster.id)
    .filter(({ end, facts }) => end === 'held' || (end === 'coming' && facts.endsAt <= turn.at));
}

/** N6: by which of the reservations that ended a cluster is decommissioned at the turn's instant, if by any: the lowest id. */
export function decidingEnd(
  turn: Turn,
  cluster: ClusterState,
  ended: readonly ReservationState[],
): ReservationState | undefined {
  const { rules, at } = turn;
  if (!rules.clusterExists(cluster.facts)) return undefined;
  const others = turn.reservationsOf(cluster.id);
  return [...ended]
    .sort((left, right) => compareText(left.facts.reservationId, right.facts.reservationId))
    .find((one) => one.notice !== undefined && rules.endDecommissions(one, others, at));
}
