import { type FaultPlan, FaultyCalls, SimulatedProcess } from '../memory/simulation.ts';
import {
  Backlog,
  checkBatch,
  checkedNow,
  checkTopics,
  DEFAULT_LOG_BOUNDS,
  type LogBounds,
  recordBytes,
} from './bounds.ts';
import {
  type Appended,
  type AppendRecord,
  type EventLog,
  LogError,
  type LogRecord,
  type ReadLimits,
  type TopicSpec,
} from './port.ts';
import { checkLimits, checkOffset } from './ranges.ts';
import { Waiters } from './waiters.ts';

interface StoredPartition {
  startOffset: number;
  /** Record `startOffset + i` at `i`. */
  records: LogRecord[];
  highTime: number;
}

/** What outlives a simulated crash; open a log on it again. */
export class MemoryLogDisk {
  readonly topics = new Map<string, StoredPartition[]>();
}

export interface MemoryLogOptions {
  readonly topics: readonly TopicSpec[];
  /** The log's clock, integer ms. */
  readonly now: () => number;
  readonly disk?: MemoryLogDisk;
  readonly bounds?: Partial<LogBounds>;
  readonly faults?: FaultPlan;
  readonly process?: SimulatedProcess;
}

interface Partition {
  readonly name: string;
  readonly topic: TopicSpec;
  readonly stored: StoredPartition;
  readonly backlog: Backlog;
  readonly waiters: Waiters;
  /** Ends when all that was asked of the partition so far has been done. */
  tail: Promise<unknown>;
}

/**
 * The log in memory, for tests and simulations: no timer, no chance; every call ends after a fixed number of promise
 * turns, unless the plan of faults holds it back.
 */
export function openMemoryLog(options: MemoryLogOptions): EventLog {
  return new MemoryLog(options);
}

class MemoryLog implements EventLog {
  readonly #topics: ReadonlyMap<string, readonly Partition[]>;
  readonly #bounds: LogBounds;
  readonly #now: () => number;
  readonly #process: SimulatedProcess;
  readonly #calls: FaultyCalls;
  #closed = false;

  constructor(options: MemoryLogOptions) {
    checkTopics(options.topics);
    this.#bounds = { ...DEFAULT_LOG_BOUNDS, ...options.bounds };
    this.#now = options.now;
    this.#process = options.process ?? new SimulatedProcess();
    this.#calls = new FaultyCalls(this.#process, options.faults);
    const disk = options.disk ?? new MemoryLogDisk();
    this.#topics = new Map(options.topics.map((topic) => [topic.name, openTopic(topic, disk, this.#bounds)]));
  }

  partitions(topic: string): number {
    return this.#topic(topic).length;
  }

  async append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended> {
    const target = this.#open(topic, partition);
    const bytes = checkBatch(target.topic, records, this.#bounds);
    const copies = records.map(copyRecord);
    target.backlog.enter(records.length, bytes);
    const failure = () => new LogError('LogWriteFailed', `${target.name}: injected`);
    return this.#inOrder(target, async () => {
      try {
        const effect = () => store(target, copies, () => checkedNow(this.#now));
        const appended = await this.#calls.call('append', target.name, effect, failure);
        return appended;
      } finally {
        target.backlog.leave(records.length, bytes);
        target.waiters.wake(endOf(target.stored));
      }
    });
  }

  async read(topic: string, partition: number, fromOffset: number, limits: ReadLimits): Promise<readonly LogRecord[]> {
    const target = this.#open(topic, partition);
    checkLimits(limits);
    const failure = () => new LogError('LogUnavailable', `${target.name}: injected`);
    return this.#calls.call('read', target.name, () => slice(target, fromOffset, limits), failure);
  }

  async waitFor(topic: string, partition: number, offset: number, signal?: AbortSignal): Promise<boolean> {
    const target = this.#open(topic, partition);
    if (endOf(target.stored) > offset) return true;
    return target.waiters.wait(offset, signal);
  }

  async startOffset(topic: string, partition: number): Promise<number> {
    return this.#open(topic, partition).stored.startOffset;
  }

  async endOffset(topic: string, partition: number): Promise<number> {
    return endOf(this.#open(topic, partition).stored);
  }

  async trimBefore(topic: string, partition: number, offset: number): Promise<void> {
    const target = this.#open(topic, partition);
    const failure = () => new LogError('LogWriteFailed', `${target.name}: injected`);
    await this.#inOrder(target, () => this.#calls.call('trim', target.name, () => trim(target, offset), failure));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const partition of [...this.#topics.values()].flat()) {
      await partition.tail;
      partition.waiters.close();
    }
  }

  #topic(name: string): readonly Partition[] {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new LogError('LogUnknownPartition', `topic ${JSON.stringify(name)}`);
    return topic;
  }

