import type { Instant } from '../../services/shared/time.ts';
import { latest, now, type World } from './known.ts';
import { accountIn, tell } from './tell.ts';

/** N2: thresholds newly passed give one alert for the shortest, unless that one alerted lately and stayed near. */
export function low(world: World, at: Instant): void {
  const { passedMs, burnRateNanos } = latest(world);
  const passedBefore = now(world).previous?.passedMs ?? [];
  const newly = passedMs.filter((threshold) => !passedBefore.includes(threshold));
  if (newly.length === 0) return;
  const shortest = Math.min(...newly);
  if (alertedLately(world, shortest, at)) return;
  tell(world, at, {
    command: 'alert',
    alert: 'credits_low',
    resource: accountIn(world),
    reason: 'credits_low',
    detail: { threshold_ms: shortest, burn_rate: burnRateNanos },
  });
}

function alertedLately(world: World, thresholdMs: number, at: Instant): boolean {
  const index = world.history.findLastIndex(
    (happening) =>
      'told' in happening &&
      happening.told.alert === 'credits_low' &&
      happening.told.detail?.threshold_ms === thresholdMs,
  );
  const alerted = world.history[index];
  if (alerted === undefined || !('told' in alerted)) return false;
  if (at - alerted.told.issuedAt >= latest(world).policy.realertAfterMs) return false;
  const since = world.history
    .slice(index + 1)
    .flatMap((happening) => ('update' in happening ? [happening.update] : []));
  return !since.some((update) => isAbove(update.balanceNanos, update.burnRateNanos, thresholdMs));
}

/** N2: balance > 1.10 x h x burn rate, in nanos an hour. At a burn rate of 0 there is nothing to be above. */
function isAbove(balanceNanos: bigint, burnRateNanos: bigint, thresholdMs: number): boolean {
  return burnRateNanos > 0n && balanceNanos * 100n * 3_600_000n > 110n * BigInt(thresholdMs) * burnRateNanos;
}
