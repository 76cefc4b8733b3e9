import { AssignerProtocol } from 'kafkajs';
import type { KafkaCluster } from './cluster.ts';
import { checkCode, KafkaFault } from './faults.ts';
import type { Address, Wire } from './wire.ts';

/** The name under which all members of a group agree how partitions are shared; another way needs another name. */
const PROTOCOL = 'tollgate-copartitioned-sticky';
const METADATA_VERSION = 1;
const MEMBER_ID_REQUIRED = 79;

export interface GroupOptions {
  readonly cluster: KafkaCluster;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Without a word for so long, a member is put out. */
  readonly sessionTimeoutMs: number;
  /** How long a rebalance waits for members that do not come. */
  readonly rebalanceTimeoutMs: number;
}

/** One member's place in one generation of the group. */
export interface Place {
  readonly memberId: string;
  readonly generation: number;
}

/** What the group's leader is told of each member, and says to it. */
export interface MemberWord {
  readonly memberId: string;
  readonly userData: Buffer;
}

export interface Joined extends Place {
  /** All members, for the one that shares the partitions out; nobody for the others. */
  readonly members: readonly MemberWord[];
}

interface JoinAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

interface CoordinatorAnswer {
  readonly errorCode: number;
  readonly coordinator: { readonly host: string; readonly port: number };
}

/** The requests of Kafka's group protocol, on a connection of its own, since the broker holds joins back. Throws `KafkaFault`. */
export class GroupWire {
  readonly #options: GroupOptions;
  #wire: Wire | undefined;
  #address: Address | undefined;
  #ended = false;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** Joins, or joins again; resolves when all have joined. `memberId` is '' the first time. */
  async join(memberId: string, userData: Buffer): Promise<Joined> {
    const { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const metadata = AssignerProtocol.MemberMetadata.encode({
      version: METADATA_VERSION,
      topics: [...topics],
      userData,
    });
    const ask = async (id: string) =>
      (await this.#coordinator()).ask<JoinAnswer>('JoinGroup', {
        groupId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        memberId: id,
        protocolType: 'consumer',
        groupProtocols: [{ name: PROTOCOL, metadata }],
      });
    let answer = await ask(memberId);
    if (answer.errorCode === MEMBER_ID_REQUIRED) answer = await ask(answer.memberId);
    this.#check(answer.errorCode, 'join');
    const leads = answer.leaderId === answer.memberId;
    return {
      memberId: answer.memberId,
      generation: answer.generationId,
      members: leads ? answer.members.map(wordOf) : [],
    };
  }

  /** Gives the others their shares, if this member leads, and takes its own: the partition numbers. */
  async sync(place: Place, shares: ReadonlyMap<string, readonly number[]>): Promise<readonly number[]> {
    const { groupId, topics } = this.#options;
    const wire = await this.#coordinator();
    const groupAssignment = [...shares].map(([memberId, partitions]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: METADATA_VERSION,
        assignment: Object.fromEntries(topics.map((topic) => [topic, [...partitions]])),
        userData: Buffer.alloc(0),
      }),
    }));
    const answer = await wire.ask<{ errorCode: number; memberAssignment: Buffer }>('SyncGroup', {
      groupId,
      generationId: place.generation,
      memberId: place.memberId,
      groupAssignment,
    });
    this.#check(answer.errorCode, 'sync');
    const assignment = AssignerProtocol.MemberAssignment.decode(answer.memberAssignment)?.assignment ?? {};
    return assignment[topics[0] ?? ''] ?? [];
  }

  async heartbeat(place: Place): Promise<void> {
    const wire = await this.#coordinator();
    const answer = await wire.ask<{ errorCode: number }>('Heartbeat', {
      groupId: this.#options.groupId,
      groupGenerationId: place.generation,
      memberId: place.memberId,
    });
    this.#check(answer.errorCode, 'heartbeat');
  }

  async leave(memberId: string): Promise<void> {
    const wire = await this.#coordinator();
    const { groupId } = this.#options;
    const answer = await wire.ask<{ errorCode: number }>('LeaveGroup', { groupId, memberId });
    this.#check(answer.errorCode, 'leave');
  }

  /** On the shared connection: a join may hold up this one's own. What comes of it leaves membership as it is. */
  async commit(
    place: Place,
    topic: string,
    offsets: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void> {
    if (this.#address === undefined) throw new KafkaFault('GROUP_COORDINATOR_NOT_AVAILABLE', true, 'commit');
    const wire = await this.#options.cluster.wire(this.#address);
    const answer = await wire.ask<{ responses: readonly { partitions: readonly { errorCode: number }[] }[] }>(
      'OffsetCommit',
      {
        groupId: this.#options.groupId,
        groupGenerationId: place.generation,
        memberId: place.memberId,
        topics: [
          { topic, partitions: offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) })) },
        ],
      },
    );
    const verb = `commit of group ${this.#options.groupId}`;
    for (const { errorCode } of answer.responses[0]?.partitions ?? []) checkCode(errorCode, verb);
  }

  /** Ends it for good: what is under way is refused, and all that comes. */
  end(): void {
    this.#ended = true;
    this.#close();
  }

  #close(): void {
    this.#wire?.close();
    this.#wire = undefined;
  }

  #check(code: number, verb: string): void {
    try {
      checkCode(code, `${verb} of group ${this.#options.groupId}`);
    } catch (error) {
      if (error instanceof KafkaFault && error.retriable) this.#close(); // the coordinator may have moved
      throw error;
    }
  }

  async #coordinator(): Promise<Wire> {
    if (this.#wire?.open) return this.#wire;
    if (this.#ended) throw new KafkaFault('CLOSED', false, `group ${this.#options.groupId}`);
    const { cluster, groupId } = this.#options;
    const any = await cluster.anyWire();
    const answer = await any.ask<CoordinatorAnswer>('GroupCoordinator', {
      groupId,
      coordinatorType: 0,
    });
    this.#check(answer.errorCode, 'coordinator');
    this.#address = { host: answer.coordinator.host, port: answer.coordinator.port };
    const wire = await cluster.ownWire(this.#address);
    this.#wire = wire;
    if (this.#ended) this.#close();
    return wire;
  }
}

function wordOf(member: JoinAnswer['members'][number]): MemberWord {
  const metadata = AssignerProtocol.MemberMetadata.decode(member.memberMetadata);
  return { memberId: member.memberId, userData: metadata?.userData ?? Buffer.alloc(0) };
}