  #open(topic: string, partition: number): Partition {
    this.#process.assertRuns();
    if (this.#closed) throw new LogError('LogClosed', `${topic}/${partition}`);
    const found = this.#topic(topic)[partition];
    if (found === undefined) throw new LogError('LogUnknownPartition', `${topic}/${partition}`);
    return found;
  }

  #inOrder<T>(partition: Partition, action: () => Promise<T>): Promise<T> {
    const done = partition.tail.then(action);
    partition.tail = done.catch(() => {});
    return done;
  }
}

function openTopic(topic: TopicSpec, disk: MemoryLogDisk, bounds: LogBounds): readonly Partition[] {
  const empty = () => ({ startOffset: 0, records: [], highTime: 0 });
  const stored = disk.topics.get(topic.name) ?? Array.from({ length: topic.partitions }, empty);
  disk.topics.set(topic.name, stored);
  if (stored.length !== topic.partitions) {
    throw new LogError(
      'LogTopicChanged',
      `topic ${topic.name}: stored ${stored.length}, opened with ${topic.partitions}`,
    );
  }
  const backlog = new Backlog(topic.name, bounds);
  return stored.map((partition, index) => ({
    name: `${topic.name}/${index}`,
    topic,
    stored: partition,
    backlog,
    waiters: new Waiters(bounds.waitersMax),
    tail: Promise.resolve(),
  }));
}

type CopiedRecord = Omit<LogRecord, 'offset'>;

function copyRecord(record: AppendRecord): CopiedRecord {
  const value = typeof record.value === 'string' ? Buffer.from(record.value, 'utf8') : Buffer.from(record.value);
  return { key: Buffer.from(record.key, 'utf8').toString('utf8'), value, time: record.time ?? 0 };
}

function store(partition: Partition, records: readonly CopiedRecord[], now: () => number): Appended {
  const { stored, topic } = partition;
  const firstOffset = endOf(stored);
  if (records.length === 0) return { firstOffset, times: [] };
  const stamp = topic.time === 'append' ? Math.max(now(), stored.highTime) : undefined;
  const times = records.map((record) => stamp ?? record.time);
  for (const [index, record] of records.entries()) {
    const time = stamp ?? record.time;
    stored.records.push({ ...record, offset: firstOffset + index, time });
    stored.highTime = Math.max(stored.highTime, time);
  }
  return { firstOffset, times };
}

function slice(partition: Partition, fromOffset: number, limits: ReadLimits): readonly LogRecord[] {
  const { stored, name } = partition;
  checkOffset(name, fromOffset, stored.startOffset, endOf(stored));
  const found: LogRecord[] = [];
  let bytes = 0;
  for (let index = fromOffset - stored.startOffset; index < stored.records.length; index += 1) {
    const record = stored.records[index];
    if (record === undefined || found.length >= limits.recordsMax) break;
    bytes += recordBytes(record);
    if (bytes > limits.bytesMax && found.length > 0) break;
    found.push(record);
  }
  return found;
}

function trim(partition: Partition, offset: number): void {
  const { stored, name } = partition;
  if (offset <= stored.startOffset) return;
  checkOffset(name, offset, stored.startOffset, endOf(stored));
  stored.records.splice(0, offset - stored.startOffset);
  stored.startOffset = offset;
}

function endOf(stored: StoredPartition): number {
  return stored.startOffset + stored.records.length;
}
