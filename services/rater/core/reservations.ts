import type { ReservationCancelled, ReservationExtended, ReservationPurchased } from '../../shared/contracts/event.ts';
import { formatAmount } from '../../shared/money.ts';
import { DAY_MS, formatInstant, type Instant } from '../../shared/time.ts';
import { type Account, type Effects, NEVER, type Reservation, type Term, touch } from './account.ts';
import { credit } from './credits.ts';
import { APPLIED, type Outcome, rejected } from './outcome.ts';
import { chargeReservation, chargeTerms, costOfTerm, nextEntryId, reservationMoved } from './provisioning.ts';
import { clusterOf, gpuTypeOf, holdReservation } from './resources.ts';
import { putTimer } from './timers.ts';
import { UsedCapacity } from './used-capacity.ts';

/** E6: a reservation may start this long before the clock, and end this long after it. */
const STARTED_MAX_MS = DAY_MS;
const AHEAD_MAX_MS = 1100 * DAY_MS;

/** E6, C4: `reservation.purchased`: charged now (`upfront`, or its cluster is provisioned), or when that happens. */
export function purchaseReservation(
  account: Account,
  body: ReservationPurchased,
  clock: Instant,
  effects: Effects,
): Outcome {
  if (body.startsAt < clock - STARTED_MAX_MS) {
    return rejected('not_allowed', `data.starts_at: more than 24 h before the clock ${formatInstant(clock)}`);
  }
  const fault = endFault(body.endsAt, clock);
  if (fault !== undefined) return fault;
  const reservation = newReservation(body);
  const [term] = reservation.unchargedTerms;
  if (body.payment === 'upfront' && term !== undefined) {
    const poor = creditFault(account, reservation, term, clock);
    if (poor !== undefined) return poor;
  }
  const cluster = clusterOf(account, body.clusterId, clock);
  account.reservations.set(reservation.id, reservation);
  account.unpublished.account = true;
  touch(account, reservation);
  armReservation(account, reservation, clock);
  if (body.payment === 'upfront' || cluster.provisioned) {
    chargeReservation(account, cluster, reservation, clock, effects);
  }
  return APPLIED;
}

/** E6, C4: `reservation.extended`: the added time has its own price; what was charged already is charged for it now. */
export function extendReservation(
  account: Account,
  body: ReservationExtended,
  clock: Instant,
  effects: Effects,
): Outcome {
  const reservation = running(account, body.reservationId, clock);
  if (reservation === undefined) return unknownReservation(body.reservationId);
  if (body.endsAt <= reservation.endsAt) {
    return rejected('not_allowed', `data.ends_at: not after the present end ${formatInstant(reservation.endsAt)}`);
  }
  const fault = endFault(body.endsAt, clock);
  if (fault !== undefined) return fault;
  const added: Term = {
    from: Math.max(reservation.endsAt, reservation.startsAt),
    to: body.endsAt,
    priceMicros: body.priceMicros ?? reservation.priceMicros,
  };
  const adds = added.to > added.from;
  if (adds && reservation.charged && reservation.payment === 'upfront') {
    const poor = creditFault(account, reservation, added, clock);
    if (poor !== undefined) return poor;
  }
  if (adds && reservation.charged) chargeTerms(account, reservation, [added], clock, effects);
  else if (adds) reservation.unchargedTerms = [...reservation.unchargedTerms, added];
  moveEnd(account, reservation, body.endsAt, 'term', clock);
  return APPLIED;
}

/** E6, C4: `reservation.cancelled`: moves the end to the clock or later, and credits the refund. */
export function cancelReservation(
  account: Account,
  body: ReservationCancelled,
  clock: Instant,
  effects: Effects,
): Outcome {
  const reservation = running(account, body.reservationId, clock);
  if (reservation === undefined) return unknownReservation(body.reservationId);
  if (body.endsAt > reservation.endsAt) {
    return rejected(
      'not_allowed',
      `data.ends_at: after the present end ${formatInstant(reservation.endsAt)}; extend instead`,
    );
  }
  if (reservation.refundedNanos + body.refundNanos > reservation.chargedNanos) {
    const left = formatAmount(reservation.chargedNanos - reservation.refundedNanos);
    return rejected('not_allowed', `data.refund: more than the ${left} that is left of what was charged`);
  }
  const end = cancelledEnd(account, reservation, body, clock);
  if (end < reservation.endsAt) {
    reservation.unchargedTerms = truncate(reservation.unchargedTerms, end);
    moveEnd(account, reservation, end, body.decommission ? 'cancellation_decommission' : 'cancellation', clock);
  }
  if (body.refundNanos > 0n) {
    reservation.refundedNanos += body.refundNanos;
    const entryId = nextEntryId('refund', account, reservation);
    const grant = { id: entryId, kind: 'adjustment', amountNanos: body.refundNanos, expiresAt: NEVER } as const;
    credit(account, 'refund', grant, { entryId, ref: reservation.id }, clock, effects);
  }
  return APPLIED;
}

