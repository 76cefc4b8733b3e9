import { episodeOf, holdsOf, type World } from './known.ts';
import type { Told } from './told.ts';

/** What the commands sent for one resource come to. */
export type Order =
  | { readonly kind: 'none' }
  /** `stands`: N7 sends it again; after a restoration it only counts as paused (N5). */
  | { readonly kind: 'paused' | 'revoked'; readonly told: Told; readonly stands: boolean }
  /** `paused`: the pause that came before it, which it counts as once it is taken back (N5). */
  | { readonly kind: 'decommissioned'; readonly told: Told; readonly paused: Told | undefined };

/** L6: the order of scope `cluster` or `volume` that was sent last and not ended since. */
export function orderOf(world: World, kind: 'cluster' | 'volume', id: string): Order {
  let order: Order = { kind: 'none' };
  for (const happening of world.history) {
    if ('update' in happening) {
      if (happening.confirmed.includes(`${kind} ${id}`)) order = { kind: 'none' };
      else if (happening.restores) order = afterRestoration(order);
    } else if (isOf(happening.told, kind, id) && happening.told.scope !== 'burst')
      order = afterCommand(order, happening.told);
  }
  return order;
}

/** N7: the order to shrink that stands for a cluster, as it was first sent. */
export function burstOrderOf(world: World, id: string): Told | undefined {
  let order: Told | undefined;
  for (const happening of world.history) {
    if ('update' in happening) {
      const { confirmed, restores, update } = happening;
      // L3: once no reservation holds there is nothing above one to shrink; such a cluster is paused first.
      const unreserved = !holdsOf(happening, id, update.clock);
      if (confirmed.includes(`cluster ${id}`) || restores || unreserved) order = undefined;
    } else if (isOf(happening.told, 'cluster', id)) {
      const { told } = happening;
      if (told.scope !== 'burst') order = undefined;
      else if (told.attempt === 1) order = told;
    }
  }
  return order;
}

/** N7: how often an order was sent. */
export function timesSent(world: World, order: Told): number {
  return world.history.filter(
    (happening) =>
      'told' in happening &&
      isOf(happening.told, order.resource.kind, order.resource.id) &&
      happening.told.command === order.command &&
      happening.told.scope === order.scope &&
      happening.told.notice === order.notice &&
      happening.told.issuedAt >= order.issuedAt,
  ).length;
}

/** N7: an order of this episode is N7's, not a case for a second notice. */
export function isOfThisEpisode(world: World, told: Told): boolean {
  return told.episode === episodeOf(world);
}

/** N5: a decommission for want of credits is taken back; of a pause only that it happened remains. */
function afterRestoration(order: Order): Order {
  if (order.kind === 'paused') return { ...order, stands: false };
  if (order.kind !== 'decommissioned' || order.told.reason !== 'credits_exhausted') return order;
  return order.paused === undefined ? order : { kind: 'paused', told: order.paused, stands: false };
}

function afterCommand(order: Order, told: Told): Order {
  switch (told.command) {
    case 'pause':
      return { kind: 'paused', told: order.kind === 'paused' ? order.told : told, stands: true };
    case 'revoke':
      return { kind: 'revoked', told, stands: true };
    case 'decommission':
      if (order.kind === 'decommissioned') return order;
      return { kind: 'decommissioned', told, paused: order.kind === 'paused' ? order.told : undefined };
    case 'resume':
    case 'restore':
      return { kind: 'none' };
    default:
      return order;
  }
}

function isOf(told: Told, kind: string, id: string): boolean {
  return told.command !== 'alert' && told.resource.kind === kind && told.resource.id === id;
}
