import { createHash } from 'node:crypto';
import type { LogReader, LogRecord } from '../../platform/log/port.ts';
import type { Checkpoint } from '../../platform/state/port.ts';
import { TOPICS } from '../shared/topics.ts';
import type { RaterTable } from './rows.ts';

/** How many rows of a table came from the offsets `[from, to)`. */
export interface WrittenRows {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** What a rater's checkpoint says of what stands elsewhere, for the next start to hold against it. */
export interface CheckpointMeta {
  /** Of each table, the last group that had rows for it. */
  readonly rows: Readonly<Partial<Record<RaterTable, WrittenRows>>>;
  /** Stands for the last record before the checkpoint: another one in its place is another log. */
  readonly last: string | undefined;
}

/** Reads the `meta` of a rater's checkpoint. */
export function readCheckpointMeta({ meta }: Checkpoint): CheckpointMeta {
  return { rows: {}, last: undefined, ...JSON.parse(meta) };
}

/** Tells a record from any other that could stand at its offset: 128 bits of SHA-256 over time and bytes. */
export function recordMark({ time, value }: Pick<LogRecord, 'time' | 'value'>): string {
  return createHash('sha256').update(`${time}:`).update(value).digest('base64url').slice(0, 22);
}

/**
 * Whether the last record before a checkpoint is the one that was rated. A log that was lost and has grown again is longer
 * than the checkpoint, and another one. What retention has removed is not looked at. @throws LogError
 */
export async function isSameLog(
  log: Pick<LogReader, 'read' | 'startOffset'>,
  partition: number,
  checkpoint: Checkpoint,
): Promise<boolean> {
  const { last } = readCheckpointMeta(checkpoint);
  const offset = checkpoint.nextOffset - 1;
  if (last === undefined || offset < (await log.startOffset(TOPICS.events, partition))) return true;
  const [record] = await log.read(TOPICS.events, partition, offset, { recordsMax: 1, bytesMax: 1 });
  return record !== undefined && recordMark(record) === last;
}
