import { HOUR_MS, type Instant } from '../../shared/time.ts';
import type { ClusterCover } from './notices.ts';
import { uncoveredOf } from './reserved.ts';
import type { Order, ResourceState } from './state.ts';

/** N7: the attempts before which operators are alerted: 2, 3, and then once a day. */
const ALERT_EVERY_ATTEMPTS = 24;

/** N7: whether the resource goes on in spite of its order. A revoked volume still holds data: a revoke is not sent again. */
export function goesOn(resource: ResourceState): boolean {
  const sent = resource.order?.sent;
  if (sent === undefined || sent.command === 'revoke') return false;
  if (resource.kind === 'cluster' && sent.scope === 'burst') return uncoveredOf(resource.facts) > 0;
  return resource.facts?.active === true;
}

/**
 * N4, N7: whether what goes on may be sent the order again: not a decommission for want of credits while a charged
 * reservation of the cluster is still to begin.
 */
export function mayRepeat(order: Order, cover: ClusterCover): boolean {
  const { command, scope, reason } = order.sent;
  return !(command === 'decommission' && scope === 'cluster' && reason === 'credits_exhausted' && cover.begins);
}

/** N7: `overdue_after` after the order was first issued, and every hour from then on: the first such instant not yet looked at. */
export function nextLookAt(order: Order): Instant {
  if (order.lookedUntil <= order.overdueAt) return order.overdueAt;
  const hours = Math.ceil((order.lookedUntil - order.overdueAt) / HOUR_MS);
  return order.overdueAt + hours * HOUR_MS;
}

/** N7: attempts 2, 3, 24, 48, ... come after an alert. */
export function alertsOverdue(attempt: number): boolean {
  return attempt === 2 || attempt === 3 || attempt % ALERT_EVERY_ATTEMPTS === 0;
}
