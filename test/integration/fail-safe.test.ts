import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClusterReading } from '../../cli/access/cluster.ts';
import { textsOf } from '../../cli/access/records.ts';
import { readOperation } from '../../services/shared/contracts/operation.ts';
import { partitionOf } from '../../services/shared/partition.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import { describeOnStack } from './support/components.ts';
import { eventually, Operator } from './support/operator.ts';
import { type Published, VirtualCluster } from './support/virtual-cluster.ts';

const PARTITIONS = 2;
const TEST_MS = 900_000;
const T0 = Date.UTC(2026, 4, 4, 10);
/** When the clock is the test's own: a day after what real processes did. */
const T1 = T0 + DAY_MS;
const STEP_MINUTES = 10;
const HELD_BECAUSE = 'a dispute about the last invoice';

/** N9 and N11 on the real servers: first with real processes, then with a wall clock that the test moves. */
describeOnStack('Fail-safe and brake', () => {
  let cluster: TestCluster;
  let operator: Operator;
  let virtual: VirtualCluster;
  /** Accounts whose cluster sends samples. */
  const running = new Set<string>();

  beforeAll(async () => {
    cluster = await startCluster({ partitions: PARTITIONS, logTime: 'event' });
    operator = new Operator(cluster, PARTITIONS);
  }, TEST_MS);
  afterAll(async () => {
    await virtual?.close();
    await cluster?.stop();
  }, TEST_MS);

  async function enforcement(): Promise<Enforcement> {
    return JSON.parse(await operator.tollgate('enforcement', '--json'));
  }

  async function pausedAccounts(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const lines of (await operator.published()).values()) {
      const { command, account_id: id }: Published = JSON.parse(lines[0] ?? '');
      if (command === 'pause') found.push(id);
    }
    return found.sort();
  }

  test(
    'N11: what operators hold by the command outlives a killed enforcer and the loss of Redis, with who and why',
    async () => {
      await operator.send([
        event(T0, 'p', 'prices.published', undefined, { effective_from: T0, gpu_hour: { H100: '3' } }),
        ...['acme', 'beta', 'gamma'].flatMap((id) => opened(T0, id, '1')),
        ...['acme', 'beta'].map((id) => sample(T0 + 10 * MINUTE_MS, id)),
      ]);
      await eventually(() => operator.tollgate('hold', '--account', 'acme', '--reason', HELD_BECAUSE));
      const held = (await enforcement()).accounts;
      expect(held).toEqual([
        { account_id: 'acme', by: expect.any(String), reason: HELD_BECAUSE, since: expect.any(String) },
      ]);

      await operator.send(['acme', 'beta'].map((id) => sample(T0 + 75 * MINUTE_MS, id)));
      await eventually(async () => expect(await pausedAccounts()).toEqual(['beta']));
      for (const service of operator.servicesOf('enforcer')) {
        await service.kill();
        await service.start();
      }
      expect((await enforcement()).accounts).toEqual(held);

      const before = await operator.published();
      await operator.replace('redis');
      await operator.send(['acme', 'beta'].map((id) => sample(T0 + 85 * MINUTE_MS, id)));
      await eventually(async () => expect((await enforcement()).accounts).toEqual(held));
      // Only once the state is made again is the account known again, by which it can be released.
      await eventually(() => operator.tollgate('release', '--account', 'acme', '--reason', 'settled'));
      await eventually(async () => expect(await pausedAccounts()).toEqual(['acme', 'beta']));
      expect((await enforcement()).accounts).toEqual([]);
      const after = await operator.published();
      for (const [id, lines] of before) expect([id, after.get(id)]).toEqual([id, lines]);
      expect(await operations()).toEqual([
        expect.objectContaining({ act: 'hold', target: { accountId: 'acme' }, by: held[0]?.by, why: HELD_BECAUSE }),
        expect.objectContaining({ act: 'release', target: { accountId: 'acme' }, by: held[0]?.by, why: 'settled' }),
      ]);
    },
    TEST_MS,
  );

  test(
    'N9: after a rater was down for hours and came back with a backlog, nobody is paused without the notice that was promised',
    async () => {
      for (const service of [...operator.servicesOf('rater'), ...operator.servicesOf('enforcer')]) {
        await cluster.remove(service);
      }
      virtual = await VirtualCluster.open(cluster.settings, T1);
      await operator.send([...opened(T1, 'early', '1'), ...opened(T1, 'late', '24')]);
      await virtual.tick();
      await virtual.startRaters();
      await virtual.settled();
      await virtual.startEnforcers();
      running.add('early').add('late');
      await goTo(20);
      await virtual.killRaters();
      await goTo(120);
      await virtual.killEnforcers();
      await virtual.startEnforcers();
      await goTo(180);
      expect((await enforcement()).partitions.map(({ suspended }) => suspended)).toEqual([true, true]);
      await virtual.startRaters();
      await virtual.settled();
      await goTo(300);

      const published = await virtual.published();
      const suspended = published.filter(({ alert, at }) => alert === 'enforcement_suspended' && at > minute(20));
      expect(suspended.map(({ resource, detail }) => [resource.id, detail?.why]).sort()).toEqual([
        ['0', 'input_stale'],
        ['1', 'input_stale'],
      ]);
      const early = pauseOf(published, 'early');
      expect(noticeOf(published, early).at).toBe(minute(10));
      // Its time came at 70; held until the input had been fresh for 15 minutes, which the clock can tell from 190 on.
      expect(early.at).toBeGreaterThanOrEqual(minute(195));
      expect(early.at).toBeLessThanOrEqual(minute(210));
      const late = pauseOf(published, 'late');
      // It was exhausted while nobody looked: its notice was published at 180 only, and counts from then.
      expect(noticeOf(published, late).at).toBe(minute(180));
      expect(late.at - noticeOf(published, late).at).toBeGreaterThanOrEqual(HOUR_MS);
      expect(late.at).toBeLessThanOrEqual(minute(250));
      for (const pause of [early, late]) {
        const { account_id: id, issued_at: issuedAt } = pause;
        expect(virtual.enforcer(partitionOf(id, PARTITIONS)).comingActions(id)).toEqual([
          expect.objectContaining({ command: 'decommission', at: Date.parse(issuedAt) + 72 * HOUR_MS }),
        ]);
      }
      expect((await enforcement()).partitions.map(({ suspended }) => suspended)).toEqual([false, false]);
    },
    TEST_MS,
  );

  const many = Array.from({ length: 100 }, (_, n) => `many-${n}`).filter((id) => partitionOf(id, PARTITIONS) === 0);
  const eleven = many.slice(0, 11);

  test(
    'N11: a partition that would pause more than ten accounts within an hour holds itself, until an operator releases it',
    async () => {
      await operator.send(eleven.flatMap((id) => opened(virtual.now, id, '1')));
      for (const id of eleven) running.add(id);
      await goTo(390);
      expect((await virtual.published()).filter(isPauseOf(eleven))).toEqual([]);
      await virtual.killEnforcers();
      await virtual.startEnforcers();
      await goTo(410);
      expect((await virtual.published()).filter(isPauseOf(eleven))).toEqual([]);
      const { partitions } = await enforcement();
      expect(partitions.map(({ brake }) => brake?.reason)).toEqual(['11 accounts within one hour', undefined]);
      await operator.tollgate('release', '--all', '--reason', 'it is as it should be');
      await goTo(420);
      const published = await virtual.published();
      const pauses = published.filter(isPauseOf(eleven));
      expect(pauses.map(({ account_id: id }) => id).sort()).toEqual([...eleven].sort());
      for (const pause of pauses) expect(pause.at - noticeOf(published, pause).at).toBeGreaterThanOrEqual(HOUR_MS);
      const brakes = published.filter(({ detail }) => detail?.why === 'brake');
      expect(brakes.map(({ resource }) => resource.id)).toEqual(['0']);
    },
    TEST_MS,
  );

  test(
    'N11: an enforcer that finds more published than its state knows of, for Redis is lost, holds itself until it is released',
    async () => {
      const before = await virtual.published();
      await virtual.killRaters();
      await virtual.killEnforcers();
      await operator.replace('redis');
      await virtual.startRaters();
      await virtual.settled();
      await virtual.startEnforcers();
      await virtual.settled();
      await goTo(440);
      const { partitions } = await enforcement();
      for (const { brake } of partitions) expect(brake?.reason).toContain('the state store went back');
      expect(ofAccounts(await virtual.published())).toEqual(ofAccounts(before));
      await operator.tollgate('release', '--all', '--reason', 'looked at');
      await goTo(480);
      expect((await enforcement()).partitions.map(({ brake }) => brake)).toEqual([null, null]);
      const after = ofAccounts(await virtual.published());
      expect(new Set(after).size).toBe(after.length);
      expect(after).toEqual(expect.arrayContaining([...ofAccounts(before)]));
      expect(after.filter((line) => /"command":"(pause|revoke|decommission)"/.test(line))).toEqual(
        ofAccounts(before).filter((line) => /"command":"(pause|revoke|decommission)"/.test(line)),
      );
    },
    TEST_MS,
  );

  test(
    'the commands of a rebuilt warehouse are those that were published, with what was held as it was',
    async () => {
      const before = await exported('before');
      await virtual.killRaters();
      await virtual.killEnforcers();
      await operator.replace('clickhouse');
      await operator.release('warehouse', 'migrate');
      await operator.tollgate('warehouse', 'rebuild');
      expect(await exported('after')).toEqual(before);
      expect([...before.values()].join('')).toContain('"command":"pause"');
    },
    TEST_MS,
  );

  /** What an export gives, by partition and file. */
  async function exported(name: string): Promise<ReadonlyMap<string, string>> {
    const files = new Map<string, string>();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const out = join(cluster.folder, `${name}-${partition}`);
      mkdirSync(out);
      await operator.tollgate('export', '--partition', `${partition}`, '--out', out);
      for (const file of readdirSync(out).sort()) {
        files.set(`${partition}/${file}`, readFileSync(join(out, file), 'utf8'));
      }
    }
    return files;
  }

  async function operations() {
    const reading = await openClusterReading(cluster.settings);
    const found = [];
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const to = await reading.log.endOffset(TOPICS.operations, partition);
      for await (const records of textsOf(reading, TOPICS.operations, partition, { from: 0, to })) {
        found.push(...records.map(({ text }) => readOperation(text)));
      }
    }
    await reading.close();
    return found;
  }

  /** Log and wall clock go on together, to so many minutes after T1: samples of what runs, a tick, and all that is due. */
  async function goTo(minutes: number): Promise<void> {
    while (virtual.now < minute(minutes)) {
      virtual.now += STEP_MINUTES * MINUTE_MS;
      if (running.size > 0) await operator.send([...running].map((id) => sample(virtual.now, id)));
      await virtual.tick();
      await virtual.settled();
      for (const { command, account_id: id } of await virtual.published()) if (command === 'pause') running.delete(id);
    }
  }
});