/** C4: with `decommission` there is still the shortest notice before the end, but never beyond what the end was. */
function cancelledEnd(account: Account, reservation: Reservation, body: ReservationCancelled, clock: Instant): Instant {
  const shortestNoticeMs = Math.min(...account.policy.reservationEndNoticesMs);
  const earliest = body.decommission ? clock + shortestNoticeMs : clock;
  return Math.min(Math.max(body.endsAt, earliest), reservation.endsAt);
}

function moveEnd(
  account: Account,
  reservation: Reservation,
  endsAt: Instant,
  setBy: Reservation['endSetBy'],
  clock: Instant,
): void {
  reservation.endsAt = endsAt;
  reservation.endSetBy = setBy;
  reservation.revision += 1;
  armReservation(account, reservation, clock);
  const cluster = clusterOf(account, reservation.clusterId, clock);
  if (reservation.charged) holdReservation(gpuTypeOf(cluster, reservation.gpuType), reservation);
  reservationMoved(account, reservation, cluster, clock);
}

/** C6: the account looks at a reservation at its start and at its end; an earlier end than this one finds nothing to do. */
export function armReservation(account: Account, reservation: Reservation, clock: Instant): void {
  if (reservation.startsAt > clock) putTimer(account, reservation.startsAt, reservation);
  putTimer(account, reservation.endsAt, reservation);
}

/** E6: one that is known and whose end the clock has not reached. */
function running(account: Account, id: string, clock: Instant): Reservation | undefined {
  const reservation = account.reservations.get(id);
  return reservation !== undefined && clock < reservation.endsAt ? reservation : undefined;
}

function unknownReservation(id: string): Outcome {
  return rejected('unknown_reservation', `data.reservation_id: no running reservation ${id}`);
}

function endFault(endsAt: Instant, clock: Instant): Outcome | undefined {
  if (endsAt <= clock) return rejected('not_allowed', `data.ends_at: not after the clock ${formatInstant(clock)}`);
  if (endsAt > clock + AHEAD_MAX_MS) {
    return rejected('not_allowed', `data.ends_at: more than 1100 days after the clock ${formatInstant(clock)}`);
  }
  return undefined;
}

function creditFault(account: Account, reservation: Reservation, term: Term, clock: Instant): Outcome | undefined {
  if (reservation.overdraft) return undefined;
  const cost = costOfTerm(account, reservation, term, clock);
  if (account.balanceNanos >= cost) return undefined;
  const balance = formatAmount(account.balanceNanos);
  return rejected('insufficient_credits', `costs ${formatAmount(cost)}, the balance is ${balance}`);
}

function truncate(terms: readonly Term[], end: Instant): readonly Term[] {
  return terms.filter(({ from }) => from < end).map((term) => (term.to > end ? { ...term, to: end } : term));
}

function newReservation(body: ReservationPurchased): Reservation {
  return {
    kind: 'reservation',
    id: body.reservationId,
    dirty: false,
    clusterId: body.clusterId,
    gpuType: body.gpuType,
    gpus: body.gpus,
    startsAt: body.startsAt,
    endsAt: body.endsAt,
    priceMicros: body.priceMicros,
    payment: body.payment,
    overdraft: body.overdraft,
    charged: false,
    chargedNanos: 0n,
    refundedNanos: 0n,
    unchargedTerms: [{ from: body.startsAt, to: body.endsAt, priceMicros: body.priceMicros }],
    endSetBy: 'term',
    revision: 0,
    entries: 0,
    ended: false,
    used: new UsedCapacity(),
  };
}
