import { HOUR_MS, type Instant } from '../../services/shared/time.ts';
import type { Due } from './due.ts';
import { clusterOf, idsOf, isToBegin, uncoveredOf, volumeOf, type World } from './known.ts';
import { burst } from './n4-checked-again.ts';
import { burstOrderOf, orderOf, timesSent } from './orders.ts';
import { tell } from './tell.ts';
import type { Told } from './told.ts';

/** N7: the next hour at which each order that stands is looked at again. */
export function dueOfOrders(world: World): Due[] {
  return ordersThatStand(world).map((order) => {
    const at = nextLook(world, order);
    const run = (): void => {
      world.looks.set(order, (world.looks.get(order) ?? 0) + 1);
      if (goesOn(world, order) && maySendAgain(world, order, at)) sendAgain(world, order, at);
    };
    return { at, kind: order.resource.kind, id: order.resource.id, rank: 3, run };
  });
}

function ordersThatStand(world: World): Told[] {
  const clusters = idsOf(world, 'cluster').flatMap((id) => {
    const order = orderOf(world, 'cluster', id);
    const shrinks = burstOrderOf(world, id);
    const stands = order.kind === 'decommissioned' || (order.kind === 'paused' && order.stands);
    return [...(stands ? [order.told] : []), ...(shrinks === undefined ? [] : [shrinks])];
  });
  const volumes = idsOf(world, 'volume').flatMap((id) => {
    const order = orderOf(world, 'volume', id);
    return order.kind === 'decommissioned' ? [order.told] : [];
  });
  return [...clusters, ...volumes];
}

/** N7: `overdue_after` after it was first sent, as it was then, and every hour from then on. */
function nextLook(world: World, order: Told): Instant {
  return order.issuedAt + order.overdueAfterMs + (world.looks.get(order) ?? 0) * HOUR_MS;
}

function goesOn(world: World, { resource: { kind, id }, scope }: Told): boolean {
  if (scope === 'burst') return uncoveredOf(world, id) > 0;
  return (kind === 'cluster' ? clusterOf(world, id) : volumeOf(world, id))?.active === true;
}

/** N4: no decommission for want of credits while a charged reservation of the cluster is still to begin. */
function maySendAgain(world: World, { command, scope, reason, resource }: Told, at: Instant): boolean {
  const removes = command === 'decommission' && scope === 'cluster' && reason === 'credits_exhausted';
  return !(removes && isToBegin(world, resource.id, at));
}

function sendAgain(world: World, order: Told, at: Instant): void {
  const { resource, command, scope, reason, notice, episode } = order;
  const attempt = timesSent(world, order) + 1;
  if (attempt === 2 || attempt === 3 || attempt % 24 === 0) {
    tell(world, at, {
      command: 'alert',
      alert: 'enforcement_overdue',
      resource,
      reason: 'enforcement_overdue',
      ...(notice === undefined ? {} : { notice }),
      ...(episode === undefined ? {} : { episode }),
      detail: { overdue_command: command, overdue_attempt: attempt - 1 },
    });
  }
  tell(world, at, {
    command,
    resource,
    ...(scope === undefined ? {} : { scope }),
    ...(scope === 'burst' ? burst(world, resource.id) : {}),
    reason,
    ...(notice === undefined ? {} : { notice }),
    ...(episode === undefined ? {} : { episode }),
    attempt,
  });
}
