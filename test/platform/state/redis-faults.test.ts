import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StateStore } from '../../../platform/state/port.ts';
import { openRedisState } from '../../../platform/state/redis-state.ts';
import { connectionOptions, startCluster, startProxy, TestRedis, untilItWorks } from '../redis/support.ts';
import { outcomesOf, SCOPE, tellingStep, wholeContent } from './redis-steps.ts';

describe('the state on a server in trouble', () => {
  let server: TestRedis;
  let store: StateStore;

  beforeAll(async () => {
    server = await TestRedis.start();
    store = await openRedisState(connectionOptions([server]));
  });

  beforeEach(async () => {
    await server.command(['flushall']);
  });

  afterAll(async () => {
    await store.close();
    await server.stop();
  });

  it('a reply that is lost: the outcome is unknown, nothing is sent again, and the next claim finds it', async () => {
    const proxy = await startProxy(server.port);
    const far = await openRedisState({
      ...connectionOptions([server]),
      nodes: [{ host: '127.0.0.1', port: proxy.port }],
    });
    const { fence } = await far.claim(SCOPE);
    proxy.loseNextReply();
    await expect(far.commit(SCOPE, fence, tellingStep(1))).rejects.toMatchObject({
      code: 'StateWriteFailed',
      cause: { code: 'RedisUnreachable' },
    });
    await untilItWorks(() => far.peek(SCOPE, []));
    expect(await revision(server)).toBe('2');
    const again = await far.claim(SCOPE);
    expect([again.checkpoint?.nextOffset, await wholeContent(far, again.fence)]).toEqual([1, '1']);
    proxy.loseNextReply();
    await expect(far.load(SCOPE, again.fence, ['a'])).rejects.toMatchObject({ code: 'StateUnavailable' });
    await far.close();
    await proxy.close();
  });

  it('a server that does not answer: calls end in time, and a commit that is done late does no harm', async () => {
    const hasty = await openRedisState(connectionOptions([server], { commandTimeoutMs: 300 }));
    const { fence } = await hasty.claim(SCOPE);
    server.signal('SIGSTOP');
    const timedOut = { cause: { code: 'RedisTimedOut' } };
    const late = hasty.commit(SCOPE, fence, tellingStep(1, 'late'));
    await expect(late).rejects.toMatchObject({ code: 'StateWriteFailed', ...timedOut });
    await expect(hasty.load(SCOPE, fence, ['a'])).rejects.toMatchObject({ code: 'StateUnavailable' });
    server.signal('SIGCONT');
    const claim = await untilItWorks(() => hasty.claim(SCOPE));
    const found = await wholeContent(store, claim.fence);
    expect([undefined, 'late']).toContain(found);
    const after = await store.commit(SCOPE, claim.fence, tellingStep(1, 'after'));
    expect(await outcomesOf(hasty, fence, tellingStep(2))).toEqual(['Fenced', 'Fenced', 'Fenced', 'Fenced']);
    expect(await wholeContent(store, after)).toBe('after');
    await hasty.close();
  });

  it('a pause of the clients is waited for within the time', async () => {
    const { fence } = await store.claim(SCOPE);
    await server.command(['client', 'pause', 100, 'all']);
    const after = await store.commit(SCOPE, fence, tellingStep(1));
    expect(await wholeContent(store, after)).toBe('1');
  });

  it('scripts that the server forgot are simply run again', async () => {
    let { fence } = await store.claim(SCOPE);
    for (let offset = 1; offset <= 5; offset += 1) {
      const committing = store.commit(SCOPE, fence, tellingStep(offset));
      await server.command(['script', 'flush']);
      fence = await committing;
      expect(await wholeContent(store, fence)).toBe(`${offset}`);
    }
  });

  it.each<[string, string, readonly string[], readonly string[]]>([
    ['memory is full', 'RedisOutOfMemory', ['maxmemory', '1'], ['maxmemory', '0']],
    ['replicas are missing', 'RedisNoReplicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0']],
  ])('when %s a commit fails, naming %s, and has written nothing; reads go on', async (_, code, breaks, mends) => {
    const { fence } = await store.claim(SCOPE);
    const before = await store.commit(SCOPE, fence, tellingStep(1));
    await server.command(['config', 'set', ...breaks]);
    try {
      const dropping = { ...tellingStep(2), dropKeys: ['a', 'b', 'c', 'd'] };
      const refused = { code: 'StateWriteFailed', cause: { code } };
      await expect(store.commit(SCOPE, before, dropping)).rejects.toMatchObject(refused);
      await expect(store.claim(SCOPE)).rejects.toMatchObject(refused);
      expect(await wholeContent(store, before)).toBe('1');
    } finally {
      await server.command(['config', 'set', ...mends]);
    }
    expect(await wholeContent(store, await store.commit(SCOPE, before, tellingStep(2)))).toBe('2');
  });

  it('a snapshot that cannot be written is named', async () => {
    const { fence } = await store.claim(SCOPE);
    await server.command(
      ['config', 'set', 'dbfilename', 'appendonlydir'],
      ['config', 'set', 'save', '900 1'],
      ['bgsave'],
    );
    await untilItWorks(async () => {
      const [info] = await server.command(['info', 'persistence']);
      if (!String(info).includes('rdb_last_bgsave_status:err')) throw new Error('not yet');
    });
    await expect(store.commit(SCOPE, fence, tellingStep(1))).rejects.toMatchObject({
      code: 'StateWriteFailed',
      cause: { code: 'RedisDiskBroken' },
    });
    await server.command(['config', 'set', 'save', ''], ['config', 'set', 'dbfilename', 'dump.rdb']);
    expect(await wholeContent(store, await store.commit(SCOPE, fence, tellingStep(1)))).toBe('1');
  });

  it('a script of someone else that never ends is named, and what waits for it is not lost', async () => {
    const { fence } = await store.claim(SCOPE);
    await server.command(['config', 'set', 'busy-reply-threshold', '50']);
    const endless = server.command(['eval', 'while true do end', 0]).catch(() => undefined);
    await untilItWorks(() => expect(store.peek(SCOPE, [])).rejects.toMatchObject({ cause: { code: 'RedisBusy' } }));
    await server.commandAs('default', '', ['script', 'kill']);
    await endless;
    expect(await wholeContent(store, await store.commit(SCOPE, fence, tellingStep(1)))).toBe('1');
  });

  it.each(['keys', 'timers', 'h:a', 'h:d'])(
    'a key of another type at %s: corrupt, and nothing was written',
    async (key) => {
      const { fence } = await store.claim(SCOPE);
      const before = await revision(server);
      await server.command(['set', `tollgate:{p0}:rater:${key}`, 'alien']);
      await expect(store.commit(SCOPE, fence, tellingStep(1))).rejects.toMatchObject({ code: 'StateCorrupt' });
      await expect(store.commit(SCOPE, fence, { ...tellingStep(1), dropKeys: ['a', 'd'] })).rejects.toMatchObject({
        code: 'StateCorrupt',
      });
      expect([(await server.command(['dbsize']))[0], await revision(server)]).toEqual([2, before]);
    },
  );

  it('a master that became a replica is left by the connection, and is not written to', async () => {
    const { fence } = await store.claim(SCOPE);
    await server.command(['replicaof', '127.0.0.1', '1']);
    await expect(store.commit(SCOPE, fence, tellingStep(1))).rejects.toMatchObject({
      code: 'StateWriteFailed',
      cause: { code: 'RedisReadOnly' },
    });
    await server.command(['replicaof', 'no', 'one']);
    expect(await untilItWorks(() => store.claim(SCOPE))).toMatchObject({ checkpoint: undefined });
  });

  it('offsets and instants to the last one that a number holds exactly', async () => {
    const { fence } = await store.claim(SCOPE);
    const last = Number.MAX_SAFE_INTEGER;
    let own = await store.commit(SCOPE, fence, tellingStep(last - 1, 'before'));
    const stale = own;
    own = await store.commit(SCOPE, own, tellingStep(last, 'last'));
    expect(
      (await outcomesOf(store, { ...own, nextOffset: last - 1 }, tellingStep(last))).every((one) => one === 'Fenced'),
    ).toBe(true);
    expect((await outcomesOf(store, stale, tellingStep(last))).every((one) => one === 'Fenced')).toBe(true);
    expect((await store.due(SCOPE, own, last, 100)).every(({ at }) => at === last)).toBe(true);
    expect(await store.due(SCOPE, own, last - 1, 100)).toEqual([]);
    expect((await store.claim(SCOPE)).fence.nextOffset).toBe(last);
  });
});

