import { ByteReader, ByteWriter } from './bytes.ts';
import type { KafkaCluster } from './cluster.ts';
import { checkCode, KafkaFault } from './faults.ts';
import { type Address, nameOf, type Wire } from './wire.ts';

const API_KEY = 0;
const API_VERSION = 7;
const ALL_IN_SYNC = -1;
/** Below what a broker takes in one request (socket.request.max.bytes, 100 MiB). */
const REQUEST_BYTES_MAX = 32 * 1024 * 1024;

/** What the broker did with a batch; `appendTime` is -1 in a topic of event time. */
export interface Produced {
  readonly firstOffset: number;
  readonly appendTime: number;
}

interface Parcel {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
  readonly resolve: (produced: Produced) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  readonly address: Address;
  waiting: Parcel[];
  wire: Wire | undefined;
  running: boolean;
}

/**
 * Carries record batches to the brokers, on a connection of its own to each, one request at a time, since a broker takes
 * up a connection's requests one after the other: what comes while one is under way travels together in the next. At
 * most one batch of a partition may be under way; its sender sees to that.
 */
export class ProduceCourier {
  readonly #cluster: KafkaCluster;
  readonly #acknowledgeMs: number;
  readonly #lanes = new Map<string, Lane>();

  /** @param acknowledgeMs how long the broker may wait for its replicas */
  constructor(cluster: KafkaCluster, acknowledgeMs: number) {
    this.#cluster = cluster;
    this.#acknowledgeMs = acknowledgeMs;
  }

  /** Resolves once all in-sync replicas hold the batch. Throws `KafkaFault`; after one that may heal it is unknown whether they do. */
  send(topic: string, partition: number, batch: Buffer): Promise<Produced> {
    const address = this.#cluster.leader(topic, partition);
    const lane = this.#lane(address);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ topic, partition, batch, resolve, reject });
      if (!lane.running) void this.#run(lane);
    });
  }

  /** Ends the connections; what is under way is refused. */
  close(): void {
    for (const { wire } of this.#lanes.values()) wire?.close();
  }

  #lane(address: Address): Lane {
    const name = nameOf(address);
    const held = this.#lanes.get(name);
    if (held !== undefined) return held;
    const lane: Lane = { address, waiting: [], wire: undefined, running: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Never throws: each parcel learns its own fate. */
  async #run(lane: Lane): Promise<void> {
    lane.running = true;
    await Promise.resolve(); // what is sent in the same turn shares the first request
    while (lane.waiting.length > 0) {
      const parcels = takeParcels(lane);
      try {
        if (lane.wire === undefined || !lane.wire.open) lane.wire = await this.#cluster.ownWire(lane.address);
        const answer = await lane.wire.askRaw({
          apiKey: API_KEY,
          apiVersion: API_VERSION,
          apiName: 'Produce',
          body: encodeRequest(parcels, this.#acknowledgeMs),
          holdMs: this.#acknowledgeMs,
        });
        settle(parcels, answer);
      } catch (error) {
        for (const parcel of parcels) parcel.reject(error);
      }
    }
    lane.running = false;
  }
}

/** At least one, else as many as fit. */
function takeParcels(lane: Lane): Parcel[] {
  let bytes = 0;
  const end = lane.waiting.findIndex(({ batch }, index) => {
    bytes += batch.length;
    return index > 0 && bytes > REQUEST_BYTES_MAX;
  });
  return lane.waiting.splice(0, end < 0 ? lane.waiting.length : end);
}

function encodeRequest(parcels: readonly Parcel[], acknowledgeMs: number): Buffer {
  const size = parcels.reduce((sum, { topic, batch }) => sum + topic.length * 3 + 18 + batch.length, 12);
  const writer = new ByteWriter(size).int16(-1).int16(ALL_IN_SYNC).int32(acknowledgeMs);
  const topics = new Map<string, Parcel[]>();
  for (const parcel of parcels) topics.set(parcel.topic, [...(topics.get(parcel.topic) ?? []), parcel]);
  writer.int32(topics.size);
  for (const [topic, own] of topics) {
    writer.string(topic).int32(own.length);
    for (const { partition, batch } of own) writer.int32(partition).int32(batch.length).raw(batch);
  }
  return writer.bytes;
}

function settle(parcels: readonly Parcel[], answer: Buffer): void {
  const reader = new ByteReader(answer);
  const open = new Map(parcels.map((parcel) => [`${parcel.topic}/${parcel.partition}`, parcel]));
  reader.list(() => {
    const topic = reader.string();
    reader.list(() => {
      const name = `${topic}/${reader.int32()}`;
      const code = reader.int16();
      const produced = { firstOffset: reader.int64(), appendTime: reader.int64() };
      reader.int64();
      const parcel = open.get(name);
      open.delete(name);
      try {
        checkCode(code, `produce ${name}`);
        parcel?.resolve(produced);
      } catch (error) {
        parcel?.reject(error);
      }
    });
  });
  for (const [name, parcel] of open) parcel.reject(new KafkaFault('NO_ANSWER', true, `produce ${name}`));
}
