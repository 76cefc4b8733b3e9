import type { KafkaConnection } from './connection.ts';
import { checkCode, KafkaFault } from './faults.ts';
import { type Address, nameOf, parseAddress, Wire } from './wire.ts';

interface MetadataAnswer {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly controllerId: number;
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly { partitionId: number; leader: number }[];
  }[];
}

const UNKNOWN_TOPIC = 3;

/** Who leads which partition, and connections to the brokers that many may use for requests that are answered at once. */
export class KafkaCluster {
  readonly #connection: KafkaConnection;
  readonly #topics: readonly string[];
  readonly #wires = new Map<string, Promise<Wire>>();
  #brokers = new Map<number, Address>();
  #controllerId = -1;
  /** By topic, the leader's node of each partition. */
  #leaders = new Map<string, Map<number, number>>();
  #refreshing: Promise<void> | undefined;
  #refusals = 0;
  #closed = false;

  /** Asks nothing yet; `topics` are those whose leaders will be asked for. */
  constructor(connection: KafkaConnection, topics: readonly string[]) {
    this.#connection = connection;
    this.#topics = topics;
  }

  /** Asks any broker who leads what. Calls at once share one answer. Throws the last broker's `KafkaFault`. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** How many partitions a topic has, as of the last refresh; 0 if there is no such topic. */
  partitions(topic: string): number {
    return this.#leaders.get(topic)?.size ?? 0;
  }

  /** Where a partition's leader listens, as of the last refresh. Throws `KafkaFault` LEADER_NOT_AVAILABLE. */
  leader(topic: string, partition: number): Address {
    const address = this.#brokers.get(this.#leaders.get(topic)?.get(partition) ?? -1);
    if (address === undefined) throw new KafkaFault('LEADER_NOT_AVAILABLE', true, `${topic}/${partition}`);
    return address;
  }

  /** A connection to a partition's leader, for requests that the broker does not hold back. */
  async leaderWire(topic: string, partition: number): Promise<Wire> {
    return this.wire(this.leader(topic, partition));
  }

  /** A connection to the broker that creates topics. */
  async controllerWire(): Promise<Wire> {
    const address = this.#brokers.get(this.#controllerId);
    if (address === undefined) throw new KafkaFault('NOT_CONTROLLER', true, 'no controller is known');
    return this.wire(address);
  }

  /** A connection to any broker: of those known, else of those first named. Throws the last one's `KafkaFault`. */
  async anyWire(): Promise<Wire> {
    const named = this.#connection.brokers.map(parseAddress);
    const all = [
      ...new Map([...this.#brokers.values(), ...named].map((address) => [nameOf(address), address])).values(),
    ];
    // After a broker that took a request and never answered, another one is asked first.
    const first = all.length === 0 ? 0 : this.#refusals % all.length;
    let last: unknown = new KafkaFault('CONNECTION', true, 'no broker is named');
    for (const address of [...all.slice(first), ...all.slice(0, first)]) {
      try {
        return await this.wire(address);
      } catch (error) {
        if (!(error instanceof KafkaFault) || !error.retriable) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** The one shared connection to a broker, opened anew if the last one ended. */
  async wire(address: Address): Promise<Wire> {
    const name = nameOf(address);
    const held = this.#wires.get(name);
    if (held !== undefined) {
      const wire = await held;
      if (wire.open) return wire;
      if (this.#wires.get(name) !== held) return this.wire(address); // another caller has opened one meanwhile
    }
    if (this.#closed) throw new KafkaFault('CLOSED', false, name);
    const opening = Wire.open(this.#connection, address);
    this.#wires.set(name, opening);
    try {
      const wire = await opening;
      if (this.#closed) wire.close();
      return wire;
    } catch (error) {
      if (this.#wires.get(name) === opening) this.#wires.delete(name);
      throw error;
    }
  }

  /** A connection of one's own, for requests that the broker holds back. */
  async ownWire(address: Address): Promise<Wire> {
    const wire = await Wire.open(this.#connection, address);
    if (this.#closed) wire.close();
    return wire;
  }

  /** Ends the shared connections; what is under way on them is refused. */
  close(): void {
    this.#closed = true;
    for (const opening of this.#wires.values()) {
      opening.then(
        (wire) => wire.close(),
        () => {}, // it never opened
      );
    }
    this.#wires.clear();
  }

  async #refresh(): Promise<void> {
    const answer = await this.#askMetadata();
    const leaders = new Map<string, Map<number, number>>();
    for (const { topic, topicErrorCode, partitionMetadata } of answer.topicMetadata) {
      if (topicErrorCode === UNKNOWN_TOPIC) continue;
      checkCode(topicErrorCode, `metadata of ${topic}`);
      leaders.set(topic, new Map(partitionMetadata.map(({ partitionId, leader }) => [partitionId, leader])));
    }
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controllerId = answer.controllerId;
    this.#leaders = leaders;
  }

  async #askMetadata(): Promise<MetadataAnswer> {
    try {
      const wire = await this.anyWire();
      return await wire.ask<MetadataAnswer>('Metadata', { topics: [...this.#topics], allowAutoTopicCreation: false });
    } catch (error) {
      this.#refusals += 1;
      throw error;
    }
  }
}