describe('the state on a cluster in trouble', () => {
  let cluster: TestRedis[];
  let store: StateStore;

  beforeAll(async () => {
    cluster = await startCluster();
    store = await openRedisState(connectionOptions(cluster));
  });

  afterAll(async () => {
    await store.close();
    for (const node of cluster) await node.stop();
  });

  it('a master that is killed and comes back: calls fail at once, then go on from what is stored', async () => {
    const master = await masterOf(cluster, '{p0}');
    let { fence } = await store.claim(SCOPE);
    fence = await store.commit(SCOPE, fence, tellingStep(1));
    await master.kill();
    expect(await outcomesOf(store, fence, tellingStep(2))).toEqual([
      ...['StateUnavailable', 'StateUnavailable', 'StateUnavailable', 'StateWriteFailed'],
    ]);
    await master.resume();
    expect(await untilItWorks(() => wholeContent(store, fence))).toBe('1');
    fence = await untilItWorks(() => store.commit(SCOPE, fence, tellingStep(2)));
    expect(await wholeContent(store, fence)).toBe('2');
  });

  it('a partition that moves to another master is followed there, and the fence holds', async () => {
    const from = await masterOf(cluster, '{p0}');
    const to = cluster.find((node) => node !== from) ?? from;
    let { fence } = await store.claim(SCOPE);
    fence = await store.commit(SCOPE, fence, tellingStep(3));
    const stale = fence;
    await moveSlot(cluster, from, to, '{p0}', async () => {
      await store.commit('rater/1', (await store.claim('rater/1')).fence, tellingStep(1));
    });
    fence = await store.commit(SCOPE, fence, tellingStep(4));
    expect(await wholeContent(store, fence)).toBe('4');
    expect(await outcomesOf(store, stale, tellingStep(5))).toEqual(['Fenced', 'Fenced', 'Fenced', 'Fenced']);
  });

  it('slots that nobody serves are named', async () => {
    const { fence } = await store.claim(SCOPE);
    const master = await masterOf(cluster, '{p0}');
    const [slot] = await master.command(['cluster', 'keyslot', '{p0}']);
    await master.command(['cluster', 'delslots', Number(slot)]);
    await expect(store.commit(SCOPE, fence, tellingStep(9))).rejects.toMatchObject({
      code: 'StateWriteFailed',
      cause: { code: 'RedisClusterDown' },
    });
    await master.command(['cluster', 'addslots', Number(slot)]);
    expect(await untilItWorks(() => store.commit(SCOPE, fence, tellingStep(9)))).toMatchObject({ nextOffset: 9 });
  });
});

