import { HOUR_MS, type Instant } from '../../services/shared/time.ts';
import { episodeOf, exhausted, holds, idsOf, latest, now, type World } from './known.ts';
import { orderOf } from './orders.ts';
import { accountIn, tell } from './tell.ts';
import type { Told } from './told.ts';

/** N5: restored: what was coming is cancelled, an alert says so, revoked volumes are given back. */
export function restored(world: World, at: Instant): void {
  if (!now(world).restores) return;
  world.plans = [];
  const stay = covered(world, at) ? [] : pausedClusters(world, at);
  tell(world, at, {
    command: 'alert',
    alert: 'credits_restored',
    resource: accountIn(world),
    reason: 'credits_restored',
    episode: episodeOf(world),
    ...(stay.length === 0 ? {} : { detail: { paused: stay.map(({ id }) => id), resumes_at: resumesAt(world, at) } }),
  });
  for (const id of idsOf(world, 'volume')) {
    if (orderOf(world, 'volume', id).kind === 'none') continue;
    const words = { command: 'restore', scope: 'volume', reason: 'credits_restored' } as const;
    tell(world, at, { ...words, resource: { kind: 'volume', id }, episode: episodeOf(world) });
  }
}

/** N5: paused clusters are resumed all together, once the balance covers what they burned for `resume_runway`. */
export function resumeCovered(world: World, at: Instant): void {
  if (exhausted(world) || !covered(world, at)) return;
  for (const { id } of pausedClusters(world, at)) {
    const words = { command: 'resume', scope: 'cluster', reason: 'credits_restored' } as const;
    tell(world, at, { ...words, resource: { kind: 'cluster', id }, episode: episodeOf(world) });
  }
}

/** N5: a cluster ordered to pause or to be decommissioned of which a reservation comes to hold is resumed, whatever the balance. */
export function resumeReserved(world: World, at: Instant): void {
  for (const id of idsOf(world, 'cluster')) {
    if (!holds(world, id, at) || orderOf(world, 'cluster', id).kind === 'none') continue;
    const words = { command: 'resume', scope: 'cluster', reason: 'reserved' } as const;
    tell(world, at, { ...words, resource: { kind: 'cluster', id } });
    world.plans = world.plans.filter((plan) => plan.kind !== 'cluster' || plan.id !== id);
  }
}

function pausedClusters(world: World, at: Instant): { readonly id: string; readonly pause: Told }[] {
  return idsOf(world, 'cluster').flatMap((id) => {
    const order = orderOf(world, 'cluster', id);
    return order.kind === 'paused' && !holds(world, id, at) ? [{ id, pause: order.told }] : [];
  });
}

function burnedNanos(world: World, at: Instant): bigint {
  return pausedClusters(world, at).reduce((sum, { pause }) => sum + (pause.burnedNanos ?? 0n), 0n);
}

function covered(world: World, at: Instant): boolean {
  const { balanceNanos, policy } = latest(world);
  return balanceNanos * BigInt(HOUR_MS) >= BigInt(policy.resumeRunwayMs) * burnedNanos(world, at);
}

/** The least balance that covers it. */
function resumesAt(world: World, at: Instant): bigint {
  const needed = BigInt(latest(world).policy.resumeRunwayMs) * burnedNanos(world, at);
  return (needed + BigInt(HOUR_MS) - 1n) / BigInt(HOUR_MS);
}
