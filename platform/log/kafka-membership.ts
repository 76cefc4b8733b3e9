import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaConnection } from '../kafka/connection.ts';
import { KafkaFault } from '../kafka/faults.ts';
import { GroupWire, type MemberWord, type Place } from '../kafka/group.ts';
import { logRefusal } from './kafka-refusal.ts';
import type { Membership, MembershipListener, ReadOffset } from './membership.ts';
import { type GroupMember, sharePartitions } from './membership-shares.ts';
import { LogError } from './port.ts';

export interface JoinOptions extends MembershipListener {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  /** All with the same number of partitions: number i of each goes to the same member. */
  readonly topics: readonly string[];
  /** A member that is not heard of for so long is put out. Default 30,000; brokers want at least 6,000. */
  readonly sessionTimeoutMs?: number;
  /** How long a rebalance waits for members that do not come. Default 30,000. */
  readonly rebalanceTimeoutMs?: number;
  /** How long the group may be out of reach before membership fails. Default 300,000. */
  readonly unavailableMs?: number;
}

const SESSION_TIMEOUT_MS = 30_000;
const REBALANCE_TIMEOUT_MS = 30_000;
const UNAVAILABLE_MS = 300_000;
const HEARTBEAT_MS_MAX = 3_000;
const HEARTBEATS_A_SESSION = 10;
const PAUSE_MS = 500;
const LEAVE_MS_MAX = 3_000;
/** The group has put this member out: it comes back as a new one. */
const PUT_OUT = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']);
const REBALANCE = 'REBALANCE_IN_PROGRESS';

/**
 * Joins a group and stays in it: out -> joining -> in -> (rebalance) joining -> in ..., or failed. Its heartbeats go by a
 * timer, whatever the owner of the partitions does meanwhile. Resolves with the first assignment, of which `onAssigned`
 * was told. Rejects with what `onFailed` would be told, if that comes first: `LogTopicInvalid` (topics missing or of
 * different numbers of partitions), `LogUnavailable`.
 */
export async function joinGroup(options: JoinOptions): Promise<Membership> {
  const member = new KafkaMember(options);
  await member.start();
  return member;
}

class KafkaMember implements Membership {
  readonly #options: JoinOptions;
  readonly #sessionMs: number;
  readonly #cluster: KafkaCluster;
  readonly #group: GroupWire;
  readonly #leaving = new AbortController();
  #memberId = '';
  #place: Place | undefined;
  #owned: ReadonlySet<number> = new Set();
  /** When the group last heard of this member for sure: when the request was sent, not when it was answered. */
  #heardAt = performance.now();
  #running: Promise<void> = Promise.resolve();

