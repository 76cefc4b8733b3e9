import { type AppendRecord, LogError, type LogErrorCode, type TopicSpec } from './port.ts';

/** What a log takes at once, and how much of a topic may wait for the disk. */
export interface LogBounds {
  readonly recordBytesMax: number;
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  readonly backlogRecordsMax: number;
  readonly backlogBytesMax: number;
  readonly waitersMax: number;
}

export const DEFAULT_LOG_BOUNDS: LogBounds = {
  recordBytesMax: 1024 * 1024,
  batchRecordsMax: 100_000,
  batchBytesMax: 32 * 1024 * 1024,
  backlogRecordsMax: 200_000,
  backlogBytesMax: 64 * 1024 * 1024,
  waitersMax: 10_000,
};

const KEY_BYTES_MAX = 32_767;
const PARTITIONS_MAX = 10_000;
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

/** Throws `LogTopicInvalid` for a topic that no log could hold, and for one that is named twice. */
export function checkTopics(topics: readonly TopicSpec[]): void {
  const names = new Set<string>();
  for (const { name, partitions } of topics) {
    if (!TOPIC.test(name)) throw new LogError('LogTopicInvalid', `topic name ${JSON.stringify(name)}`);
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX) {
      throw new LogError('LogTopicInvalid', `topic ${name} with ${partitions} partitions`);
    }
    if (names.has(name)) throw new LogError('LogTopicInvalid', `topic ${name} is named twice`);
    names.add(name);
  }
}

/** What one record weighs: its key and value in bytes. */
export function recordBytes(record: AppendRecord): number {
  const { key, value } = record;
  return Buffer.byteLength(key, 'utf8') + (typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : value.length);
}

/**
 * Checks one append and returns its bytes. Throws `LogRecordInvalid`, `LogRecordTooLarge`, `LogBatchTooLarge`, each
 * naming the topic and the record at fault.
 */
export function checkBatch(topic: TopicSpec, records: readonly AppendRecord[], bounds: LogBounds): number {
  if (records.length > bounds.batchRecordsMax) {
    throw new LogError(
      'LogBatchTooLarge',
      `topic ${topic.name}: ${records.length} records, at most ${bounds.batchRecordsMax}`,
    );
  }
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    if (topic.time === 'event' && !isTime(record.time)) {
      throw fault('LogRecordInvalid', topic, index, `time ${record.time} is no integer ms from 0`);
    }
    const size = recordBytes(record);
    if (record.key.length > KEY_BYTES_MAX || Buffer.byteLength(record.key, 'utf8') > KEY_BYTES_MAX) {
      throw fault('LogRecordInvalid', topic, index, `a key above ${KEY_BYTES_MAX} bytes`);
    }
    if (size > bounds.recordBytesMax) {
      throw fault('LogRecordTooLarge', topic, index, `${size} bytes, at most ${bounds.recordBytesMax}`);
    }
    bytes += size;
  }
  if (bytes > bounds.batchBytesMax) {
    throw new LogError('LogBatchTooLarge', `topic ${topic.name}: ${bytes} bytes, at most ${bounds.batchBytesMax}`);
  }
  return bytes;
}

/** Throws if an injected clock gives anything but integer ms from 0: such a stamp would stay in the log for ever. */
export function checkedNow(now: () => number): number {
  const at = now();
  if (!isTime(at)) throw new Error(`the log's clock says ${at}, which is no integer ms from 0`);
  return at;
}

function isTime(time: number | undefined): boolean {
  return Number.isSafeInteger(time) && (time ?? -1) >= 0;
}

function fault(code: LogErrorCode, topic: TopicSpec, index: number, what: string): LogError {
  return new LogError(code, `topic ${topic.name}, record ${index} of the batch: ${what}`);
}

/** Counts what of one topic waits for the disk; a flood of one topic never shuts out another. */
export class Backlog {
  readonly #topic: string;
  readonly #bounds: LogBounds;
  #records = 0;
  #bytes = 0;

  constructor(topic: string, bounds: LogBounds) {
    this.#topic = topic;
    this.#bounds = bounds;
  }

  /** Makes room for an append, or throws `LogBacklogFull` and takes nothing. One that alone is larger may go alone. */
  enter(records: number, bytes: number): void {
    const { backlogRecordsMax, backlogBytesMax } = this.#bounds;
    const full = this.#records + records > backlogRecordsMax || this.#bytes + bytes > backlogBytesMax;
    if (full && this.#records > 0) {
      throw new LogError('LogBacklogFull', `topic ${this.#topic}: ${this.#records} records, ${this.#bytes} bytes wait`);
    }
    this.#records += records;
    this.#bytes += bytes;
  }

  leave(records: number, bytes: number): void {
    this.#records -= records;
    this.#bytes -= bytes;
  }
}