async function revision(server: TestRedis): Promise<unknown> {
  return (await server.command(['hget', 'tollgate:{p0}:rater:meta', 'revision']))[0];
}

async function masterOf(cluster: readonly TestRedis[], tag: string): Promise<TestRedis> {
  for (const node of cluster) {
    const [slot] = await node.command(['cluster', 'keyslot', tag]);
    const [served] = await node.command(['cluster', 'countkeysinslot', Number(slot)]);
    const answered = await node.command(['exists', tag]).then(
      () => true,
      () => false,
    );
    if (answered && typeof served === 'number') return node;
  }
  throw new Error(`no master serves ${tag}`);
}

async function moveSlot(
  cluster: readonly TestRedis[],
  from: TestRedis,
  to: TestRedis,
  tag: string,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const [[slot], [fromId], [toId]] = [
    await from.command(['cluster', 'keyslot', tag]),
    await from.command(['cluster', 'myid']),
    await to.command(['cluster', 'myid']),
  ];
  await to.command(['cluster', 'setslot', Number(slot), 'importing', String(fromId)]);
  await from.command(['cluster', 'setslot', Number(slot), 'migrating', String(toId)]);
  await meanwhile();
  const [keys] = await from.command(['cluster', 'getkeysinslot', Number(slot), 1000]);
  const names = Array.isArray(keys) ? keys.map(String) : [];
  await from.command(['migrate', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...names]);
  for (const node of cluster) await node.command(['cluster', 'setslot', Number(slot), 'node', String(toId)]);
}
