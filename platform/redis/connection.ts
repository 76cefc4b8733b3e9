import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Cluster, Command, Redis, type RedisOptions } from 'ioredis';
import { isTlsRefusal } from '../tls/refusal.ts';
import { checkRedis } from './check-redis.ts';
import { type SocketConnector, socketConnector } from './connector.ts';
import { RedisError, redisError } from './errors.ts';
import type { RedisLogger } from './logger.ts';

export interface RedisConnectionOptions {
  /** The server, or some nodes of the cluster, which name the others. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly cluster: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
  /** The number of the database (default 0); a cluster has but that one. Needs the right to SELECT. */
  readonly database?: number;
  /** How long a command may take, ms. One that took longer may still be done later. */
  readonly commandTimeoutMs: number;
  /** How long opening may take, ms (default 30,000); a server that loads its data is waited for. */
  readonly openTimeoutMs?: number;
  /** For a server that forbids CONFIG: what it does not show, or shows as unsafe, is a warning in the log. */
  readonly allowUnsafe?: boolean;
  readonly logger: RedisLogger;
}

/** What is sent: bytes, or a string, whose bytes are those of UTF-8. */
export type RedisText = string | Buffer;

/** A connection on which each call is one script, sent once. */
export interface RedisConnection {
  /**
   * Runs `script` on the server as one step; all keys it touches are in `keys`. Replies hold Buffers, integers, null
   * and arrays of these. Throws `RedisError`; on `RedisUnreachable` and `RedisTimedOut` it may have been done, or may
   * yet be.
   */
  evaluate(script: string, keys: readonly RedisText[], args: readonly RedisText[]): Promise<unknown>;
  /** Drops the connection at once; calls under way fail. */
  disconnect(): void;
}

type CommonOptions = ReturnType<typeof commonOptions>;

const OPEN_TIMEOUT_MS = 30_000;
const RECONNECT_MS_MAX = 2_000;
const REDIRECTIONS_MAX = 8;

/**
 * Connects, and checks that the server is one on which money may rest. Throws `RedisError`. A connection that is lost
 * afterwards is made again for as long as it takes; calls fail at once in the meantime.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  let refusal: unknown;
  let lastError: unknown;
  const Connector = socketConnector(options.tls, (fault) => {
    if (isTlsRefusal(fault)) refusal = fault;
  });
  const common = commonOptions(options, Connector);
  const client = options.cluster ? clusterClient(options, common) : singleClient(options, common);
  client.on('error', (error: unknown) => {
    lastError = error;
    options.logger.warn({ error: redisError('connection', error).message }, 'redis connection');
  });
  const where = options.nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
  try {
    await within(options.openTimeoutMs ?? OPEN_TIMEOUT_MS, client.connect());
    // The client selects by itself too, but goes on in database 0 where that is refused. To select 0 would be a right more.
    const database = options.database ?? 0;
    if (database !== 0 && client instanceof Redis) await client.select(database);
    const masters = client instanceof Cluster ? client.nodes('master') : [client];
    await Promise.all(masters.map((master) => checkRedis(master, options)));
  } catch (error) {
    client.disconnect();
    if (error instanceof RedisError && error.code !== 'RedisTimedOut') throw error;
    throw redisError(`opening ${where}`, refusal ?? lastError ?? error);
  }
  return {
    evaluate: async (script, keys, args) => {
      try {
        // The arguments of a call are on the stack, which a large step would overflow: an array is not.
        return await client.sendCommand(new Command('eval', [script, keys.length, ...keys, ...args]));
      } catch (error) {
        throw redisError('script', error);
      }
    },
    disconnect: () => client.disconnect(),
  };
}

/**
 * Sent once or not at all: by default ioredis sends again what had no reply when the connection was lost, and lets a
 * call wait for as long as there is no server. RESP2, whose replies from scripts are the same on every version.
 */
function commonOptions(options: RedisConnectionOptions, Connector: SocketConnector) {
  return {
    Connector,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: options.commandTimeoutMs,
    // A peer that has vanished without a word is noticed here; TCP alone would take a quarter of an hour.
    socketTimeout: options.commandTimeoutMs * 2,
    connectTimeout: options.commandTimeoutMs,
    protocol: 2,
    lazyConnect: true,
    connectionName: 'tollgate',
    disableClientInfo: true,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  } as const satisfies RedisOptions;
}

function singleClient(options: RedisConnectionOptions, common: CommonOptions): Redis {
  const [node, ...others] = options.nodes;
  if (node === undefined || others.length > 0) {
    throw new RedisError('RedisWrongMode', `${options.nodes.length} nodes for one server`);
  }
  return new Redis({
    ...common,
    ...node,
    db: options.database ?? 0,
    enableOfflineQueue: false,
    retryStrategy: backoffMs,
    // Behind one address another server may be the master by now: connect anew, and send nothing again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
}

/**
 * MOVED, ASK and TRYAGAIN are followed: such a command was not done. What a lost connection or a cluster that is down
 * would have sent again is not (`retryDelayOnFailover`, `retryDelayOnClusterDown`).
 */
function clusterClient(options: RedisConnectionOptions, common: CommonOptions): Cluster {
  if (options.nodes.length === 0 || (options.database ?? 0) !== 0) {
    throw new RedisError('RedisWrongMode', 'a cluster has at least one node, and no database but 0');
  }
  return new Cluster([...options.nodes], {
    redisOptions: common,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    maxRedirections: REDIRECTIONS_MAX,
    slotsRefreshTimeout: options.commandTimeoutMs,
    clusterRetryStrategy: backoffMs,
    scaleReads: 'master',
  });
}

function backoffMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), RECONNECT_MS_MAX);
}

async function within<T>(timeoutMs: number, action: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RedisError('RedisTimedOut', `opening took over ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([action, late]);
  } finally {
    clearTimeout(timer);
  }
}
