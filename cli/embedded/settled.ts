import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog } from '../../platform/log/port.ts';
import type { Rater } from '../../services/rater/rater.ts';
import { TOPICS } from '../../services/shared/topics.ts';

const PARTITION = 0;
const POLL_MS = 20;
/** Far above a group's second; a rater that is further behind answers with what there is. */
const SETTLE_MS = 5000;

/**
 * Rows come to the warehouse a moment after the fold. Resolves once it has all that the log holds now, so that who was told 202
 * finds what was sent; at the latest after 5 s.
 */
export async function settled(rater: Pick<Rater, 'progress'>, log: EventLog): Promise<void> {
  const end = await log.endOffset(TOPICS.events, PARTITION);
  for (let waitedMs = 0; rater.progress.committed < end && waitedMs < SETTLE_MS; waitedMs += POLL_MS) {
    await delay(POLL_MS);
  }
}
