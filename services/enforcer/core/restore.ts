import type { Nanos } from '../../shared/money.ts';
import { HOUR_MS } from '../../shared/time.ts';
import type { ClusterState } from './state.ts';

/** N5: the clusters that wait for their resumption. */
export function pausedClusters(clusters: Iterable<ClusterState>): readonly ClusterState[] {
  return [...clusters].filter((cluster) => cluster.paused !== undefined);
}

/** N5: the sum of what paused clusters burned when they were paused, in nanos an hour. */
export function burnedByPaused(clusters: readonly ClusterState[]): Nanos {
  return clusters.reduce<Nanos>((sum, cluster) => sum + (cluster.paused?.burnedNanos ?? 0n), 0n);
}

/** N5: whether the balance covers `resume_runway` of it. Multiplied across, exact to the nano; L4: never without credit. */
export function coversResumption(balanceNanos: Nanos, burnedNanos: Nanos, resumeRunwayMs: number): boolean {
  return balanceNanos > 0n && balanceNanos * BigInt(HOUR_MS) >= burnedNanos * BigInt(resumeRunwayMs);
}

/** N5: the least balance that covers it, in nanos. */
export function resumesAt(burnedNanos: Nanos, resumeRunwayMs: number): Nanos {
  const hourMs = BigInt(HOUR_MS);
  const leastNanos = (burnedNanos * BigInt(resumeRunwayMs) + hourMs - 1n) / hourMs;
  return leastNanos > 0n ? leastNanos : 1n;
}
