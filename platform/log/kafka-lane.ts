import type { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaLogger } from '../kafka/connection.ts';
import type { ProduceCourier, Produced } from '../kafka/courier.ts';
import { checkCode, KafkaFault } from '../kafka/faults.ts';
import { encodeBatch, type PackedRecords, type ProducerStamp, stampBatch } from '../kafka/record-batch.ts';
import { retrying } from '../kafka/retrying.ts';
import { logRefusal } from './kafka-refusal.ts';
import { type Appended, LogError } from './port.ts';

export interface LaneOptions {
  readonly topic: string;
  readonly partition: number;
  readonly cluster: KafkaCluster;
  readonly courier: ProduceCourier;
  readonly logger: KafkaLogger;
  readonly unavailableMs: number;
  /** No append beyond the first is added to a batch that would get above these. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /** Told of each batch that is acknowledged, before its appends are. */
  readonly onEnd: (endOffset: number) => void;
}

interface PendingAppend {
  readonly packed: PackedRecords;
  readonly enteredAt: number;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

interface InitAnswer {
  readonly errorCode: number;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** Sequences run up to the largest int32 and go on from 0. */
const SEQUENCES = 2 ** 31;
/** The broker does not know this producer's last batch (any more): under a new id it takes whatever comes. */
const ID_LOST = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);
const IDS_MAX = 5;
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const INVALID = new Set(['INVALID_TIMESTAMP', 'INVALID_RECORD']);

/**
 * The appends to one partition, in the order of the calls, one record batch under way at a time: what comes meanwhile is
 * the next batch. An append is never split over two batches, so it is stored whole or not at all.
 */
export class AppendLane {
  readonly #options: LaneOptions;
  #pending: PendingAppend[] = [];
  #running: Promise<void> | undefined;
  #producer: { readonly producerId: bigint; readonly epoch: number } | undefined;
  #sequence = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Rejects with `LogWriteFailed`, `LogBatchTooLarge`, `LogRecordInvalid`. */
  append(packed: PackedRecords): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ packed, enteredAt: performance.now(), resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once no append is under way. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // what is appended in the same turn shares the first batch
    while (this.#pending.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#running = undefined;
  }

  #takeGroup(): PendingAppend[] {
    const { batchRecordsMax, batchBytesMax } = this.#options;
    let records = 0;
    let bytes = 0;
    const end = this.#pending.findIndex(({ packed }, index) => {
      records += packed.count;
      bytes += packed.bodies.length;
      return index > 0 && (records > batchRecordsMax || bytes > batchBytesMax);
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end);
  }

  /** Never throws: each append learns its own fate. */
  async #writeGroup(group: readonly PendingAppend[]): Promise<void> {
    const { topic, partition, onEnd } = this.#options;
    const [first] = group;
    if (first === undefined) return;
    try {
      const { firstOffset, appendTime } = await this.#write(group, first.enteredAt);
      let next = firstOffset;
      const answers = group.map(({ packed }): Appended => {
        const times = packed.times ?? new Array<number>(packed.count).fill(appendTime);
        next += packed.count;
        return { firstOffset: next - packed.count, times };
      });
      onEnd(next);
      for (const [index, { resolve }] of group.entries()) {
        const answer = answers[index];
        if (answer !== undefined) resolve(answer);
      }
    } catch (error) {
      // The broker may hold the batch or not: what comes next must not be taken for its repeat.
      this.#producer = undefined;
      const refused = refusalOf(error, `${topic}/${partition}`);
      for (const { reject } of group) reject(refused);
    }
  }

  async #write(group: readonly PendingAppend[], enteredAt: number): Promise<Produced> {
    const { topic, partition, cluster, logger, courier, unavailableMs } = this.#options;
    const count = group.reduce((sum, { packed }) => sum + packed.count, 0);
    const patience = { cluster, logger, what: `append to ${topic}/${partition}` };
    let batch: Buffer | undefined;
    let ids = 0;
    const waitedMs = performance.now() - enteredAt;
    const produced = await retrying({ ...patience, unavailableMs: unavailableMs - waitedMs }, async () => {
      for (;;) {
        if (this.#producer === undefined) {
          this.#producer = await this.#takeProducerId();
          this.#sequence = 0;
          ids += 1;
          batch = batch === undefined ? undefined : stampBatch(batch, this.#stamp(this.#producer));
        }
        batch ??= encodeBatch(
          group.map((append) => append.packed),
          this.#stamp(this.#producer),
        );
        try {
          return await courier.send(topic, partition, batch);
        } catch (error) {
          if (!(error instanceof KafkaFault) || !ID_LOST.has(error.type) || ids >= IDS_MAX) throw error;
          logger.warn({ topic, partition, fault: error.type }, 'the append is sent under a new producer id');
          this.#producer = undefined;
        }
      }
    });
    this.#sequence = (this.#sequence + count) % SEQUENCES;
    return produced;
  }

  #stamp(producer: { readonly producerId: bigint; readonly epoch: number }): ProducerStamp {
    return { ...producer, sequence: this.#sequence };
  }

  async #takeProducerId(): Promise<{ producerId: bigint; epoch: number }> {
    const wire = await this.#options.cluster.anyWire();
    const answer = await wire.ask<InitAnswer>('InitProducerId', { transactionalId: null, transactionTimeout: 0 });
    checkCode(answer.errorCode, 'a producer id');
    return { producerId: BigInt(answer.producerId), epoch: answer.producerEpoch };
  }
}

function refusalOf(error: unknown, where: string): unknown {
  if (!(error instanceof KafkaFault)) return error;
  if (TOO_LARGE.has(error.type)) return new LogError('LogBatchTooLarge', where, { cause: error });
  if (INVALID.has(error.type)) return new LogError('LogRecordInvalid', where, { cause: error });
  return logRefusal('LogWriteFailed', where, error);
}
