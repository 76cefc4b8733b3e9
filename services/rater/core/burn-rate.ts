import type { Nanos, PriceMicros } from '../../shared/money.ts';
import type { Instant } from '../../shared/time.ts';
import { type Account, type Cluster, type GpuTypeUse, NEVER, touch, type Volume } from './account.ts';
import { clusterChanged, volumeChanged } from './activity.ts';
import { gpuPrices, type PriceBook, priceHoldsUntil, storagePrices, unitPriceAt } from './price-book.ts';

const NANOS_PER_MICRO = 1000n;
const HOURS_PER_MONTH = 730n;

/**
 * C6: brings the account's burn rate to what its uncovered GPUs and active volumes cost now. A price that took effect
 * counts from here; otherwise only what changed since the last update is worked out.
 */
export function refreshBurnRate(account: Account, book: PriceBook, clock: Instant): void {
  const repriced = clock >= account.pricedUntil || account.pricedVersion !== book.version;
  if (repriced) {
    account.pricedVersion = book.version;
    account.pricedUntil = NEVER;
    for (const cluster of account.clusters.values()) refreshCluster(account, cluster, book, clock);
    for (const volume of account.volumes.values()) refreshVolumeRate(account, volume, book, clock);
    return;
  }
  if (account.unpublished.resources.size === 0) return;
  for (const resource of account.unpublished.resources) {
    if (resource.kind === 'cluster') refreshCluster(account, resource, book, clock);
    else refreshVolumeRate(account, resource, book, clock);
  }
}

/** U3: a price in nanos per unit. */
export function nanosOf(price: PriceMicros): Nanos {
  return price * NANOS_PER_MICRO;
}

function refreshCluster(account: Account, cluster: Cluster, book: PriceBook, clock: Instant): void {
  let burnRate = 0n;
  for (const use of cluster.gpuTypes.values()) {
    use.burnRateNanos = use.uncovered === 0 ? 0n : typeRate(account, use, book, clock);
    burnRate += use.burnRateNanos;
  }
  if (burnRate === cluster.burnRateNanos) return;
  addBurnRate(account, burnRate - cluster.burnRateNanos);
  cluster.burnRateNanos = burnRate;
  clusterChanged(account, cluster);
}

function typeRate(account: Account, use: GpuTypeUse, book: PriceBook, clock: Instant): Nanos {
  const sources = gpuPrices(book, account, use.gpuType);
  account.pricedUntil = Math.min(account.pricedUntil, priceHoldsUntil(sources, clock));
  return BigInt(use.uncovered) * nanosOf(unitPriceAt(sources, clock) ?? 0n);
}

function refreshVolumeRate(account: Account, volume: Volume, book: PriceBook, clock: Instant): void {
  const burnRate = volume.active ? volumeRate(account, volume, book, clock) : 0n;
  if (burnRate === volume.burnRateNanos) return;
  addBurnRate(account, burnRate - volume.burnRateNanos);
  volume.burnRateNanos = burnRate;
  touch(account, volume);
  volumeChanged(account, volume);
}

function volumeRate(account: Account, volume: Volume, book: PriceBook, clock: Instant): Nanos {
  const sources = storagePrices(book, account);
  account.pricedUntil = Math.min(account.pricedUntil, priceHoldsUntil(sources, clock));
  return (BigInt(volume.sizeGib) * nanosOf(unitPriceAt(sources, clock) ?? 0n)) / HOURS_PER_MONTH;
}

function addBurnRate(account: Account, difference: Nanos): void {
  account.totals.burnRateNanos += difference;
  account.unpublished.account = true;
  touch(account, account);
}
