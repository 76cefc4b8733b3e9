import { TOPICS } from '../../services/shared/topics.ts';
import { BadCall } from '../replay.ts';
import type { Reading } from './port.ts';
import { processedIn } from './processed.ts';

/**
 * The partition that `--partition` names. Where there is one, it need not be named.
 * @throws BadCall for one that there is not, and if it is not said which of several
 */
export function chosenPartition(named: number | undefined, partitions: number): number {
  if (named === undefined && partitions > 1) {
    throw new BadCall(`the log has ${partitions} partitions: name one with --partition, 0 to ${partitions - 1}`);
  }
  if (named !== undefined && named >= partitions) {
    const there = partitions === 1 ? 'partition 0 only' : `partitions 0 to ${partitions - 1}`;
    throw new BadCall(`--partition ${named}: the log has ${there}`);
  }
  return named ?? 0;
}

/** How many records of a partition's log its accounts' state does not know yet. */
export async function recordsBehind({ log, state }: Reading, partition: number): Promise<number> {
  const { rated } = await processedIn(state, partition);
  return (await log.endOffset(TOPICS.events, partition)) - rated;
}
