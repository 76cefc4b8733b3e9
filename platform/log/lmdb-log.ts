import type { ByteDatabase, LmdbEnvironment } from '../lmdb/environment.ts';
import { Backlog, checkBatch, checkedNow, checkTopics, DEFAULT_LOG_BOUNDS, type LogBounds } from './bounds.ts';
import { type Block, chunkKey, joinBlocks, layOut, seal } from './chunk.ts';
import {
  type Appended,
  type AppendRecord,
  type EventLog,
  LogError,
  type LogRecord,
  type ReadLimits,
  type TopicSpec,
} from './port.ts';
import { checkOffset } from './ranges.ts';
import {
  checkTail,
  chunksBefore,
  loadPartitions,
  missingPartitions,
  nameOf,
  putPartition,
  readRecords,
  type StoredPartition,
} from './stored-partitions.ts';
import { Waiters } from './waiters.ts';

export interface LmdbLogOptions {
  /** Open for writing; the log does not close it. */
  readonly environment: LmdbEnvironment;
  readonly topics: readonly TopicSpec[];
  /** The log's clock, integer ms. */
  readonly now: () => number;
  readonly bounds?: Partial<LogBounds>;
}

/** The writer's lane: appends and trims write the same entry of a partition. */
const LANE = 'log';
const GROUP_BYTES_MAX = 16 * 1024 * 1024;
const TRIM_CHUNKS_MAX = 1000;

interface PendingAppend {
  readonly partition: Partition;
  readonly count: number;
  /** The records' own, in a topic of event time. */
  readonly times: readonly number[] | undefined;
  readonly blocks: readonly Block[];
  readonly bytes: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: LogError) => void;
}

interface Partition {
  readonly topic: TopicSpec;
  readonly backlog: Backlog;
  readonly waiters: Waiters;
  /** What is durable: readers see this. */
  stored: StoredPartition;
}

/** Opens the log of an environment. Throws `LogTopicInvalid`, `LogTopicChanged`, `LogGap`, `LogCorrupt`. */
export async function openLmdbLog(options: LmdbLogOptions): Promise<EventLog> {
  checkTopics(options.topics);
  const { environment } = options;
  const release = environment.use('log');
  try {
    const chunks = environment.database('log.chunks');
    const partitions = environment.database('log.partitions');
    const stored = loadPartitions(partitions);
    const missing = missingPartitions(stored, options.topics);
    if (missing.length > 0) {
      const stage = () => ({
        write: () => {
          for (const partition of missing) putPartition(partitions, partition);
        },
      });
      await environment.writer.submit({ lane: LANE, bytes: 0, stage });
    }
    const all = [...stored, ...missing];
    for (const partition of all) checkTail(chunks, partition);
    return new LmdbLog(options, all, { chunks, partitions, release });
  } catch (error) {
    release();
    throw error;
  }
}

