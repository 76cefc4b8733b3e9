import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../cli/stack/ports.ts';
import { redisAclRules } from '../../platform/redis/acl.ts';
import { openRedis, type RedisConnectionOptions } from '../../platform/redis/connection.ts';
import { socketConnector } from '../../platform/redis/connector.ts';
import type { RedisErrorCode } from '../../platform/redis/errors.ts';
import { redisStateOn } from '../../platform/state/redis-state.ts';
import { openClusterState } from '../../services/shared/runtime/connect.ts';
import { CLUSTER_VARIABLES, readVariables } from '../../services/shared/runtime/variables.ts';
import { STATE_CONTRACT } from '../contracts/state-contract.ts';
import { describeOnStack } from '../integration/support/components.ts';
import { TestRedis } from '../platform/redis/support.ts';
import { type Authority, type Identity, makeAuthority } from './support/certificates.ts';
import { Secrets } from './support/secrets.ts';
import { Stubs } from './support/stubs.ts';

const START_MS = 120_000;
const USER = 'tollgate';
const PASSWORD = 'pw+/%@:of-the-state=';
/** A server that refuses a client's certificate says so after the client has begun to write, and may cut it off before it reads. */
const CUT_OFF = /^Redis(NotTrusted|Unreachable)$/;
const WRONG = 'wrong-and-secret';

let folder = '';
let authority: Authority;
let stranger: Authority;
let client: Identity;
let server: TestRedis;
let port = 0;
const stubs = new Stubs();

/** As a service has it. */
function options(other: Partial<RedisConnectionOptions> = {}): RedisConnectionOptions {
  return {
    ...{ nodes: [{ host: '127.0.0.1', port }], cluster: false, username: USER, password: PASSWORD },
    ...{ tls: { ca: authority.pem, ...textsOf(client) }, commandTimeoutMs: 20_000 },
    logger: { info: () => {}, warn: () => {} },
    ...other,
  };
}

async function refused(
  other: Partial<RedisConnectionOptions>,
  code: RedisErrorCode | RegExp,
  says: string,
): Promise<void> {
  const secrets = new Secrets([WRONG, PASSWORD]);
  const opening = openRedis(options({ logger: secrets.logger, ...other }));
  const [outcome] = await Promise.allSettled([opening]);
  expect(outcome).toMatchObject({
    status: 'rejected',
    reason: { name: expect.stringMatching(code), message: expect.stringContaining(says) },
  });
  secrets.hear(outcome);
  secrets.check();
}

/** The least user and no other, by TLS and by no certificate but the authority's. */
async function startRedis(
  more: readonly string[] = [],
): Promise<{ readonly redis: TestRedis; readonly tlsPort: number }> {
  const [tlsPort = 0] = await freePorts(1);
  const { key, cert } = authority.issue('redis');
  const redis = await TestRedis.start([
    ...[
      '--tls-port',
      `${tlsPort}`,
      '--tls-cluster',
      'yes',
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-ca-cert-file',
      authority.ca,
    ],
    ...more,
  ]);
  await allow(redis, redisAclRules('tollgate', more.includes('--cluster-enabled')));
  return { redis, tlsPort };
}

async function allow(redis: TestRedis, rules: readonly string[]): Promise<void> {
  await redis.command(['acl', 'setuser', USER, 'reset', 'on', `>${PASSWORD}`, ...rules]);
}

