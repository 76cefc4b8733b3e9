import { assertNever } from '../../shared/assert-never.ts';
import type { Instant } from '../../shared/time.ts';
import { type Account, type Activity, type Effects, NEVER, type Reservation, type Timed } from './account.ts';
import { refreshNode, refreshUncovered, refreshVolume } from './activity.ts';
import { publishUpdate } from './balance-updates.ts';
import { refreshBurnRate } from './burn-rate.ts';
import { expireGrant } from './credits.ts';
import { finaliseMonth } from './invoices.ts';
import { refreshLevel } from './level.ts';
import { finalAt } from './months.ts';
import type { PriceBook } from './price-book.ts';
import { refreshCapacity, reservationMoved } from './provisioning.ts';
import { prune } from './prune.ts';
import { clusterOf } from './resources.ts';

/**
 * C6: carries out, in one step, what falls on one instant of an account: expiries first, then starts and ends of
 * reservations, what goes idle, uncovered GPUs that lapse, and (F3) a month that becomes final. Timers are lower bounds: if
 * nothing was really due nothing is worked out, so that the output does not depend on when one looked.
 */
export function passInstant(account: Account, book: PriceBook, instant: Instant, effects: Effects): void {
  let passed = false;
  for (let due = account.timers.take(instant); due !== undefined; due = account.timers.take(instant)) {
    if (passOne(account, due.subject, due.at, instant, effects)) passed = true;
  }
  if (passed) completeStep(account, book, 'instant', instant, effects);
}

/** C6, N2, B2: works out burn rate and level anew, and publishes what changed. Ends every step of an account. */
export function completeStep(
  account: Account,
  book: PriceBook,
  origin: 'event' | 'instant',
  clock: Instant,
  effects: Effects,
): void {
  refreshBurnRate(account, book, clock);
  refreshLevel(account);
  publishUpdate(account, book, origin, clock, effects);
}

/** True if the subject was really due, so that the account is worked out anew. */
function passOne(account: Account, subject: Timed, at: Instant, instant: Instant, effects: Effects): boolean {
  switch (subject.kind) {
    case 'grant':
      if (subject.leftNanos === 0n) return false;
      expireGrant(account, subject, instant, effects);
      return true;
    case 'reservation':
      return passReservation(account, subject, instant);
    case 'node':
      if (!disarm(subject, at)) return false;
      if (!refreshNode(account, subject, instant)) return false;
      refreshUncovered(account, subject.use, instant);
      return true;
    case 'volume':
      return disarm(subject, at) && refreshVolume(account, subject, instant);
    case 'gpu_type':
      return disarm(subject, at) && refreshUncovered(account, subject, instant);
    case 'month':
      if (account.months.get(subject.month) !== subject || instant < finalAt(subject.month)) return false;
      finaliseMonth(account, subject, effects);
      prune(account, instant);
      return false;
    default:
      return assertNever(subject);
  }
}

/**
 * A start or an end of a reservation that holds, or the end of one that was never charged. One that was cancelled to an end
 * before its start has no start: after a restart nobody would look at it then (L10).
 */
function passReservation(account: Account, reservation: Reservation, instant: Instant): boolean {
  const cluster = clusterOf(account, reservation.clusterId, instant);
  if (!reservation.ended && reservation.endsAt <= instant) {
    reservation.ended = true;
    reservationMoved(account, reservation, cluster, instant);
    return true;
  }
  const begins = reservation.startsAt === instant && reservation.endsAt > instant;
  if (!reservation.charged || !begins) return false;
  refreshCapacity(account, reservation, cluster, instant);
  return true;
}

/** False for a timer that another one has replaced. */
function disarm(armed: Pick<Activity, 'timerAt'>, at: Instant): boolean {
  if (armed.timerAt !== at) return false;
  armed.timerAt = NEVER;
  return true;
}
