import { HABITS } from './catalog.ts';
import { DAY_MS, MINUTE_MS, type Window } from './time.ts';
import type { Workload } from './workloads.ts';

/** A volume of an account, in use for `[startAt, endAt)`. */
export interface Volume {
  readonly kind: 'data' | 'scratch';
  readonly volumeId: string;
  readonly account: string;
  readonly startAt: number;
  readonly endAt: number;
  /** True if it is decommissioned at `endAt`; false if only the converted window ends there. */
  readonly ends: boolean;
  /** How many pods of the account had begun at an instant (`startAt <= at`), of those in the window. */
  readonly podsBegunBy: (at: number) => number;
}

const BEFORE_FIRST_POD_MS = 10 * MINUTE_MS;

/**
 * An account's data volume exists from ten minutes before its first pod (not before the window) and stays; a scratch
 * volume comes a day later and is given up a day before the window's end.
 */
export function planVolumes(workloads: readonly Workload[], window: Window): Volume[] {
  const startsByAccount = new Map<string, number[]>();
  for (const { account, startAt } of workloads) {
    const starts = startsByAccount.get(account);
    if (starts === undefined) startsByAccount.set(account, [startAt]);
    else starts.push(startAt);
  }

  const volumes: Volume[] = [];
  for (const [account, starts] of [...startsByAccount].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const startAt = Math.max(window.startAt, (starts[0] ?? window.startAt) - BEFORE_FIRST_POD_MS);
    const podsBegunBy = (at: number): number => countUpTo(starts, at);
    volumes.push({
      kind: 'data',
      volumeId: `${account}.data`,
      account,
      startAt,
      endAt: window.endAt,
      ends: false,
      podsBegunBy,
    });
    const scratch = { startAt: startAt + DAY_MS, endAt: window.endAt - DAY_MS };
    if (HABITS.get(account)?.scratch === true && scratch.startAt < scratch.endAt) {
      volumes.push({ kind: 'scratch', volumeId: `${account}.scratch`, account, ...scratch, ends: true, podsBegunBy });
    }
  }
  return volumes;
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? Number.POSITIVE_INFINITY) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
