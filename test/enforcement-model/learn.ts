import type { BalanceUpdate, ResourceFacts } from '../../services/shared/contracts/balance-update.ts';
import type { Instant } from '../../services/shared/time.ts';
import type { Learnt, World } from './known.ts';

/** Adds an update to what has happened. */
export function learn(world: World, update: BalanceUpdate): Learnt {
  const { last } = world;
  const previous = last?.update;
  const facts = new Map(last?.facts);
  const confirmed: string[] = [];
  for (const resource of update.resources) {
    const key = `${resource.kind} ${resource.id}`;
    if (isConfirmed(resource, facts.get(key), update.clock)) confirmed.push(key);
    facts.set(key, resource);
  }
  const reservations = new Map(last?.reservations);
  const since = new Map(last?.since);
  for (const reservation of update.reservations) {
    const { reservationId, revision } = reservation;
    if (reservations.get(reservationId)?.revision !== revision) since.set(`reservation ${reservationId}`, update.clock);
    reservations.set(reservationId, reservation);
  }
  for (const { grantId } of update.grants) {
    if (!since.has(`grant ${grantId}`)) since.set(`grant ${grantId}`, update.clock);
  }
  if (String(previous?.policy.reservationEndNoticesMs) !== String(update.policy.reservationEndNoticesMs)) {
    since.set('reservation_end_notices', update.clock);
  }
  if (String(previous?.policy.creditExpiryNoticesMs) !== String(update.policy.creditExpiryNoticesMs)) {
    since.set('credit_expiry_notices', update.clock);
  }
  const begins = update.level === 'exhausted' && previous?.level !== 'exhausted';
  const restores = update.level !== 'exhausted' && previous?.level === 'exhausted';
  const episode = (last?.episode ?? 0) + (begins ? 1 : 0);
  const learnt: Learnt = { update, previous, episode, restores, facts, confirmed, reservations, since };
  world.history.push(learnt);
  world.last = learnt;
  return learnt;
}

/**
 * C6, N7: the control plane says that it is gone; it may do so twice at one instant, with usage in between. What was not used
 * for long has no such instant any more: that confirms nothing.
 */
function isConfirmed(resource: ResourceFacts, before: ResourceFacts | undefined, clock: Instant): boolean {
  const { decommissionedAt, active } = resource;
  if (decommissionedAt === undefined) return false;
  if (decommissionedAt !== before?.decommissionedAt) return true;
  const provisioned = resource.kind === 'cluster' && resource.provisioned;
  return decommissionedAt === clock && !active && !provisioned;
}
