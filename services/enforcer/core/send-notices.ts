import { grantCause, reservationCause } from './commands.ts';
import { takeNotice } from './notice-times.ts';
import { followUp } from './reservation-end.ts';
import type { GrantState, ReservationState } from './state.ts';
import { issue, type Turn } from './turn.ts';

/** N6: sends the alert before a reservation's end that is due; several at one instant are one. */
export function sendReservationEnding(turn: Turn, reservation: ReservationState): void {
  if (!reservation.notices.times.some((time) => time <= turn.at)) return;
  notifyReservationEnding(turn, reservation);
}

/** N6: alerts of a reservation's end at once, and says what will follow it as things stand. */
export function notifyReservationEnding(turn: Turn, reservation: ReservationState): void {
  const { account, at } = turn;
  const { facts, notice } = reservation;
  reservation.notices = takeNotice(reservation.notices, at);
  const detail = followUp(
    reservation,
    turn.reservationsOf(facts.clusterId),
    account.clusters.get(facts.clusterId)?.facts,
    account.onDemandPriceNanos.get(facts.gpuType),
  );
  const sent = issue(turn, {
    cause: reservationCause(facts),
    command: 'alert',
    alert: 'reservation_ending',
    resource: { kind: 'reservation', id: facts.reservationId },
    reason: 'reservation_ending',
    which: `${reservation.notices.sent}`,
    detail,
  });
  const names = detail.follows === 'decommission';
  if (names || notice?.names !== true) reservation.notice = { id: sent.commandId, at, names };
}

/** N10: sends the alert before a grant's expiry that is due. A grant with nothing left is not known any more. */
export function sendExpiring(turn: Turn, grant: GrantState): void {
  if (!grant.notices.times.some((time) => time <= turn.at)) return;
  notifyExpiring(turn, grant);
}

/** N10: alerts of a grant's expiry at once. */
export function notifyExpiring(turn: Turn, grant: GrantState): void {
  const { grantId, expiresAt } = grant.facts;
  grant.notices = takeNotice(grant.notices, turn.at);
  issue(turn, {
    cause: grantCause(grantId),
    command: 'alert',
    alert: 'credits_expiring',
    resource: { kind: 'grant', id: grantId },
    reason: 'credits_expiring',
    which: `${grant.notices.sent}`,
    detail: { expiresAt },
  });
}
