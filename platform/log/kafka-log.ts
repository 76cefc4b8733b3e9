import { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaConnection, KafkaLogger } from '../kafka/connection.ts';
import { ProduceCourier } from '../kafka/courier.ts';
import { KafkaFault } from '../kafka/faults.ts';
import { BATCH_HEADER_BYTES, packRecords, RECORD_OVERHEAD_BYTES_MAX } from '../kafka/record-batch.ts';
import { retrying } from '../kafka/retrying.ts';
import { Backlog, checkBatch, checkTopics, DEFAULT_LOG_BOUNDS, type LogBounds } from './bounds.ts';
import { AppendLane } from './kafka-lane.ts';
import { KafkaPartition } from './kafka-partition.ts';
import { logRefusal } from './kafka-refusal.ts';
import { checkTopic, describeTopics } from './kafka-topics.ts';
import {
  type Appended,
  type AppendRecord,
  type EventLog,
  LogError,
  type LogReader,
  type LogRecord,
  type ReadLimits,
  type TopicSpec,
} from './port.ts';
import { checkLimits } from './ranges.ts';

export interface KafkaLogOptions {
  readonly connection: KafkaConnection;
  readonly topics: readonly TopicSpec[];
  /** What the log takes; a topic's `max.message.bytes` must have room for one append of that size. */
  readonly bounds?: Partial<LogBounds>;
  /** How long brokers that do not answer are asked again before a call fails. Default 30,000. */
  readonly unavailableMs?: number;
  /** What one fetch brings, at most, unless one append is longer. Default 1 MiB. */
  readonly fetchBytesMax?: number;
  /** How many partitions may hold a connection for reading. Default 128. */
  readonly tailsMax?: number;
}

/** An append is one record batch, which a broker keeps in memory whole: half of what a file takes at once. */
export const KAFKA_LOG_BOUNDS: LogBounds = { ...DEFAULT_LOG_BOUNDS, batchBytesMax: 16 * 1024 * 1024 };
const UNAVAILABLE_MS = 30_000;
const FETCH_BYTES_MAX = 1024 * 1024;
const TAILS_MAX = 128;
/** How long a broker waits for its replicas before it says so. */
const ACKNOWLEDGE_MS = 8_000;

interface Topic {
  readonly spec: TopicSpec;
  readonly backlog: Backlog;
  readonly partitions: readonly { readonly lane: AppendLane; readonly shelf: KafkaPartition }[];
}

/**
 * Opens the log that a Kafka cluster holds; its topics must exist (`createKafkaTopics`). Time is the broker's. Throws
 * `LogTopicInvalid` (a topic is missing, or too narrow for the bounds), `LogTopicChanged`, `LogUnavailable`.
 *
 * After a fault whose outcome was unknown and a broker that no longer knows the producer, a record may stand twice.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  return openLog(options, largestBatch({ ...KAFKA_LOG_BOUNDS, ...options.bounds }));
}

/** Reads the same topics and never writes: for commands beside running services. Throws as `openKafkaLog`. */
export async function openKafkaLogReader(options: KafkaLogOptions): Promise<LogReader> {
  const log = await openLog(options, 0);
  return {
    partitions: (topic) => log.partitions(topic),
    read: (topic, partition, fromOffset, limits) => log.read(topic, partition, fromOffset, limits),
    startOffset: (topic, partition) => log.startOffset(topic, partition),
    endOffset: (topic, partition) => log.endOffset(topic, partition),
    close: () => log.close(),
  };
}

/** @param batchBytesMin what a topic must take as one record batch */
async function openLog(options: KafkaLogOptions, batchBytesMin: number): Promise<KafkaLog> {
  checkTopics(options.topics);
  const { connection, topics, unavailableMs = UNAVAILABLE_MS } = options;
  const bounds = { ...KAFKA_LOG_BOUNDS, ...options.bounds };
  const names = topics.map((topic) => topic.name);
  const cluster = new KafkaCluster(connection, names);
  const patience = { cluster, logger: connection.logger, what: 'open the log', unavailableMs };
  try {
    const found = await retrying(patience, async () => {
      await cluster.refresh();
      return describeTopics(cluster, names);
    });
    for (const spec of topics) {
      const topic = found.get(spec.name);
      if (topic === undefined) throw new LogError('LogTopicInvalid', `topic ${spec.name} does not exist`);
      checkTopic(spec, topic);
      if (topic.maxMessageBytes < batchBytesMin) {
        const has = `max.message.bytes is ${topic.maxMessageBytes}`;
        throw new LogError('LogTopicInvalid', `topic ${spec.name}: ${has}, an append may take ${batchBytesMin}`);
      }
    }
    return new KafkaLog({ ...options, unavailableMs }, bounds, cluster);
  } catch (error) {
    cluster.close();
    throw error instanceof KafkaFault ? logRefusal('LogUnavailable', names.join(', '), error) : error;
  }
}

