import type { LogReader } from '../../platform/log/port.ts';
import type { Instant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { recordsOf } from '../access/records.ts';

/** An end of a partition's log: the position that everything before is taken to, and the clock there (E2). */
export interface LogEnd {
  readonly partition: number;
  /** Of the first record that does not count. */
  readonly offset: number;
  /** The highest time before it; -1 if there is no record. */
  readonly clock: Instant;
}

/** E2: the clock at an end of the log of events. Where the log takes the events' own time they may fall, so all are looked at. */
export async function logEndAt(log: Pick<LogReader, 'read'>, partition: number, offset: number): Promise<LogEnd> {
  let clock = -1;
  for await (const records of recordsOf(log, TOPICS.events, partition, { from: 0, to: offset })) {
    for (const { time } of records) if (time > clock) clock = time;
  }
  return { partition, offset, clock };
}
