import type { ClusterCover } from './notices.ts';
import { beginsAfter, holdsAt } from './reserved.ts';
import type { Turn } from './turn.ts';

/** How a cluster stands with its reservations at the turn's instant. */
export function coverOf(turn: Turn, clusterId: string): ClusterCover {
  const reservations = turn.reservationsOf(clusterId);
  return {
    holds: reservations.some((reservation) => holdsAt(reservation, turn.at)),
    begins: reservations.some((reservation) => beginsAfter(reservation, turn.at)),
  };
}
