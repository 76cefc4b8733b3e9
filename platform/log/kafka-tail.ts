import type { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaLogger } from '../kafka/connection.ts';
import { KafkaFault } from '../kafka/faults.ts';
import { type Fetched, fetchRecords } from '../kafka/fetch.ts';
import { BatchCorrupt } from '../kafka/record-batch.ts';
import { retrying } from '../kafka/retrying.ts';
import type { Wire } from '../kafka/wire.ts';
import { readFetched } from './kafka-fetched.ts';
import { logRefusal } from './kafka-refusal.ts';
import { LogError, type LogRecord, type ReadLimits } from './port.ts';
import { checkOffset } from './ranges.ts';

export interface TailOptions {
  readonly topic: string;
  readonly partition: number;
  readonly cluster: KafkaCluster;
  readonly logger: KafkaLogger;
  readonly unavailableMs: number;
  /** What one fetch brings, at most, unless one batch is longer; as much may wait to be read. */
  readonly fetchBytesMax: number;
  /** Told where the partition ends and starts, at each answer. */
  readonly onRange: (startOffset: number, endOffset: number) => void;
  /** Asks the leader; throws `KafkaFault`. */
  readonly range: () => Promise<{ readonly startOffset: number; readonly endOffset: number }>;
}

/**
 * Reads one partition from an offset on, on a connection of its own, and fetches the next records while the caller works
 * on these. A read at another offset moves it there. One fetch is under way at a time.
 */
export class PartitionTail {
  readonly #options: TailOptions;
  readonly #closing = new AbortController();
  #wire: Wire | undefined;
  /** What was fetched and not yet read: contiguous, up to `#fetchFrom`. */
  #held: LogRecord[] = [];
  #heldAt = 0;
  /** Where the next read is expected, and where the next fetch begins. */
  #readFrom = -1;
  #fetchFrom = -1;
  #endOffset = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Whether a fetch is under way, ahead or awaited. */
  #busy = false;
  #fetching: Promise<void> | undefined;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** Up to where is known that nothing is to be read, if a read at `offset` gave nothing. */
  emptyUpTo(offset: number): number {
    return offset === this.#readFrom && this.#heldAt === this.#held.length ? this.#fetchFrom : offset;
  }

  /** One read at a time; see `EventLog.read` for what it gives and throws. */
  read(fromOffset: number, limits: ReadLimits): Promise<LogRecord[]> {
    const reading = this.#turn.then(() => this.#read(fromOffset, limits));
    this.#turn = reading.catch(() => {}); // told to its caller; the next read is another matter
    return reading;
  }

