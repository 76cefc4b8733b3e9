import type { Nanos } from '../../shared/money.ts';
import { compareText } from '../../shared/text-order.ts';
import { type Instant, monthOf } from '../../shared/time.ts';
import {
  type Account,
  type Cluster,
  type Effects,
  type QuantityKey,
  type Reservation,
  type Term,
  touch,
} from './account.ts';
import { clusterChanged, refreshUncovered } from './activity.ts';
import { charge } from './credits.ts';
import { addQuantity, costOfAdding, quantityFor } from './quantities.ts';
import { gpuTypeOf, holdReservation, refreshReserved } from './resources.ts';

/** C4: a cluster comes to be: its `on_provision` reservations are charged, each in an entry of its own. */
export function provision(account: Account, cluster: Cluster, clock: Instant, effects: Effects): void {
  cluster.provisioned = true;
  clusterChanged(account, cluster);
  const waiting = [...account.reservations.values()].filter(
    (one) => one.clusterId === cluster.id && !one.charged && clock < one.endsAt,
  );
  for (const reservation of waiting.sort((a, b) => compareText(a.id, b.id))) {
    chargeReservation(account, cluster, reservation, clock, effects);
  }
}

/** C4: charges a reservation for all its terms; from then on it holds, for every rule. */
export function chargeReservation(
  account: Account,
  cluster: Cluster,
  reservation: Reservation,
  clock: Instant,
  effects: Effects,
): void {
  const terms = reservation.unchargedTerms;
  reservation.unchargedTerms = [];
  reservation.charged = true;
  reservation.revision += 1;
  const use = gpuTypeOf(cluster, reservation.gpuType);
  holdReservation(use, reservation);
  touch(account, cluster);
  chargeTerms(account, reservation, terms, clock, effects);
  reservationMoved(account, reservation, use.cluster, clock);
}

/** C4: charges a reservation for some stretches of its time, in one entry. */
export function chargeTerms(
  account: Account,
  reservation: Reservation,
  terms: readonly Term[],
  clock: Instant,
  effects: Effects,
): void {
  const entryId = nextEntryId('reservation', account, reservation);
  let total: Nanos = 0n;
  for (const [index, term] of terms.entries()) {
    const quantity = quantityFor(account, quantityKey(reservation, term, clock), undefined);
    const quantityMs = gpuMs(reservation, term);
    const { amountNanos } = addQuantity(account, quantity, quantityMs);
    total += amountNanos;
    effects.reservationCharge({
      chargeId: `${entryId}/${index}`,
      entryId,
      accountId: account.id,
      reservationId: reservation.id,
      clusterId: reservation.clusterId,
      gpuType: reservation.gpuType,
      quantityMs,
      unitPriceMicros: term.priceMicros,
      amountNanos,
      invoiceMonth: monthOf(clock),
    });
  }
  reservation.chargedNanos += total;
  touch(account, reservation);
  charge(account, 'reservation', total, { entryId, ref: reservation.id }, clock, effects);
}

/** C4, R6: what one more stretch would be charged now, to the nano. */
export function costOfTerm(account: Account, reservation: Reservation, term: Term, clock: Instant): Nanos {
  return costOfAdding(account, quantityKey(reservation, term, clock), gpuMs(reservation, term));
}

/** C5: the id of the next ledger entry that a reservation causes. */
export function nextEntryId(kind: 'reservation' | 'refund', account: Account, reservation: Reservation): string {
  reservation.entries += 1;
  touch(account, reservation);
  return `${kind}/${account.id}/${reservation.id}/${reservation.entries}`;
}

/** B2: a reservation's new charge or end is told at the end of the step, and its cluster worked out anew. */
export function reservationMoved(account: Account, reservation: Reservation, cluster: Cluster, clock: Instant): void {
  account.unpublished.account = true;
  touch(account, reservation);
  refreshCapacity(account, reservation, cluster, clock);
}

/** C6: works out what is reserved and uncovered now, for the cluster and gpu_type of a reservation. */
export function refreshCapacity(account: Account, reservation: Reservation, cluster: Cluster, clock: Instant): void {
  const use = gpuTypeOf(cluster, reservation.gpuType);
  refreshReserved(account, use, clock);
  refreshUncovered(account, use, clock);
}

/** F2: the invoice line of a reservation's charge; its list price is what was paid. */
function quantityKey(reservation: Reservation, term: Term, clock: Instant): QuantityKey {
  return {
    resourceKind: 'cluster',
    resourceId: reservation.clusterId,
    sku: reservation.gpuType,
    category: 'reservation',
    reservationId: reservation.id,
    unitPriceMicros: term.priceMicros,
    listPriceMicros: term.priceMicros,
    invoiceMonth: monthOf(clock),
    correction: false,
  };
}

function gpuMs(reservation: Reservation, term: Term): bigint {
  return BigInt(reservation.gpus) * BigInt(term.to - term.from);
}