class LmdbLog implements EventLog {
  readonly #environment: LmdbEnvironment;
  readonly #bounds: LogBounds;
  readonly #now: () => number;
  readonly #topics: ReadonlyMap<string, readonly Partition[]>;
  readonly #chunks: ByteDatabase;
  readonly #partitions: ByteDatabase;
  readonly #release: () => void;
  #pending: PendingAppend[] = [];
  #flushing: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    options: LmdbLogOptions,
    stored: readonly StoredPartition[],
    own: { chunks: ByteDatabase; partitions: ByteDatabase; release: () => void },
  ) {
    this.#environment = options.environment;
    this.#bounds = { ...DEFAULT_LOG_BOUNDS, ...options.bounds };
    this.#now = options.now;
    this.#chunks = own.chunks;
    this.#partitions = own.partitions;
    this.#release = own.release;
    this.#topics = new Map(options.topics.map((topic) => [topic.name, openTopic(topic, stored, this.#bounds)]));
  }

  partitions(topic: string): number {
    return this.#topic(topic).length;
  }

  append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended> {
    try {
      const target = this.#open(topic, partition);
      const bytes = checkBatch(target.topic, records, this.#bounds);
      target.backlog.enter(records.length, bytes);
      const ownTimes = target.topic.time === 'event';
      const blocks = layOut(records, ownTimes);
      const times = ownTimes ? records.map((record) => record.time ?? 0) : undefined;
      return new Promise((resolve, reject) => {
        this.#pending.push({ partition: target, count: records.length, times, blocks, bytes, resolve, reject });
        this.#flushing ??= this.#flush();
      });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async read(topic: string, partition: number, fromOffset: number, limits: ReadLimits): Promise<readonly LogRecord[]> {
    return readRecords(this.#chunks, this.#open(topic, partition).stored, fromOffset, limits);
  }

  async waitFor(topic: string, partition: number, offset: number, signal?: AbortSignal): Promise<boolean> {
    const { stored, waiters } = this.#open(topic, partition);
    return stored.endOffset > offset || waiters.wait(offset, signal);
  }

  async startOffset(topic: string, partition: number): Promise<number> {
    return this.#open(topic, partition).stored.startOffset;
  }

  async endOffset(topic: string, partition: number): Promise<number> {
    return this.#open(topic, partition).stored.endOffset;
  }

  async trimBefore(topic: string, partition: number, offset: number): Promise<void> {
    const target = this.#open(topic, partition);
    if (offset > target.stored.startOffset) {
      checkOffset(nameOf(target.stored), offset, target.stored.startOffset, target.stored.endOffset);
      target.stored = { ...target.stored, startOffset: offset };
    }
    let removed = TRIM_CHUNKS_MAX;
    while (removed === TRIM_CHUNKS_MAX) removed = await this.#removeChunks(target);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    for (const { waiters } of [...this.#topics.values()].flat()) waiters.close();
    this.#release();
  }

  #topic(name: string): readonly Partition[] {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new LogError('LogUnknownPartition', `topic ${JSON.stringify(name)}`);
    return topic;
  }

  #open(topic: string, partition: number): Partition {
    if (this.#closed !== undefined) throw new LogError('LogClosed', `${topic}/${partition}`);
    const found = this.#topic(topic)[partition];
    if (found === undefined) throw new LogError('LogUnknownPartition', `${topic}/${partition}`);
    return found;
  }

  /** One group at a time; what comes meanwhile is the next group. */
  async #flush(): Promise<void> {
    await Promise.resolve(); // what is appended in the same turn shares the first group
    while (this.#pending.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#flushing = undefined;
  }

  #takeGroup(): PendingAppend[] {
    let bytes = 0;
    const end = this.#pending.findIndex((append) => {
      const full = bytes >= GROUP_BYTES_MAX;
      bytes += append.bytes;
      return full;
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end);
  }

  async #writeGroup(group: readonly PendingAppend[]): Promise<void> {
    const byPartition = new Map<Partition, PendingAppend[]>();
    for (const append of group) {
      const appends = byPartition.get(append.partition);
      if (appends === undefined) byPartition.set(append.partition, [append]);
      else appends.push(append);
    }
    const stage = () => {
      const now = checkedNow(this.#now);
      const staged = [...byPartition].map(([partition, appends]) => {
        const stamp = Math.max(now, partition.stored.highTime);
        return { partition, appends, ...placeAppends(partition, appends, stamp) };
      });
      return {
        write: () => {
          for (const { chunks, end } of staged) {
            for (const { key, value } of chunks) void this.#chunks.put(key, value);
            putPartition(this.#partitions, end);
          }
        },
        committed: () => {
          for (const { partition, appends, end, appended } of staged) {
            partition.stored = { ...end, startOffset: partition.stored.startOffset };
            for (const [index, append] of appends.entries()) {
              const answer = appended[index];
              if (answer !== undefined) append.resolve(answer);
            }
          }
        },
      };
    };
    try {
      const bytes = group.reduce((sum, append) => sum + append.bytes, 0);
      await this.#environment.writer.submit({ lane: LANE, bytes, stage });
    } catch (cause) {
      for (const append of group) {
        append.reject(new LogError('LogWriteFailed', nameOf(append.partition.stored), { cause }));
      }
    }
    for (const { partition, count, bytes } of group) partition.backlog.leave(count, bytes);
    for (const partition of byPartition.keys()) partition.waiters.wake(partition.stored.endOffset);
  }

  /** Writes the start and removes what lies below it, a bounded number of chunks at a time; returns how many. */
  async #removeChunks(partition: Partition): Promise<number> {
    let removed = 0;
    const stage = () => {
      const { stored } = partition;
      const firsts = chunksBefore(this.#chunks, stored, stored.startOffset, TRIM_CHUNKS_MAX);
      removed = firsts.length;
      return {
        write: () => {
          for (const first of firsts) void this.#chunks.remove(chunkKey(stored.id, first));
          putPartition(this.#partitions, stored);
        },
      };
    };
    try {
      await this.#environment.writer.submit({ lane: LANE, bytes: 0, stage });
      return removed;
    } catch (cause) {
      throw new LogError('LogWriteFailed', nameOf(partition.stored), { cause });
    }
  }
}

function openTopic(topic: TopicSpec, stored: readonly StoredPartition[], bounds: LogBounds): readonly Partition[] {
  const backlog = new Backlog(topic.name, bounds);
  return stored
    .filter((partition) => partition.topic === topic.name)
    .sort((left, right) => left.partition - right.partition)
    .map((partition) => ({ topic, backlog, waiters: new Waiters(bounds.waitersMax), stored: partition }));
}

/** Gives a partition's appends their offsets and times, and makes their chunks. */
function placeAppends(partition: Partition, appends: readonly PendingAppend[], stamp: number) {
  const { stored, topic } = partition;
  let nextOffset = stored.endOffset;
  const appended = appends.map((append): Appended => {
    const firstOffset = nextOffset;
    nextOffset += append.count;
    return { firstOffset, times: append.times ?? new Array<number>(append.count).fill(stamp) };
  });
  let { endOffset, highTime } = stored;
  const chunks = joinBlocks(appends.flatMap((append) => append.blocks)).map((block) => {
    const key = chunkKey(stored.id, endOffset);
    endOffset += block.count;
    highTime = Math.max(highTime, topic.time === 'event' ? block.highTime : stamp);
    return { key, value: seal(block, key, stamp) };
  });
  return { appended, chunks, end: { ...stored, endOffset, highTime } };
}
