import type { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaLogger } from '../kafka/connection.ts';
import { checkCode, KafkaFault } from '../kafka/faults.ts';
import { retrying } from '../kafka/retrying.ts';
import { logRefusal } from './kafka-refusal.ts';
import { PartitionTail } from './kafka-tail.ts';
import { PartitionWatch } from './kafka-watch.ts';
import { LogError, type LogRecord, type ReadLimits } from './port.ts';
import { checkOffset } from './ranges.ts';
import { Waiters } from './waiters.ts';

export interface KafkaPartitionOptions {
  readonly topic: string;
  readonly partition: number;
  readonly cluster: KafkaCluster;
  readonly logger: KafkaLogger;
  readonly unavailableMs: number;
  readonly fetchBytesMax: number;
  readonly waitersMax: number;
}

interface OffsetsAnswer {
  readonly responses: readonly { partitions: readonly { errorCode: number; offset: string }[] }[];
}

interface DeleteAnswer {
  readonly topics: readonly { partitions: readonly { errorCode: number }[] }[];
}

const POLL_MS = 500;
const EARLIEST = -2;
const LATEST = -1;

/** What is read of one partition: its range, its records, and the wait for more. */
export class KafkaPartition {
  readonly #options: KafkaPartitionOptions;
  readonly #name: string;
  readonly #waiters: Waiters;
  readonly #watch: PartitionWatch;
  #tail: PartitionTail | undefined;
  #reading = 0;
  #waiting = 0;
  /** The end as far as it is known; -1 while it is not. */
  #endOffset = -1;
  #startOffset = 0;
  #closed = false;

  constructor(options: KafkaPartitionOptions) {
    const { topic, partition, cluster, logger, fetchBytesMax, waitersMax } = options;
    this.#options = options;
    this.#name = `${topic}/${partition}`;
    this.#waiters = new Waiters(waitersMax);
    this.#watch = new PartitionWatch({
      ...{ topic, partition, cluster, logger },
      pollMs: POLL_MS,
      bytesMax: fetchBytesMax,
      wanted: () => this.#waiting > 0,
      end: () => this.#endOffset,
      onFetched: (offset, fetched) => {
        this.#tail?.offer(offset, fetched);
        this.#ranges(fetched.startOffset, fetched.endOffset);
      },
      range: () => this.#askRange(),
      onCut: (endOffset) => {
        this.#endOffset = endOffset;
        this.#waiters.wake(Number.MAX_SAFE_INTEGER);
      },
      onRefused: () => this.#waiters.wake(Number.MAX_SAFE_INTEGER),
    });
  }

  async read(fromOffset: number, limits: ReadLimits): Promise<LogRecord[]> {
    if (!Number.isSafeInteger(fromOffset) || fromOffset < this.#startOffset) {
      checkOffset(this.#name, fromOffset, this.#startOffset, Number.MAX_SAFE_INTEGER);
    }
    this.#tail ??= this.#openTail();
    this.#reading += 1;
    try {
      return await this.#tail.read(fromOffset, limits);
    } finally {
      this.#reading -= 1;
    }
  }

  async waitFor(offset: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return false;
    // What a reader passes over is no record: who has read up to it waits for what comes behind.
    const awaited = this.#tail?.emptyUpTo(offset) ?? offset;
    if (this.#endOffset > awaited) return true;
    this.#waiting += 1;
    try {
      const waited = this.#waiters.wait(awaited, signal);
      this.#watch.start();
      return await waited;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Records up to `endOffset` are known to be there. */
  grown(endOffset: number): void {
    if (endOffset <= this.#endOffset) return;
    this.#endOffset = endOffset;
    this.#waiters.wake(endOffset);
  }

  async startOffset(): Promise<number> {
    return (await this.#range()).startOffset;
  }

  async endOffset(): Promise<number> {
    return (await this.#range()).endOffset;
  }

  async trimBefore(offset: number): Promise<void> {
    const { startOffset, endOffset } = await this.#range();
    if (offset <= startOffset) return;
    checkOffset(this.#name, offset, startOffset, endOffset);
    await this.#patiently('trim', () => this.#deleteBefore(offset), 'LogWriteFailed');
    this.#startOffset = Math.max(this.#startOffset, offset);
    this.#tail?.forget();
  }

  /** Ends the connection for reading, unless a read is under way; the next read opens another. */
  closeTail(): boolean {
    if (this.#reading > 0) return false;
    this.#tail?.close();
    this.#tail = undefined;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#waiters.close();
    this.#watch.close();
    this.#tail?.close();
  }

  #openTail(): PartitionTail {
    return new PartitionTail({
      ...this.#options,
      onRange: (startOffset, endOffset) => this.#ranges(startOffset, endOffset),
      range: () => this.#askRange(),
    });
  }

  #ranges(startOffset: number, endOffset: number): void {
    this.#startOffset = Math.max(this.#startOffset, startOffset);
    this.grown(endOffset);
  }

  #range(): Promise<{ startOffset: number; endOffset: number }> {
    return this.#patiently('ask the range of', () => this.#askRange(), 'LogUnavailable');
  }

  async #askRange(): Promise<{ startOffset: number; endOffset: number }> {
    const startOffset = await this.#askOffset(EARLIEST);
    const endOffset = await this.#askOffset(LATEST);
    this.#ranges(startOffset, endOffset);
    return { startOffset, endOffset };
  }

  async #askOffset(timestamp: number): Promise<number> {
    const { topic, partition, cluster } = this.#options;
    const wire = await cluster.leaderWire(topic, partition);
    const answer = await wire.ask<OffsetsAnswer>('ListOffsets', {
      topics: [{ topic, partitions: [{ partition, timestamp }] }],
    });
    const found = answer.responses[0]?.partitions[0];
    if (found === undefined) throw new KafkaFault('NO_ANSWER', true, this.#name);
    checkCode(found.errorCode, `offsets of ${this.#name}`);
    return Number(found.offset);
  }

  async #deleteBefore(offset: number): Promise<void> {
    const { topic, partition, cluster } = this.#options;
    const wire = await cluster.leaderWire(topic, partition);
    const answer = await wire.ask<DeleteAnswer>('DeleteRecords', {
      topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }],
    });
    const code = answer.topics[0]?.partitions[0]?.errorCode;
    if (code === undefined) throw new KafkaFault('NO_ANSWER', true, this.#name);
    checkCode(code, `trim of ${this.#name}`);
  }

  async #patiently<Result>(
    verb: string,
    attempt: () => Promise<Result>,
    code: 'LogUnavailable' | 'LogWriteFailed',
  ): Promise<Result> {
    const { cluster, logger, unavailableMs } = this.#options;
    try {
      return await retrying({ cluster, logger, what: `${verb} ${this.#name}`, unavailableMs }, attempt);
    } catch (error) {
      if (this.#closed) throw new LogError('LogClosed', this.#name, { cause: error });
      throw error instanceof KafkaFault ? logRefusal(code, this.#name, error) : error;
    }
  }
}
