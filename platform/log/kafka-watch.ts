import type { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaLogger } from '../kafka/connection.ts';
import { KafkaFault } from '../kafka/faults.ts';
import { type Fetched, fetchRecords } from '../kafka/fetch.ts';
import { retrying } from '../kafka/retrying.ts';
import type { Wire } from '../kafka/wire.ts';

export interface WatchOptions {
  readonly topic: string;
  readonly partition: number;
  readonly cluster: KafkaCluster;
  readonly logger: KafkaLogger;
  /** How long the broker holds one request back, in ms. */
  readonly pollMs: number;
  readonly bytesMax: number;
  /** Whether anyone waits still. */
  readonly wanted: () => boolean;
  /** The end as known, from which the broker is asked; -1 if it is not known yet, and is asked for first. */
  readonly end: () => number;
  /** Told of each answer, and of the offset asked from. */
  readonly onFetched: (offset: number, fetched: Fetched) => void;
  /** Asks the leader; throws `KafkaFault`. */
  readonly range: () => Promise<{ readonly startOffset: number; readonly endOffset: number }>;
  /** The partition ends below where it ended before: all who wait must look again. */
  readonly onCut: (endOffset: number) => void;
  /** The broker refuses for good: all who wait must look, and will be told why. */
  readonly onRefused: () => void;
}

/**
 * Waits for a partition to grow, by requests that the broker holds back until it does, on a connection of its own while
 * anyone waits. An outage is waited out: who waits for records is not helped by an error.
 */
export class PartitionWatch {
  readonly #options: WatchOptions;
  readonly #closing = new AbortController();
  #wire: Wire | undefined;
  #running = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Begins to watch unless it does. Never throws; an error that is none of Kafka's is thrown as unhandled: a bug. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  close(): void {
    this.#closing.abort();
    this.#wire?.close();
  }

  async #run(): Promise<void> {
    const { topic, partition, cluster, logger, wanted } = this.#options;
    const { signal } = this.#closing;
    const patience = { cluster, logger, what: `wait for ${topic}/${partition}`, unavailableMs: Infinity, signal };
    try {
      while (wanted() && !signal.aborted) await retrying(patience, () => this.#poll());
    } catch (error) {
      if (!(error instanceof KafkaFault)) throw error;
      if (signal.aborted) return;
      logger.error({ topic, partition, fault: error.message }, 'kafka refuses to be read');
      this.#options.onRefused();
    } finally {
      this.#running = false;
    }
  }

  async #poll(): Promise<void> {
    const { topic, partition, cluster, pollMs, bytesMax } = this.#options;
    const address = cluster.leader(topic, partition);
    const { host, port } = this.#wire?.address ?? { host: '', port: 0 };
    if (this.#wire === undefined || !this.#wire.open || host !== address.host || port !== address.port) {
      this.#wire?.close();
      this.#wire = await cluster.ownWire(address);
      if (this.#closing.signal.aborted) this.#wire.close();
    }
    if (this.#options.end() < 0) await this.#options.range();
    const offset = this.#options.end();
    try {
      const request = { topic, partition, offset, waitMs: pollMs, bytesMax };
      this.#options.onFetched(offset, await fetchRecords(this.#wire, request));
    } catch (error) {
      if (!(error instanceof KafkaFault) || error.type !== 'OFFSET_OUT_OF_RANGE') throw error;
      const { endOffset } = await this.#options.range();
      if (endOffset < offset) this.#options.onCut(endOffset);
    }
  }
}
