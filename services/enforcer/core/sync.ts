import type { GrantFacts, ReservationFacts } from '../../shared/contracts/balance-update.ts';
import type { Policy } from '../../shared/contracts/policy.ts';
import type { NoticePlan } from './notice-times.ts';
import type { GrantState, Notices, ReservationState } from './state.ts';
import type { Turn } from './turn.ts';

const NO_NOTICES: Notices = { times: [], sent: 0 };
const NOTHING: NoticePlan = { notices: NO_NOTICES, now: false };

/**
 * N6: takes over the reservations of an update, and plans the alerts of every end that is new, that was charged anew, or
 * whose notice times are new. One that has left the update stays until its end is carried out.
 * @returns those of which an alert is to be sent at once, by id
 */
export function syncReservations(
  turn: Turn,
  listed: readonly ReservationFacts[],
  policyBefore: Policy,
): readonly ReservationState[] {
  const { account, rules, at } = turn;
  const beforeMs = account.policy.reservationEndNoticesMs;
  const newTimes = !sameTimes(beforeMs, policyBefore.reservationEndNoticesMs);
  const endings: ReservationState[] = [];
  for (const known of account.reservations.values()) known.listed = false;
  for (const facts of listed) {
    const known = account.reservations.get(facts.reservationId);
    const anew = known === undefined || known.facts.revision !== facts.revision;
    const reservation: ReservationState = anew
      ? { facts, notices: NO_NOTICES, notice: undefined, end: 'coming', listed: true }
      : known;
    reservation.facts = facts;
    reservation.listed = true;
    if (anew) account.reservations.set(facts.reservationId, reservation);
    if (reservation.end !== 'coming' || !(anew || newTimes)) continue;
    const plan = !rules.willHold(reservation, at)
      ? NOTHING
      : anew
        ? rules.planNotices(facts.endsAt, beforeMs, at)
        : rules.replanNotices(reservation.notices, facts.endsAt, beforeMs, at);
    reservation.notices = plan.notices;
    if (plan.now) endings.push(reservation);
  }
  for (const [id, known] of account.reservations) {
    if (!known.listed && known.end === 'done') account.reservations.delete(id);
  }
  turn.reindex();
  return endings;
}

/**
 * N10: takes over the grants that expire, and plans the alerts of those that are new or whose notice times are new. One
 * with nothing left has left the update, and is forgotten.
 * @returns those of which an alert is to be sent at once
 */
export function syncGrants(turn: Turn, listed: readonly GrantFacts[], policyBefore: Policy): readonly GrantState[] {
  const { account, rules, at } = turn;
  const beforeMs = account.policy.creditExpiryNoticesMs;
  const newTimes = !sameTimes(beforeMs, policyBefore.creditExpiryNoticesMs);
  const expiring: GrantState[] = [];
  const left = new Set<string>();
  for (const { grantId, expiresAt } of listed) {
    if (expiresAt === undefined) continue;
    left.add(grantId);
    const known = account.grants.get(grantId);
    if (known !== undefined && !newTimes) continue;
    const plan =
      known === undefined
        ? rules.planNotices(expiresAt, beforeMs, at)
        : rules.replanNotices(known.notices, expiresAt, beforeMs, at);
    const grant: GrantState = { facts: { grantId, expiresAt }, notices: plan.notices };
    account.grants.set(grantId, grant);
    if (plan.now) expiring.push(grant);
  }
  for (const grantId of account.grants.keys()) if (!left.has(grantId)) account.grants.delete(grantId);
  return expiring;
}

function sameTimes(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((ms, index) => ms === right[index]);
}
