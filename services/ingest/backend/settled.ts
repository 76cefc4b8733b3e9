import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '../../../platform/log/port.ts';
import { TOPICS } from '../../shared/topics.ts';
import type { Rated, RatedProgress } from './rated-progress.ts';

const POLL_MS = 20;
/** Far above a group's second; where a rater is further behind the answer is what there is. */
const SETTLE_MS = 5000;

/**
 * Rows come to the warehouse a moment after the fold. Resolves once it has all that a partition of the log holds now, so that who
 * was told 202 finds what was sent; at the latest after 5 s. @returns how far it has come
 */
export async function settled(progress: RatedProgress, log: EventLog, partition: number): Promise<Rated> {
  return reached(progress, partition, await log.endOffset(TOPICS.events, partition), AbortSignal.timeout(SETTLE_MS));
}

/** Resolves once all before `offset` is in the warehouse, or when aborted. @returns how far it has come */
export async function reached(
  progress: RatedProgress,
  partition: number,
  offset: number,
  signal: AbortSignal,
): Promise<Rated> {
  for (;;) {
    const rated = await progress(partition);
    if (rated.nextOffset >= offset || signal.aborted) return rated;
    await delay(POLL_MS);
  }
}
