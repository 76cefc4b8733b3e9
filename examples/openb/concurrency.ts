import type { Workload } from './workloads.ts';

const PERCENTILE = 0.6;

/**
 * The 60th percentile by time of the GPUs in use at once in `[fromAt, toAt)`: the least number that was not exceeded
 * for at least 60 % of the time. 0 for an empty interval.
 */
export function usedGpus(pods: readonly Workload[], fromAt: number, toAt: number): number {
  const changes: [at: number, gpus: number][] = [];
  for (const { startAt, endAt, gpus } of pods) {
    const from = Math.max(startAt, fromAt);
    const to = Math.min(endAt, toAt);
    if (from < to) changes.push([from, gpus], [to, -gpus]);
  }
  changes.sort(([a], [b]) => a - b);

  const msByLevel = new Map<number, number>();
  let level = 0;
  let since = fromAt;
  for (const [at, gpus] of [...changes, [toAt, 0] as const]) {
    msByLevel.set(level, (msByLevel.get(level) ?? 0) + at - since);
    level += gpus;
    since = at;
  }

  let ms = 0;
  for (const [gpus, levelMs] of [...msByLevel].sort(([a], [b]) => a - b)) {
    ms += levelMs;
    if (ms >= PERCENTILE * (toAt - fromAt)) return gpus;
  }
  return 0;
}