  constructor(options: JoinOptions) {
    this.#options = options;
    this.#sessionMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
    this.#cluster = new KafkaCluster(options.connection, options.topics);
    this.#group = new GroupWire({
      cluster: this.#cluster,
      groupId: options.groupId,
      topics: options.topics,
      sessionTimeoutMs: this.#sessionMs,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS,
    });
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    });
  }

  async tell(topic: string, offsets: readonly ReadOffset[]): Promise<void> {
    const place = this.#place;
    if (place === undefined || offsets.length === 0 || this.#leaving.signal.aborted) return;
    try {
      await this.#group.commit(place, topic, offsets);
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      this.#options.connection.logger.debug({ topic, fault }, 'the group was not told how far this member is');
    }
  }

  async leave(): Promise<void> {
    if (this.#leaving.signal.aborted) return this.#running;
    this.#leaving.abort();
    this.#group.end(); // a join that the broker holds back ends with it
    await this.#running;
    const memberId = this.#memberId;
    if (memberId === '') return this.#cluster.close();
    const deadline = AbortSignal.timeout(LEAVE_MS_MAX);
    const goodbye = new GroupWire({
      cluster: this.#cluster,
      groupId: this.#options.groupId,
      topics: this.#options.topics,
      sessionTimeoutMs: this.#sessionMs,
      rebalanceTimeoutMs: this.#sessionMs,
    });
    deadline.addEventListener('abort', () => this.#end(goodbye));
    try {
      await goodbye.leave(memberId);
    } catch {
      // The session's end puts the member out as well.
    } finally {
      this.#end(goodbye);
    }
  }

  #end(goodbye: GroupWire): void {
    goodbye.end();
    this.#cluster.close();
  }

  /** Never throws: it ends with `leave`, or by telling of the fault. */
  async #run(resolve: () => void, reject: (fault: Error) => void): Promise<void> {
    const { logger } = this.#options.connection;
    const { signal } = this.#leaving;
    const unavailableMs = this.#options.unavailableMs ?? UNAVAILABLE_MS;
    let started = false;
    let troubledAt: number | undefined;
    while (!signal.aborted) {
      try {
        await this.#join();
        troubledAt = undefined;
        if (!started) resolve();
        started = true;
        await this.#stay();
      } catch (error) {
        if (signal.aborted) break;
        this.#judge(error);
        if (!isTransient(error)) return this.#fail(error, started, reject);
        troubledAt ??= performance.now();
        if (performance.now() - troubledAt > unavailableMs) return this.#fail(error, started, reject);
        if (error instanceof KafkaFault && error.type !== REBALANCE) {
          logger.warn({ group: this.#options.groupId, fault: error.message }, 'out of the group; joining again');
          await pause(PAUSE_MS, signal);
        }
      }
    }
    if (!started) reject(new LogError('LogClosed', `group ${this.#options.groupId}`));
  }

  /** What an error says about this member's place. */
  #judge(error: unknown): void {
    const type = error instanceof KafkaFault ? error.type : '';
    if (PUT_OUT.has(type)) {
      this.#memberId = '';
      this.#lose();
    } else if (performance.now() - this.#heardAt > this.#sessionMs) {
      this.#lose();
    }
  }

  async #join(): Promise<void> {
    const { topics } = this.#options;
    await this.#cluster.refresh();
    const partitions = this.#partitions();
    const joined = await this.#group.join(this.#memberId, sayOwned(this.#place, this.#owned));
    this.#memberId = joined.memberId;
    const place = { memberId: joined.memberId, generation: joined.generation };
    const shares = joined.members.length === 0 ? new Map() : sharePartitions(partitions, joined.members.map(hearOwned));
    const syncedAt = performance.now();
    const own = await this.#group.sync(place, shares);
    if (this.#leaving.signal.aborted) return;
    this.#place = place;
    this.#heardAt = syncedAt;
    const { logger } = this.#options.connection;
    logger.info(
      { group: this.#options.groupId, topics, generation: place.generation, partitions: own },
      'in the group',
    );
    this.#assign(new Set(own));
  }

  /** Says that it lives until the group says otherwise, which it throws. */
  async #stay(): Promise<void> {
    const { signal } = this.#leaving;
    const everyMs = Math.min(HEARTBEAT_MS_MAX, this.#sessionMs / HEARTBEATS_A_SESSION);
    while (!signal.aborted) {
      await pause(everyMs, signal);
      if (signal.aborted || this.#place === undefined) return;
      const askedAt = performance.now();
      // Stopped for longer than a session: the group has given its partitions to others, whatever it will answer.
      if (askedAt - this.#heardAt > this.#sessionMs) throw new KafkaFault('UNKNOWN_MEMBER_ID', false, 'not heard of');
      await this.#beat(this.#place, askedAt);
    }
  }

  /** One heartbeat, tried again while the session lasts. */
  async #beat(place: Place, askedAt: number): Promise<void> {
    const { signal } = this.#leaving;
    for (;;) {
      try {
        await this.#group.heartbeat(place);
        this.#heardAt = askedAt;
        return;
      } catch (error) {
        const lasts = performance.now() - this.#heardAt <= this.#sessionMs;
        if (!(error instanceof KafkaFault) || !error.retriable || !lasts || signal.aborted) throw error;
        await pause(PAUSE_MS, signal);
      }
    }
  }

  #partitions(): number {
    const counts = this.#options.topics.map((topic) => this.#cluster.partitions(topic));
    const [first = 0] = counts;
    if (first === 0 || counts.some((count) => count !== first)) {
      const told = this.#options.topics.map((topic, index) => `${topic} has ${counts[index]}`).join(', ');
      throw new LogError('LogTopicInvalid', `topics of one group need the same number of partitions: ${told}`);
    }
    return first;
  }

  #lose(): void {
    this.#place = undefined;
    if (this.#owned.size > 0) this.#assign(new Set());
  }

  #assign(partitions: ReadonlySet<number>): void {
    this.#owned = partitions;
    if (!this.#leaving.signal.aborted) this.#options.onAssigned(partitions);
  }

  #fail(error: unknown, started: boolean, reject: (fault: Error) => void): void {
    this.#lose();
    this.#leaving.abort();
    this.#group.end();
    this.#cluster.close();
    const fault = faultOf(error, this.#options.groupId);
    if (started) this.#options.onFailed(fault);
    else reject(fault);
  }
}

/** Whether joining again may help. */
function isTransient(error: unknown): boolean {
  return error instanceof KafkaFault && (error.retriable || error.type === REBALANCE || PUT_OUT.has(error.type));
}

function faultOf(error: unknown, groupId: string): Error {
  if (error instanceof KafkaFault) return logRefusal('LogUnavailable', `group ${groupId}`, error);
  return error instanceof Error ? error : new Error(String(error));
}

/** What a member tells the one that shares out: `{"generation":3,"partitions":[0,4]}`. */
function sayOwned(place: Place | undefined, owned: ReadonlySet<number>): Buffer {
  return Buffer.from(JSON.stringify({ generation: place?.generation ?? -1, partitions: [...owned] }));
}

/** What cannot be read was said by nobody: the member had nothing. */
function hearOwned({ memberId, userData }: MemberWord): GroupMember {
  const nothing = { id: memberId, generation: -1, partitions: [] };
  try {
    const word: unknown = JSON.parse(userData.toString('utf8'));
    if (typeof word !== 'object' || word === null || !('generation' in word) || !('partitions' in word)) return nothing;
    const { generation, partitions } = word;
    if (typeof generation !== 'number' || !Array.isArray(partitions)) return nothing;
    return { id: memberId, generation, partitions: partitions.filter((number) => typeof number === 'number') };
  } catch {
    return nothing;
  }
}

/** Ends early when `signal` is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // aborted: the caller looks at the signal
  }
}
