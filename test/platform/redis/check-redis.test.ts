import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisAclRules } from '../../../platform/redis/acl.ts';
import { openRedis, type RedisConnectionOptions } from '../../../platform/redis/connection.ts';
import type { RedisErrorCode } from '../../../platform/redis/errors.ts';
import { openRedisState, openRedisStateReader } from '../../../platform/state/redis-state.ts';
import { connectionOptions, startCluster, TestRedis, untilItWorks } from './support.ts';

let server: TestRedis;
let cluster: TestRedis[];

beforeAll(async () => {
  server = await TestRedis.start();
  cluster = await startCluster();
});

afterAll(async () => {
  for (const each of [server, ...cluster]) await each.stop();
});

describe('opening a Redis', () => {
  it.each([
    ['appendonly', 'no'],
    ['appendfsync', 'everysec'],
    ['maxmemory-policy', 'allkeys-lru'],
  ])('refuses one whose %s is %s, and says so; allowed, it is a warning', async (setting, value) => {
    const [, before] = (await server.command(['config', 'get', setting]))[0] as string[];
    await server.command(['config', 'set', setting, value]);
    try {
      await refused({}, 'RedisUnsafe', `${setting} is ${value}, not ${before}`);
      const warnings: object[] = [];
      const logger = { info: () => {}, warn: (fields: object) => warnings.push(fields) };
      (await openRedis(connectionOptions([server], { allowUnsafe: true, logger }))).disconnect();
      expect(warnings).toEqual([{ faults: [`${setting} is ${value}, not ${before}`] }]);
    } finally {
      await server.command(['config', 'set', setting, before ?? '']);
    }
  });

  it('refuses one of whose cluster a single master is unsafe', async () => {
    await cluster[2]?.command(['config', 'set', 'appendfsync', 'everysec']);
    await refused(connectionOptions(cluster), 'RedisUnsafe', 'appendfsync is everysec');
    await cluster[2]?.command(['config', 'set', 'appendfsync', 'always']);
  });

  it('refuses one that forbids CONFIG, unless that is allowed', async () => {
    const rules = redisAclRules('tollgate', false).filter((rule) => rule !== '+config|get');
    await server.command(['acl', 'setuser', 'blind', 'reset', 'on', '>secret', ...rules]);
    const options = { username: 'blind', password: 'secret' };
    await refused(options, 'RedisUnsafe', 'appendonly is unknown, not yes');
    (await openRedis(connectionOptions([server], { ...options, allowUnsafe: true }))).disconnect();
  });

  it('refuses a wrong password, a server that is not there, a replica, and a mode that is not the expected', async () => {
    await refused({ username: 'nobody', password: 'wrong' }, 'RedisNotAllowed', 'WRONGPASS');
    await refused({ nodes: [{ host: '127.0.0.1', port: 1 }] }, 'RedisUnreachable', '127.0.0.1:1: connect ECONNREFUSED');
    await refused({ nodes: [{ host: '127.0.0.1', port: 1 }], cluster: true }, 'RedisUnreachable', '127.0.0.1:1');
    await refused({ cluster: true }, 'RedisWrongMode', 'cluster support disabled');
    await refused({ nodes: connectionOptions(cluster).nodes.slice(0, 1) }, 'RedisWrongMode', 'cluster_enabled is true');
    await refused({ ...connectionOptions(cluster), cluster: false }, 'RedisWrongMode', '3 nodes for one server');
    await refused({ ...connectionOptions(cluster), database: 1 }, 'RedisWrongMode', 'no database but 0');
    const replica = await TestRedis.start(['--replicaof', '127.0.0.1', `${server.port}`]);
    try {
      await refused({ nodes: connectionOptions([replica]).nodes }, 'RedisReadOnly', 'replica');
    } finally {
      await replica.stop();
    }
  });

  it('keeps to its database, and refuses where it may not be selected or is not there', async () => {
    const user = { username: 'chooser', password: 'secret', database: 3 };
    const rules = redisAclRules('tollgate', false);
    await server.command(['flushall'], ['acl', 'setuser', 'chooser', 'reset', 'on', '>secret', ...rules]);
    await refused(user, 'RedisNotAllowed', 'NOPERM');
    await server.command(['acl', 'setuser', 'chooser', '+select']);
    await refused({ ...user, database: 99 }, 'RedisRefused', 'DB index is out of range');
    const store = await openRedisState({ ...connectionOptions([server]), ...user });
    await store.claim('rater/0');
    await store.close();
    expect(await server.command(['dbsize'], ['select', 3], ['dbsize'])).toEqual([0, 'OK', 1]);
  });

  it('gives up after its time on a server that does not answer', async () => {
    server.signal('SIGSTOP');
    try {
      await refused({ openTimeoutMs: 200 }, 'RedisTimedOut', 'opening took over 200 ms');
    } finally {
      server.signal('SIGCONT');
    }
  });

  it('waits for one that is still reading its data', async () => {
    const slow = await TestRedis.start(['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024']);
    try {
      const pairs = Array.from({ length: 200 }, (_, index) => ['set', `k${index}`, 'x'.repeat(100)] as const);
      await slow.command(...pairs);
      await slow.kill();
      const resumed = slow.resume();
      await untilItWorks(() => slow.commandAs('default', '', ['ping']).catch(expectLoading));
      const connection = await openRedis(connectionOptions([slow]));
      expect(await connection.evaluate('return 7', [], [])).toBe(7);
      connection.disconnect();
      await resumed;
    } finally {
      await slow.stop();
    }
  });

  it('takes a prefix that keeps hash tags whole, and no other', async () => {
    for (const prefix of ['', 'a{b', 'a b', 'é', 'x'.repeat(101)]) {
      await expect(openRedisState({ ...connectionOptions([server]), prefix })).rejects.toMatchObject({
        code: 'StateInputInvalid',
      });
    }
  });
});