class KafkaLog implements EventLog {
  readonly #bounds: LogBounds;
  readonly #cluster: KafkaCluster;
  readonly #courier: ProduceCourier;
  readonly #tailsMax: number;
  readonly #topics: ReadonlyMap<string, Topic>;
  /** The partitions that hold a connection for reading, the one read longest ago first. */
  readonly #tails = new Set<KafkaPartition>();
  #closed: Promise<void> | undefined;

  constructor(options: KafkaLogOptions & { unavailableMs: number }, bounds: LogBounds, cluster: KafkaCluster) {
    const { connection, unavailableMs } = options;
    this.#bounds = bounds;
    this.#cluster = cluster;
    this.#courier = new ProduceCourier(cluster, ACKNOWLEDGE_MS);
    this.#tailsMax = options.tailsMax ?? TAILS_MAX;
    const common: Common = {
      cluster,
      courier: this.#courier,
      logger: connection.logger,
      unavailableMs,
      fetchBytesMax: options.fetchBytesMax ?? FETCH_BYTES_MAX,
    };
    this.#topics = new Map(options.topics.map((spec) => [spec.name, openTopic(spec, bounds, common)]));
  }

  partitions(topic: string): number {
    return this.#topic(topic).partitions.length;
  }

  async append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Appended> {
    const { lane, shelf, spec, backlog } = this.#open(topic, partition);
    const bytes = checkBatch(spec, records, this.#bounds);
    if (records.length === 0) {
      await lane.drained();
      return { firstOffset: await shelf.endOffset(), times: [] };
    }
    backlog.enter(records.length, bytes);
    const { length } = records;
    try {
      return await lane.append(packRecords(records, spec.time === 'event'));
    } finally {
      backlog.leave(length, bytes);
    }
  }

  async read(topic: string, partition: number, fromOffset: number, limits: ReadLimits): Promise<readonly LogRecord[]> {
    const { shelf } = this.#open(topic, partition);
    checkLimits(limits);
    this.#keepTail(shelf);
    return shelf.read(fromOffset, limits);
  }

  async waitFor(topic: string, partition: number, offset: number, signal?: AbortSignal): Promise<boolean> {
    return this.#open(topic, partition).shelf.waitFor(offset, signal);
  }

  async startOffset(topic: string, partition: number): Promise<number> {
    return this.#open(topic, partition).shelf.startOffset();
  }

  async endOffset(topic: string, partition: number): Promise<number> {
    return this.#open(topic, partition).shelf.endOffset();
  }

  async trimBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.#open(topic, partition).shelf.trimBefore(offset);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const all = [...this.#topics.values()].flatMap((topic) => topic.partitions);
    await Promise.all(all.map(({ lane }) => lane.drained()));
    for (const { shelf } of all) shelf.close();
    this.#courier.close();
    this.#cluster.close();
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new LogError('LogUnknownPartition', `topic ${JSON.stringify(name)}`);
    return topic;
  }

  #open(topic: string, partition: number) {
    if (this.#closed !== undefined) throw new LogError('LogClosed', `${topic}/${partition}`);
    const { spec, backlog, partitions } = this.#topic(topic);
    const found = partitions[partition];
    if (found === undefined) throw new LogError('LogUnknownPartition', `${topic}/${partition}`);
    return { ...found, spec, backlog };
  }

  /** The connection of the partition read longest ago goes when there are too many. */
  #keepTail(shelf: KafkaPartition): void {
    this.#tails.delete(shelf);
    this.#tails.add(shelf);
    if (this.#tails.size <= this.#tailsMax) return;
    for (const oldest of this.#tails) {
      if (oldest.closeTail()) {
        this.#tails.delete(oldest);
        return;
      }
    }
  }
}

interface Common {
  readonly cluster: KafkaCluster;
  readonly courier: ProduceCourier;
  readonly logger: KafkaLogger;
  readonly unavailableMs: number;
  readonly fetchBytesMax: number;
}

function openTopic(spec: TopicSpec, bounds: LogBounds, common: Common): Topic {
  const backlog = new Backlog(spec.name, bounds);
  const { batchRecordsMax, batchBytesMax, waitersMax } = bounds;
  const partitions = Array.from({ length: spec.partitions }, (_, partition) => {
    const place = { topic: spec.name, partition };
    const shelf = new KafkaPartition({ ...common, ...place, waitersMax });
    const onEnd = (endOffset: number) => shelf.grown(endOffset);
    return { shelf, lane: new AppendLane({ ...common, ...place, batchRecordsMax, batchBytesMax, onEnd }) };
  });
  return { spec, backlog, partitions };
}

/** How many bytes one append may take as a record batch. */
function largestBatch({ batchBytesMax, batchRecordsMax }: LogBounds): number {
  return BATCH_HEADER_BYTES + batchBytesMax + batchRecordsMax * RECORD_OVERHEAD_BYTES_MAX;
}