describeOnStack('Redis by TLS, as a user with the rights that are listed', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-redis-tls-'));
    authority = makeAuthority(folder, 'authority');
    stranger = makeAuthority(folder, 'stranger');
    client = authority.issue('rater');
    const started = await startRedis();
    server = started.redis;
    port = started.tlsPort;
  }, START_MS);

  afterAll(async () => {
    await stubs.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }, START_MS);

  describe('the state', () => {
    test.each(STATE_CONTRACT)('$title', { timeout: START_MS }, async ({ run }) => {
      await server.command(['flushall']);
      const opened: { disconnect(): void }[] = [];
      const cut = async () => {
        for (const connection of opened.splice(0)) connection.disconnect();
      };
      const open = async () => {
        const connection = await openRedis(options());
        opened.push(connection);
        return redisStateOn(connection);
      };
      await run({ open, cut, dispose: cut });
      await cut();
    });
  });

  test('is reached by what the environment says', async () => {
    const settings = readVariables(CLUSTER_VARIABLES, {
      ...{ TOLLGATE_REDIS_NODES: `127.0.0.1:${port}`, TOLLGATE_REDIS_TLS: 'on', TOLLGATE_REDIS_TLS_CA: authority.ca },
      ...{ TOLLGATE_REDIS_TLS_CERT: client.cert, TOLLGATE_REDIS_TLS_KEY: client.key },
      ...{ TOLLGATE_REDIS_USERNAME: USER, TOLLGATE_REDIS_PASSWORD: PASSWORD },
    });
    const state = await openClusterState(settings, pino({ level: 'silent' }));
    expect((await state.claim('rater/9')).fence).toMatchObject({ epoch: 1 });
    await state.close();
  });

  test(
    'a cluster names its nodes by their ports with TLS',
    async () => {
      const [bus = 0] = await freePorts(1);
      const own = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-announce-ip', '127.0.0.1'];
      const { redis, tlsPort } = await startRedis(own);
      try {
        await redis.command(['cluster', 'addslotsrange', 0, 16_383]);
        await untilServed(redis);
        const nodes = [{ host: '127.0.0.1', port: tlsPort }];
        const connection = await openRedis(options({ nodes, cluster: true }));
        expect((await redisStateOn(connection).claim('rater/0')).fence).toMatchObject({ epoch: 1 });
        connection.disconnect();
      } finally {
        await redis.stop();
      }
    },
    START_MS,
  );

  describe('is refused by name, and no password is told', () => {
    test('a wrong password, and a user that is not known', async () => {
      await refused({ password: WRONG }, 'RedisNotAllowed', 'WRONGPASS');
      await refused({ username: 'nobody', password: WRONG }, 'RedisNotAllowed', 'WRONGPASS');
    });

    test('no login where everybody may look and nobody may write', async () => {
      const { username: _, password: __, ...nobody } = options();
      await server.command(['acl', 'setuser', 'default', '-@all', '+info', '+config|get', '+client|setname', '+acl']);
      try {
        const connection = await openRedis(nobody);
        const claiming = redisStateOn(connection).claim('rater/0');
        await expect(claiming).rejects.toMatchObject({ cause: { code: 'RedisNotAllowed' } });
        connection.disconnect();
      } finally {
        await server.command(['acl', 'setuser', 'default', '+@all']);
      }
    });

    test('an authority that is not trusted, and no authority', async () => {
      const own = textsOf(client);
      await refused({ tls: { ca: stranger.pem, ...own } }, 'RedisNotTrusted', 'certificate in certificate chain');
      await refused({ tls: own }, 'RedisNotTrusted', 'certificate in certificate chain');
    });

    test('a certificate that has expired, or is of another host', async () => {
      const at = async (identity: Identity) => {
        const [host = '', stub = ''] = (await stubs.silentTls(identity)).split(':');
        return { nodes: [{ host, port: Number(stub) }] };
      };
      const old = authority.issue('old', { days: -1 });
      const other = authority.issue('other', { host: 'redis.example' });
      await refused(await at(old), 'RedisNotTrusted', 'certificate has expired');
      await refused({ ...(await at(other)), cluster: true }, 'RedisNotTrusted', 'does not match certificate');
    });

    test('no client certificate, or one of a stranger', async () => {
      await refused({ tls: { ca: authority.pem } }, CUT_OFF, '');
      await refused({ tls: { ca: authority.pem, ...textsOf(stranger.issue('rater')) } }, CUT_OFF, '');
    });

    test('TLS to a port that has none, and none to one that has it', async () => {
      const within = { commandTimeoutMs: 500, openTimeoutMs: 2_000 };
      const plain = { nodes: [{ host: '127.0.0.1', port: server.port }], ...within };
      await expect(openRedis(options(plain))).rejects.toMatchObject({ code: 'RedisTimedOut' });
      const { tls: _, ...untrusting } = options(within);
      await expect(openRedis(untrusting)).rejects.toMatchObject({ code: 'RedisUnreachable' });
    });
  });

  test('a connection that is given up in the middle of a TLS that fails ends nothing else', async () => {
    const tls = { ca: stranger.pem };
    for (let laps = 0; laps < 20; laps += 1) {
      const faults: Error[] = [];
      const Connector = socketConnector(tls, (fault) => faults.push(fault));
      const connector = new Connector({ host: '127.0.0.1', port });
      const socket = await connector.connect();
      await event(socket, laps % 2 === 0 ? 'connect' : 'close');
      connector.disconnect();
      if (!socket.closed) await event(socket, 'close');
      expect(faults.length).toBeGreaterThanOrEqual(laps % 2);
    }
  });

  test('a right that is taken away while it works is told, and given again it holds', async () => {
    const connection = await openRedis(options());
    const state = redisStateOn(connection);
    try {
      await allow(
        server,
        redisAclRules('tollgate', false).filter((rule) => rule !== '+hset'),
      );
      await expect(state.claim('rater/8')).rejects.toMatchObject({ cause: { code: 'RedisNotAllowed' } });
    } finally {
      await allow(server, redisAclRules('tollgate', false));
    }
    expect((await untilOpen(() => state.claim('rater/8'))).fence.epoch).toBeGreaterThan(0);
    connection.disconnect();
  });
});

function textsOf({ key, cert }: Identity): { readonly key: string; readonly cert: string } {
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** Unlike `once` of node:events, an error is none of its own. */
function event(socket: Socket, name: 'close' | 'connect'): Promise<void> {
  return new Promise((resolve) => socket.once(name, () => resolve()));
}

async function untilServed(redis: TestRedis): Promise<void> {
  for (let looks = 0; looks < 600; looks += 1) {
    const [info] = await redis.command(['cluster', 'info']);
    if (String(info).includes('cluster_state:ok')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the cluster does not come up');
}

/** A user that is set anew is thrown out, and connects again by itself. */
async function untilOpen<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (fault) {
      if (tries === 600) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
