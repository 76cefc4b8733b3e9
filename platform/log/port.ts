/** How a topic's records get their time: stamped when they are appended, or as the sender gave it (imports). */
export const LOG_TIMES = ['append', 'event'] as const;
export type LogTime = (typeof LOG_TIMES)[number];

/** One topic of a log. Topics, and how many partitions each has, are fixed when the log is opened. */
export interface TopicSpec {
  readonly name: string;
  /** At least 1; partitions are numbered from 0. */
  readonly partitions: number;
  readonly time: LogTime;
}

/**
 * What is appended. `key` and a `value` given as a string travel as UTF-8 (a lone surrogate becomes U+FFFD). `time` is
 * integer ms: required in a topic of event time, ignored in one of append time.
 */
export interface AppendRecord {
  readonly key: string;
  readonly value: string | Uint8Array;
  readonly time?: number;
}

/** The records of one call have the offsets `firstOffset`, `firstOffset + 1`, ...; `times[i]` is the i-th's time in ms. */
export interface Appended {
  readonly firstOffset: number;
  readonly times: readonly number[];
}

/** What is read. `value` may share memory with its neighbours: read it, never write it. */
export interface LogRecord {
  readonly offset: number;
  /** Integer ms. Never falls within a partition of append time; in one of event time it may. */
  readonly time: number;
  readonly key: string;
  readonly value: Buffer;
}

/** Bounds of one read; both at least 1. The first record is given even if it alone is above `bytesMax`. */
export interface ReadLimits {
  readonly recordsMax: number;
  /** Bounds the sum of keys and values, in bytes. */
  readonly bytesMax: number;
}

/**
 * An append-only log of topics and partitions; within a partition offsets run from 0 without gaps. Everything that is
 * wrong is a `LogError`, whose `code` says what. Only what is durable can be read, so no reader ever acts on a record
 * that a crash takes back.
 */
export interface EventLog {
  /** The number of partitions of `topic`. Throws `LogUnknownPartition`. */
  partitions(topic: string): number;

  /**
   * Appends `records`, contiguous and all or nothing, and resolves once they are durable. The time of a topic of append
   * time is the log's clock, never below the partition's greatest time so far. Calls for one partition take effect in
   * the order in which they were made. No record: resolves with the end offset. On Kafka the clock is the broker's, which
   * may go back when another broker takes over, and after a fault that hid the outcome from a broker that has forgotten
   * the producer, an append may stand twice, whole: readers drop by id or sequence.
   *
   * Rejects with `LogBacklogFull` (too much of this topic waits: nothing was written, come again later),
   * `LogRecordInvalid`, `LogRecordTooLarge`, `LogBatchTooLarge` (never fits: nothing was written), `LogWriteFailed`
   * (whether it was written is unknown), `LogUnknownPartition`, `LogClosed`.
   */
  append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended>;

  /**
   * The records from `fromOffset` on, contiguous, as many as `limits` allow: at least one if there is one, none at the
   * end of the log. Rejects with `LogOffsetTrimmed` below the start, `LogOffsetBeyondEnd` above the end, `LogGap` if an
   * offset in between is missing, `LogCorrupt` if bytes are not those that were written.
   */
  read(topic: string, partition: number, fromOffset: number, limits: ReadLimits): Promise<readonly LogRecord[]>;

  /**
   * Resolves true once there is a record at `offset` (the end offset is above it), at once if there is one already, and
   * false when `signal` is aborted before. Never polls. Rejects with `LogClosed` when the log closes, and with
   * `LogTooManyWaiters`.
   */
  waitFor(topic: string, partition: number, offset: number, signal?: AbortSignal): Promise<boolean>;

  /** The offset of the oldest record kept; the end offset if there is none. */
  startOffset(topic: string, partition: number): Promise<number>;

  /** The offset that the next record will get: one above the last durable one. */
  endOffset(topic: string, partition: number): Promise<number>;

  /**
   * Retention: lets records below `offset` go. The start moves to `offset` at once; bytes may be freed later. Does
   * nothing if the start is there or beyond. Rejects with `LogOffsetBeyondEnd` above the end.
   */
  trimBefore(topic: string, partition: number, offset: number): Promise<void>;

  /** Finishes the appends that are under way, ends every wait with `LogClosed`, then refuses all calls. Repeatable. */
  close(): Promise<void>;
}

/** What a reader in another process can do, beside a running instance; it sees the topics that are stored. */
export type LogReader = Pick<EventLog, 'partitions' | 'read' | 'startOffset' | 'endOffset' | 'close'>;

/** Each code with what it means and what to do about it. */
export const LOG_ERRORS = {
  LogBacklogFull: 'too many appends wait for the disk; nothing was written, send it again later',
  LogBatchTooLarge: 'one append exceeds what the log takes at once; split it',
  LogClosed: 'the log was closed; open it again',
  LogCorrupt: 'stored bytes are not the ones that were written; restore the data directory from a copy',
  LogGap: 'an offset between the start and the end of the partition is missing; restore the data directory from a copy',
  LogNotAllowed:
    'the brokers refuse this client: its user, password, mechanism or rights (ACLs) are not enough; nothing is lost',
  LogNotTrusted:
    'no TLS with the broker: see its certificate, the authorities that are trusted, and the port; nothing is lost',
  LogOffsetBeyondEnd: 'the offset is above the end of the partition; the log is shorter than what was read from it',
  LogOffsetTrimmed: 'the offset is below the start of the partition; retention has removed it',
  LogRecordInvalid: 'a record has no valid time, key or value; correct the sender',
  LogRecordTooLarge: 'one record exceeds the largest size that the log takes; make it smaller',
  LogTooManyWaiters: 'too many calls wait for new records; answer some of them first',
  LogTopicInvalid: 'a topic has no valid name or number of partitions; correct what the log is opened with',
  LogTopicChanged:
    'the log holds this topic with another number of partitions or kind of time; both are fixed for ever',
  LogUnavailable:
    'the log cannot be reached; nothing was read, try again later (a broker that only closes connections wants TLS, or a login)',
  LogUnknownPartition: 'no such topic or partition was opened',
  LogWriteFailed: 'a write failed and its outcome is unknown; restart, and continue from what is stored',
} as const;

export type LogErrorCode = keyof typeof LOG_ERRORS;

/** The one error of every log. `name` is its code. */
export class LogError extends Error {
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, detail: string, options?: ErrorOptions) {
    super(`${detail}: ${LOG_ERRORS[code]}`, options);
    this.name = code;
    this.code = code;
  }
}

/** Whether `error` is a `LogError` of this code. */
export function isLogError(error: unknown, code: LogErrorCode): error is LogError {
  return error instanceof LogError && error.code === code;
}
