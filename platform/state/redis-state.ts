import { randomUUID } from 'node:crypto';
import { openRedis, type RedisConnection, type RedisConnectionOptions, type RedisText } from '../redis/connection.ts';
import { RedisError } from '../redis/errors.ts';
import { encodeText } from '../text/ordered-text.ts';
import { checkCommit, checkLimit, checkText, checkUpTo } from './check.ts';
import {
  type Claim,
  type Commit,
  type Fence,
  type Peek,
  StateError,
  type StateErrorCode,
  type StateReader,
  type StateStore,
  type Timer,
} from './port.ts';
import { hashKey, type RedisKeys, redisKeys } from './redis-keys.ts';
import { checkpointOf, fencedReply, hashesOf, list, mark, textsOf, timersOf, whole } from './redis-replies.ts';
import { CLAIM, COMMIT, DUE, LOAD, PEEK, SCAN, SCAN_FENCED } from './redis-scripts.ts';
import { commitArguments, fenceArguments } from './redis-step.ts';

export interface RedisStateOptions extends RedisConnectionOptions {
  /** What all keys begin with (default `tollgate`); tells apart several installations on one server. */
  readonly prefix?: string;
}

const DEFAULT_PREFIX = 'tollgate';

/**
 * Opens the state store on a Redis server or cluster, with a connection of its own. Throws `RedisError`: unreachable, or
 * not such that what it acknowledges is durable.
 *
 * A server that is restored, or a replica that takes over, may have lost the last writes it acknowledged, so epoch and
 * offset may come again with other content. Every claim and commit therefore leaves a mark of its own (the claim's
 * random name and a count), and a fence without the stored mark is refused: the owner claims again and goes on from the
 * older checkpoint.
 */
export async function openRedisState(options: RedisStateOptions): Promise<StateStore> {
  return new RedisState(await openRedis(options), checkedPrefix(options.prefix));
}

/** The same for who only reads: in a process of its own, beside those that own scopes. */
export async function openRedisStateReader(options: RedisStateOptions): Promise<StateReader> {
  return openRedisState(options);
}

/** The store on a connection that is open, which closing the store drops. */
export function redisStateOn(connection: RedisConnection, prefix?: string): StateStore {
  return new RedisState(connection, checkedPrefix(prefix));
}

class RedisState implements StateStore {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  async claim(scope: string): Promise<Claim> {
    const keys = this.#keys(scope);
    const reply = list(scope, await this.#write(scope, CLAIM, [keys.meta], [randomUUID()]));
    const [epoch, owner, revision, next, version, meta] = reply;
    const checkpoint = checkpointOf(scope, next, version, meta);
    const fence = {
      epoch: whole(scope, epoch),
      nextOffset: checkpoint?.nextOffset,
      mark: mark(scope, owner, revision),
    };
    return { fence, checkpoint };
  }

  async load(scope: string, fence: Fence, keys: readonly string[]): Promise<Map<string, Map<string, string>>> {
    const { scriptKeys, distinct } = this.#hashKeys(scope, keys);
    const reply = await this.#read(scope, LOAD, scriptKeys, fenceArguments(fence));
    return hashesOf(scope, distinct, fencedReply(scope, fence, reply));
  }

  async due(scope: string, fence: Fence, upTo: number, limit: number): Promise<Timer[]> {
    const keys = this.#keys(scope);
    checkLimit(limit);
    checkUpTo(upTo);
    const args = [...fenceArguments(fence), scoreText(upTo), `${limit}`];
    const [timers] = fencedReply(scope, fence, await this.#read(scope, DUE, [keys.meta, keys.timers], args));
    return timersOf(scope, timers);
  }

  async commit(scope: string, fence: Fence, step: Commit): Promise<Fence> {
    const keys = this.#keys(scope);
    checkCommit(fence, step);
    const call = commitArguments(keys, fence, step);
    const [revision] = fencedReply(scope, fence, await this.#write(scope, COMMIT, call.keys, call.args));
    const owner = fence.mark?.slice(0, fence.mark.indexOf('.')) ?? '';
    return {
      epoch: fence.epoch,
      nextOffset: step.next.nextOffset,
      mark: `${owner}.${whole(scope, revision)}`,
    };
  }

  async peek(scope: string, keys: readonly string[]): Promise<Peek> {
    const { scriptKeys, distinct } = this.#hashKeys(scope, keys);
    const [checkpoint, ...hashes] = list(scope, await this.#read(scope, PEEK, scriptKeys, []));
    const [next, version, meta] = list(scope, checkpoint);
    return { checkpoint: checkpointOf(scope, next, version, meta), hashes: hashesOf(scope, distinct, hashes) };
  }

  async scan(scope: string, page: { after?: string; limit: number; fence?: Fence }): Promise<string[]> {
    const keys = this.#keys(scope);
    checkLimit(page.limit);
    const { after, fence } = page;
    const least = after === undefined ? '-' : Buffer.concat([Buffer.from('('), encodeText(after)]);
    const range = [least, `${page.limit}`];
    if (fence === undefined) return textsOf(scope, await this.#read(scope, SCAN, [keys.keys], range));
    const args = [...fenceArguments(fence), ...range];
    const [found] = fencedReply(scope, fence, await this.#read(scope, SCAN_FENCED, [keys.meta, keys.keys], args));
    return textsOf(scope, found);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#running]);
    this.#connection.disconnect();
  }

  #keys(scope: string): RedisKeys {
    if (this.#closed) throw new StateError('StateClosed', `scope ${scope}`);
    checkText('scope', scope);
    return redisKeys(this.#prefix, scope);
  }

  #hashKeys(scope: string, keys: readonly string[]): { scriptKeys: RedisText[]; distinct: string[] } {
    const scoped = this.#keys(scope);
    for (const key of keys) checkText('key', key);
    const distinct = [...new Set(keys)];
    return { scriptKeys: [scoped.meta, ...distinct.map((key) => hashKey(scoped, key))], distinct };
  }

  #read(scope: string, script: string, keys: readonly RedisText[], args: readonly RedisText[]): Promise<unknown> {
    return this.#run(scope, 'StateUnavailable', () => this.#connection.evaluate(script, keys, args));
  }

  #write(scope: string, script: string, keys: readonly RedisText[], args: readonly RedisText[]): Promise<unknown> {
    return this.#run(scope, 'StateWriteFailed', () => this.#connection.evaluate(script, keys, args));
  }

  async #run(scope: string, code: StateErrorCode, call: () => Promise<unknown>): Promise<unknown> {
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      const found = error.code === 'RedisWrongType' ? 'StateCorrupt' : code;
      throw new StateError(found, `scope ${scope}: ${error.name}: ${error.message}`, { cause: error });
    } finally {
      this.#running.delete(running);
    }
  }
}

/** An instant as a score: JavaScript's infinity is no number to Redis. */
function scoreText(upTo: number): string {
  if (Number.isFinite(upTo)) return `${upTo}`;
  return upTo > 0 ? '+inf' : '-inf';
}

/** A brace would begin a hash tag before the partition's; the rest is what ACL patterns take for themselves. */
function checkedPrefix(prefix = DEFAULT_PREFIX): string {
  if (/^[A-Za-z0-9._:-]{1,100}$/.test(prefix)) return prefix;
  throw new StateError('StateInputInvalid', `prefix ${JSON.stringify(prefix)}, not 1 to 100 of A-Z a-z 0-9 . _ : -`);
}