interface Enforcement {
  readonly partitions: readonly { readonly suspended: boolean; readonly brake: { readonly reason: string } | null }[];
  readonly accounts: readonly { readonly account_id: string; readonly by: string; readonly reason: string }[];
}

function minute(minutes: number): Instant {
  return T1 + minutes * MINUTE_MS;
}

function pauseOf(published: readonly Published[], accountId: string): Published {
  const pauses = published.filter(isPauseOf([accountId]));
  const [pause] = pauses;
  if (pause === undefined || pauses.length > 1) throw new Error(`${pauses.length} pauses of ${accountId}`);
  return pause;
}

function isPauseOf(accounts: readonly string[]): (one: Published) => boolean {
  return ({ command, account_id: id }) => command === 'pause' && accounts.includes(id);
}

/** L1. */
function noticeOf(published: readonly Published[], { notice_id: id }: Published): Published {
  const notice = published.find(({ command_id: found }) => found === id);
  if (notice === undefined) throw new Error(`no alert ${id}`);
  return notice;
}

/** Lines that concern accounts, not the pipeline itself. */
function ofAccounts(published: readonly Published[]): readonly string[] {
  return published.filter(({ account_id: id }) => id !== '').map(({ line }) => line);
}

function opened(at: Instant, accountId: string, amount: string): readonly string[] {
  return [
    event(at, `o-${accountId}`, 'account.opened', accountId, {}),
    event(at, `g-${accountId}`, 'credits.granted', accountId, { grant_id: 'g', kind: 'paid', amount }),
  ];
}

/** Eight GPUs for the last ten minutes, at 24 USD an hour. */
function sample(at: Instant, accountId: string): string {
  return event(at, `u-${accountId}-${at}`, 'usage.gpu', accountId, {
    ...{ cluster_id: 'c', node_id: 'n', gpu_type: 'H100', gpus: 8 },
    ...{ start: at - STEP_MINUTES * MINUTE_MS, end: at },
  });
}

function event(time: Instant, id: string, type: string, subject: string | undefined, data: object): string {
  const envelope = { specversion: '1.0', id, source: 'test', type, time, data };
  return JSON.stringify(subject === undefined ? envelope : { ...envelope, subject });
}
