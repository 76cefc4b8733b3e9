import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisConnectionOptions } from '../../../platform/redis/connection.ts';

interface TestUser {
  readonly username?: string;
  readonly password?: string;
  readonly enableReadyCheck?: boolean;
}

type ServerCommand = readonly [name: string, ...args: (string | number | Buffer)[]];

/** A redis-server of its own, on loopback, which writes what it acknowledges to a file that is fsynced. */
export class TestRedis {
  readonly port: number;
  readonly directory: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, directory: string, settings: readonly string[]) {
    this.port = port;
    this.directory = directory;
    this.#settings = settings;
  }

  static async start(settings: readonly string[] = []): Promise<TestRedis> {
    const directory = await mkdtemp(join(tmpdir(), 'tollgate-redis-'));
    const server = new TestRedis(await freePort(), directory, settings);
    await server.resume();
    return server;
  }

  /** Starts it again on what is in its directory; resolves once it answers. */
  async resume(): Promise<void> {
    const child = spawn(SERVER, [...DURABLE, ...this.#ownSettings(), ...this.#settings], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${printed.slice(-2000)}`)));
      child.stdout.on('data', (chunk) => {
        printed += String(chunk);
        if (printed.includes('Ready to accept connections')) resolve();
      });
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Runs commands on a connection of their own, in turn; the replies. */
  async command(...commands: readonly ServerCommand[]): Promise<unknown[]> {
    return this.#commands({}, commands);
  }

  /** The same as a user of the server. */
  async commandAs(username: string, password: string, ...commands: readonly ServerCommand[]): Promise<unknown[]> {
    return this.#commands({ username, password, enableReadyCheck: false }, commands);
  }

  async #commands(user: TestUser, commands: readonly ServerCommand[]): Promise<unknown[]> {
    const own = {
      host: '127.0.0.1',
      port: this.port,
      lazyConnect: true,
      disableClientInfo: true,
      protocol: 2,
    } as const;
    const client = new Redis({ ...own, retryStrategy: () => null, ...user });
    client.on('error', () => {});
    try {
      await client.connect();
      const replies: unknown[] = [];
      for (const [name, ...args] of commands) replies.push(await client.call(name, ...args));
      return replies;
    } finally {
      client.disconnect();
    }
  }

  #ownSettings(): string[] {
    return ['--port', `${this.port}`, '--dir', this.directory];
  }
}

const SERVER = 'redis-server';

const DURABLE = [
  ...['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
  ...['--maxmemory-policy', 'noeviction', '--enable-protected-configs', 'local'],
];

/** Three masters that share the slots. */
export async function startCluster(): Promise<TestRedis[]> {
  const nodes = [await clusterNode(), await clusterNode(), await clusterNode()];
  const ranges = [
    [0, 5460],
    [5461, 10922],
    [10923, 16383],
  ] as const;
  const [first] = nodes;
  for (const [index, { server }] of nodes.entries()) {
    const [from, to] = ranges[index] ?? [0, 0];
    await server.command(['cluster', 'addslotsrange', from, to], ['cluster', 'set-config-epoch', index + 1]);
  }
  for (const { server } of nodes.slice(1)) {
    await server.command(['cluster', 'meet', '127.0.0.1', first?.server.port ?? 0, first?.bus ?? 0]);
  }
  for (const { server } of nodes) await untilClusterIsUp(server);
  return nodes.map(({ server }) => server);
}

/** The bus gets a free port of its own: its default, 10,000 above the other, need not be free nor be a port. */
async function clusterNode(): Promise<{ readonly server: TestRedis; readonly bus: number }> {
  const bus = await freePort();
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000', '--cluster-port', `${bus}`];
  return { server: await TestRedis.start(settings), bus };
}

async function untilClusterIsUp(node: TestRedis): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const [info] = await node.command(['cluster', 'info']);
    const text = String(info);
    if (text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the cluster did not come up');
}

export function connectionOptions(
  servers: readonly TestRedis[],
  options: Partial<RedisConnectionOptions> = {},
): RedisConnectionOptions {
  return {
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    cluster: servers.length > 1,
    commandTimeoutMs: 20_000,
    logger: { info: () => {}, warn: () => {} },
    ...options,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A way to the server that can be cut after what was sent has arrived: the reply is then lost. */
export async function startProxy(target: number): Promise<{
  readonly port: number;
  /** Holds back what the server says from here on, and cuts the connections at the first of it. */
  loseNextReply(): void;
  close(): Promise<void>;
}> {
  const sockets = new Set<Socket>();
  let losing = false;
  const proxy = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => {
      if (!losing) return void near.write(chunk);
      losing = false;
      end();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  return {
    port: address === null || typeof address === 'string' ? 0 : address.port,
    loseNextReply: () => {
      losing = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

/** Calls until it succeeds, as an owner does that starts again; throws the last error after 30 s. */
export async function untilItWorks<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
