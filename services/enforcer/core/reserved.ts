import type { ClusterFacts } from '../../shared/contracts/balance-update.ts';
import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import type { ReservationState } from './state.ts';

/** R4: a reservation holds in `[starts_at, ends_at)`, an `on_provision` one only once it was charged. */
export function holdsAt(reservation: ReservationState, at: Instant): boolean {
  const { charged, startsAt, endsAt } = reservation.facts;
  return charged && startsAt <= at && at < endsAt;
}

/** N4: a charged reservation is still to begin. */
export function beginsAfter(reservation: ReservationState, at: Instant): boolean {
  const { charged, startsAt, endsAt } = reservation.facts;
  return charged && startsAt > at && endsAt > startsAt;
}

/** N6: it holds now or at some time to come. */
export function willHold(reservation: ReservationState, at: Instant): boolean {
  return holdsAt(reservation, at) || beginsAfter(reservation, at);
}

/** C6: GPUs of a cluster beyond its reserved capacity, over all gpu_types. */
export function uncoveredOf(facts: ClusterFacts | undefined): number {
  return facts === undefined ? 0 : facts.gpuTypes.reduce((sum, use) => sum + use.uncovered, 0);
}

/** K: the reserved capacity that must stay, by gpu_type in the order of its name. */
export function keepAt(reservations: readonly ReservationState[], at: Instant): ReadonlyMap<string, number> {
  const keep = new Map<string, number>();
  for (const reservation of reservations) {
    if (!holdsAt(reservation, at)) continue;
    const { gpuType, gpus } = reservation.facts;
    keep.set(gpuType, (keep.get(gpuType) ?? 0) + gpus);
  }
  return new Map([...keep].sort(([left], [right]) => compareText(left, right)));
}