describe.each(['server', 'cluster'] as const)('a user of a %s with the rights that are listed', (kind) => {
  const rulesOf = () => redisAclRules('own', kind === 'cluster');
  const servers = () => (kind === 'cluster' ? cluster : [server]);
  const options = () => ({
    ...connectionOptions(servers()),
    username: 'least',
    password: 'secret',
    prefix: 'own',
    openTimeoutMs: 1000,
  });
  const allow = async (rules: readonly string[]) => {
    for (const each of servers()) {
      await each.command(['flushall'], ['acl', 'setuser', 'least', 'reset', 'on', '>secret', ...rules]);
    }
  };

  it('can do all that the store does, and nothing else', async () => {
    await allow(rulesOf());
    await everything(options());
    const own = servers()[0];
    await expect(own?.commandAs('least', 'secret', ['flushall'])).rejects.toThrow('NOPERM');
    await expect(own?.commandAs('least', 'secret', ['hgetall', 'other:x'])).rejects.toThrow('NOPERM');
    await expect(everything({ ...options(), prefix: 'other' })).rejects.toMatchObject({
      cause: { code: 'RedisNotAllowed' },
    });
  });

  it('could not do without any one of them', async () => {
    const needed: string[] = [];
    const commands = rulesOf().filter((rule) => rule.startsWith('+'));
    for (const command of commands) {
      await allow(rulesOf().filter((rule) => rule !== command));
      await everything(options()).catch(() => needed.push(command));
    }
    // A connection without its name works too, but cannot be told in CLIENT LIST.
    expect(needed).toEqual(commands.filter((command) => command !== '+client|setname'));
  });
});

/** Returns for a server that is reading its data, throws for one that is not there yet. */
function expectLoading(error: unknown): void {
  if (!String(error).includes('LOADING')) throw error;
}

async function everything(options: Parameters<typeof openRedisState>[0]): Promise<void> {
  const store = await openRedisState(options);
  const reader = await openRedisStateReader(options);
  try {
    const { fence } = await store.claim('rater/0');
    const next = { version: '1', meta: '' };
    const first = await store.commit('rater/0', fence, {
      next: { nextOffset: 1, ...next },
      dropKeys: ['b'],
      writes: [
        ['a', 'x', '1'],
        ['a', 'y', '1'],
      ],
      timers: [
        ['t', 1],
        ['u', 2],
      ],
    });
    const second = await store.commit('rater/0', first, {
      next: { nextOffset: 2, ...next },
      dropKeys: ['b'],
      writes: [['a', 'x', null]],
      timers: [['t', null]],
    });
    expect(await store.load('rater/0', second, ['a'])).toEqual(new Map([['a', new Map([['y', '1']])]]));
    expect(await store.due('rater/0', second, 9, 9)).toEqual([{ member: 'u', at: 2 }]);
    expect(await store.scan('rater/0', { limit: 9, fence: second })).toEqual(['a']);
    expect(await reader.scan('rater/0', { limit: 9 })).toEqual(['a']);
    expect((await reader.peek('rater/0', ['a'])).hashes.size).toBe(1);
    await store.commit('rater/0', second, {
      next: { nextOffset: 3, ...next },
      dropKeys: ['a'],
      writes: [],
      timers: [['u', null]],
    });
  } finally {
    await store.close();
    await reader.close();
  }
}

async function refused(options: Partial<RedisConnectionOptions>, code: RedisErrorCode, says: string): Promise<void> {
  const opening = openRedis(connectionOptions([server], options));
  await expect(opening).rejects.toMatchObject({ name: code, code, message: expect.stringContaining(says) });
}
