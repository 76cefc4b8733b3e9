import type { LogReader, LogRecord } from '../../platform/log/port.ts';
import type { Instant } from '../../services/shared/time.ts';
import type { Topic } from '../../services/shared/topics.ts';
import type { Reading } from './port.ts';

/** Offsets of a partition, `[from, to)`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** A record of the log as the text that the services read. */
export interface TextRecord {
  readonly offset: number;
  readonly time: Instant;
  readonly text: string;
}

const LIMITS = { recordsMax: 5000, bytesMax: 8 << 20 } as const;

/** The records of a topic's partition, in runs. */
export async function* recordsOf(
  log: Pick<LogReader, 'read'>,
  topic: Topic,
  partition: number,
  range: OffsetRange,
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

/** The same as texts. @throws WireError for a record that nothing of ours wrote */
export async function* textsOf(
  { log, wire }: Pick<Reading, 'log' | 'wire'>,
  topic: Topic,
  partition: number,
  range: OffsetRange,
): AsyncGenerator<readonly TextRecord[]> {
  for await (const records of recordsOf(log, topic, partition, range)) {
    await wire.learn(
      topic,
      records.map(({ value }) => value),
    );
    yield records.map(({ offset, time, value }) => ({ offset, time, text: wire.decode(topic, value) }));
  }
}