  /** Takes what was fetched elsewhere from `offset` on, if it is just what would be fetched next. */
  offer(offset: number, fetched: Fetched): void {
    if (offset !== this.#fetchFrom || this.#busy || this.#heldAt < this.#held.length) return;
    try {
      this.#take(fetched);
    } catch (error) {
      if (!(error instanceof LogError)) throw error; // the read that needs the records will meet it again
    }
  }

  /** Forgets what it holds: the partition's start has moved. */
  forget(): void {
    this.#readFrom = -1;
  }

  close(): void {
    this.#closing.abort();
    this.#wire?.close();
  }

  async #read(fromOffset: number, limits: ReadLimits): Promise<LogRecord[]> {
    if (fromOffset !== this.#readFrom) await this.#moveTo(fromOffset);
    const taken: LogRecord[] = [];
    let bytesLeft = limits.bytesMax;
    for (;;) {
      bytesLeft = this.#serve(taken, limits.recordsMax, bytesLeft);
      const last = taken.at(-1);
      if (last !== undefined) this.#readFrom = last.offset + 1;
      const full = taken.length >= limits.recordsMax || bytesLeft < 0 || this.#heldAt < this.#held.length;
      if (full || (taken.length > 0 && this.#fetchFrom >= this.#endOffset)) break;
      const before = this.#fetchFrom;
      await this.#more();
      // Nothing came, or only what no reader sees, up to the end: there is nothing more for now.
      if (this.#heldAt === this.#held.length && (this.#fetchFrom === before || this.#fetchFrom >= this.#endOffset))
        break;
    }
    this.#fetchAhead();
    return taken;
  }

  /** Moves records into `taken`; returns the bytes left, below 0 if the next record does not fit. */
  #serve(taken: LogRecord[], recordsMax: number, bytesMax: number): number {
    let bytesLeft = bytesMax;
    while (this.#heldAt < this.#held.length && taken.length < recordsMax) {
      const record = this.#held[this.#heldAt];
      if (record === undefined) break;
      const size = record.value.length + Buffer.byteLength(record.key, 'utf8');
      if (size > bytesLeft && taken.length > 0) return -1;
      bytesLeft -= size;
      taken.push(record);
      this.#heldAt += 1;
    }
    return bytesLeft;
  }

  async #moveTo(offset: number): Promise<void> {
    await this.#settled();
    this.#held = [];
    this.#heldAt = 0;
    this.#readFrom = offset;
    this.#fetchFrom = offset;
    this.#endOffset = 0;
  }

  /** What the fetch ahead brings if it is under way, else what is there now. Throws as `read`. */
  async #more(): Promise<void> {
    if (this.#fetching !== undefined) {
      await this.#settled();
      if (this.#heldAt < this.#held.length) return;
    }
    const { topic, partition, cluster, logger, unavailableMs } = this.#options;
    const what = `read ${topic}/${partition}`;
    try {
      const { signal } = this.#closing;
      await retrying({ cluster, logger, what, unavailableMs, signal }, () => this.#fetch());
    } catch (error) {
      if (this.#closing.signal.aborted) throw new LogError('LogClosed', what, { cause: error });
      throw error instanceof KafkaFault ? logRefusal('LogUnavailable', what, error) : error;
    }
  }

  /** A fault of it is not told: the read that needs the records will meet it. */
  #fetchAhead(): void {
    const waits = this.#fetchFrom < this.#endOffset && this.#heldBytesLow();
    if (waits && this.#fetching === undefined && !this.#closing.signal.aborted) {
      this.#fetching = this.#fetch()
        .catch(() => {})
        .finally(() => {
          this.#fetching = undefined;
        });
    }
  }

  /** Whether less than half of what was fetched last waits to be read. */
  #heldBytesLow(): boolean {
    return this.#held.length - this.#heldAt <= this.#held.length / 2;
  }

  async #settled(): Promise<void> {
    while (this.#fetching !== undefined) await this.#fetching;
  }

  async #fetch(): Promise<void> {
    this.#busy = true;
    try {
      await this.#fetchOnce();
    } finally {
      this.#busy = false;
    }
  }

  async #fetchOnce(): Promise<void> {
    const { topic, partition, cluster, fetchBytesMax } = this.#options;
    const offset = this.#fetchFrom;
    const address = cluster.leader(topic, partition);
    const { host, port } = this.#wire?.address ?? { host: '', port: 0 };
    if (this.#wire === undefined || !this.#wire.open || host !== address.host || port !== address.port) {
      this.#wire?.close();
      this.#wire = await cluster.ownWire(address);
      if (this.#closing.signal.aborted) this.#wire.close();
    }
    try {
      const request = { topic, partition, offset, waitMs: 0, bytesMax: fetchBytesMax };
      this.#take(await fetchRecords(this.#wire, request));
    } catch (error) {
      if (!(error instanceof KafkaFault) || error.type !== 'OFFSET_OUT_OF_RANGE') throw error;
      const { startOffset, endOffset } = await this.#options.range();
      checkOffset(`${topic}/${partition}`, offset, startOffset, endOffset);
      throw new KafkaFault('OFFSET_NOT_AVAILABLE', true, `${topic}/${partition}: offset ${offset}`); // it has changed since
    }
  }

  #take(fetched: Fetched): void {
    const { topic, partition, onRange } = this.#options;
    const where = `${topic}/${partition}`;
    onRange(fetched.startOffset, fetched.endOffset);
    this.#endOffset = fetched.endOffset;
    if (this.#fetchFrom < fetched.startOffset)
      checkOffset(where, this.#fetchFrom, fetched.startOffset, fetched.endOffset);
    const rest = this.#heldAt === this.#held.length ? [] : this.#held.slice(this.#heldAt);
    try {
      this.#fetchFrom = readFetched(where, fetched, this.#fetchFrom, rest);
    } catch (error) {
      throw error instanceof BatchCorrupt ? new LogError('LogCorrupt', `${where}: ${error.message}`) : error;
    }
    this.#held = rest;
    this.#heldAt = 0;
  }
}
