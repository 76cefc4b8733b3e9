import type { ClusterFacts } from '../../shared/contracts/balance-update.ts';
import type { CommandDetail } from '../../shared/contracts/command.ts';
import type { Nanos } from '../../shared/money.ts';
import { HOUR_MS, type Instant } from '../../shared/time.ts';
import { holdsAt } from './reserved.ts';
import type { ReservationState } from './state.ts';

/** N6: a successor that begins this long after the end, exactly included, keeps the cluster. */
const SUCCESSOR_WITHIN_MS = 72 * HOUR_MS;

/**
 * N6: whether the end of a reservation is one that decommissions its cluster, at `at`: it had started and was charged, no
 * cancellation without `decommission: true` set its end, and no charged reservation of the cluster holds then or begins
 * within 72 h.
 * @param others all reservations of the cluster; it may be among them
 */
export function endDecommissions(
  reservation: ReservationState,
  others: readonly ReservationState[],
  at: Instant,
): boolean {
  const { charged, startsAt, endsAt, endSetBy } = reservation.facts;
  if (!charged || startsAt >= endsAt) return false;
  if (endSetBy === 'cancellation') return false;
  return !others.some((other) => other !== reservation && (holdsAt(other, at) || beginsWithin(other, at)));
}

/** N6: the cluster was provisioned or used, and was not decommissioned. */
export function clusterExists(facts: ClusterFacts | undefined): boolean {
  return facts?.provisioned === true;
}

/** N6: what the alerts before the end of a reservation say will follow it: whichever of those that end with it leads to it. */
export function followUp(
  reservation: ReservationState,
  others: readonly ReservationState[],
  facts: ClusterFacts | undefined,
  priceNanos: Nanos | undefined,
): CommandDetail & { readonly follows: 'decommission' | 'burst' | 'nothing' } {
  const { endsAt, gpuType } = reservation.facts;
  const together = [reservation, ...others.filter((other) => other.facts.endsAt === endsAt)];
  if (together.some((one) => endDecommissions(one, others, endsAt))) return { endsAt, follows: 'decommission' };
  const inUse = facts?.gpuTypes.find((use) => use.gpuType === gpuType)?.inUse ?? 0;
  const staysReserved = others
    .filter((other) => other.facts.gpuType === gpuType && holdsAt(other, endsAt))
    .reduce((sum, other) => sum + other.facts.gpus, 0);
  const burstGpus = inUse - staysReserved;
  if (burstGpus <= 0) return { endsAt, follows: 'nothing' };
  const cost = priceNanos === undefined ? {} : { burstCostNanos: BigInt(burstGpus) * priceNanos };
  return { endsAt, follows: 'burst', burstGpus, ...cost };
}

function beginsWithin(other: ReservationState, at: Instant): boolean {
  const { charged, startsAt, endsAt } = other.facts;
  return charged && startsAt > at && startsAt <= at + SUCCESSOR_WITHIN_MS && endsAt > startsAt;
}
