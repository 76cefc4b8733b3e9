import type { LogReader, LogRecord } from '../../platform/log/port.ts';
import type { Instant } from '../../services/shared/time.ts';

/** An end of a partition's log: the position that everything before is taken to, and the clock there (E2). */
export interface LogEnd {
  readonly partition: number;
  /** Of the first record that does not count. */
  readonly offset: number;
  /** The highest time before it; -1 if there is no record. */
  readonly clock: Instant;
}

const LIMITS = { recordsMax: 5000, bytesMax: 8 << 20 } as const;

/** The records of a topic's partition in `[from, to)`, in runs. */
export async function* recordsOf(
  log: Pick<LogReader, 'read'>,
  topic: string,
  partition: number,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<readonly LogRecord[]> {
  for (let offset = range.from; offset < range.to; ) {
    const left = range.to - offset;
    const records = await log.read(topic, partition, offset, {
      ...LIMITS,
      recordsMax: Math.min(LIMITS.recordsMax, left),
    });
    if (records.length === 0) return;
    yield records;
    offset += records.length;
  }
}

/** E2: the clock at an end of the log. Where the log takes the events' own time they may fall, so all are looked at. */
export async function logEndAt(
  log: Pick<LogReader, 'read'>,
  topic: string,
  partition: number,
  offset: number,
): Promise<LogEnd> {
  let clock = -1;
  for await (const records of recordsOf(log, topic, partition, { from: 0, to: offset })) {
    for (const { time } of records) if (time > clock) clock = time;
  }
  return { partition, offset, clock };
}
