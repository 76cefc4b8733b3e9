import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../cli/stack/ports.ts';
import { prepareRedis } from '../../cli/stack/redis.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { mergedHistories } from '../e2e/support/histories.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import { describeOnStack } from './support/components.ts';
import { eventually, Operator } from './support/operator.ts';
import { realProcess } from './support/real-process.ts';

const PARTITIONS = 2;
const SEEDS = Array.from({ length: 10 }, (_, index) => 4200 + index);
const PARTS = 9;
const TEST_MS = 600_000;

/** The procedures of docs/recovery.md, as they stand there, one after the other on one cluster. */
describeOnStack('Recovery of a cluster', () => {
  const lines = mergedHistories(SEEDS);
  let sent = 0;
  let cluster: TestCluster;
  let operator: Operator;

  beforeAll(async () => {
    cluster = await startCluster({ partitions: PARTITIONS, logTime: 'event' });
    operator = new Operator(cluster, PARTITIONS);
  }, TEST_MS);
  afterAll(() => cluster?.stop(), TEST_MS);

  /** The next part of the history comes in. */
  async function goOn(): Promise<void> {
    const part = lines.slice(sent, sent + Math.ceil(lines.length / PARTS));
    sent += part.length;
    await operator.send(part);
  }

  test(
    'Redis went back to an older copy of its append-only files: the services go on from there',
    async () => {
      const copy = join(cluster.folder, 'copy');
      await goOn();
      await operator.proveAll();
      cpSync(cluster.servers.redis.dataDir, copy, { recursive: true });
      await goOn();
      await operator.proveAll();
      await operator.replace('redis', (dataDir) => cpSync(copy, dataDir, { recursive: true }));
      await goOn();
      await operator.proveAll();
    },
    TEST_MS,
  );

  test(
    'Redis is lost, and the newest snapshot (RDB) put back: the services go on from there',
    async () => {
      const { redis } = cluster.servers;
      const client = new Redis(redis.url);
      await client.save();
      client.disconnect();
      const copy = join(cluster.folder, 'snapshot.rdb');
      cpSync(join(redis.dataDir, 'dump.rdb'), copy);
      await goOn();
      await operator.replace('redis', async (dataDir) => {
        cpSync(copy, join(dataDir, 'dump.rdb'));
        await appendOnlyOf(dataDir, join(cluster.logs, 'redis-snapshot.log'));
      });
      await goOn();
      await operator.proveAll();
    },
    TEST_MS,
  );

  test(
    'Redis is lost for good: the state is made again from the log, and nothing is sent with other content',
    async () => {
      const before = await operator.published();
      await operator.replace('redis');
      await goOn();
      await operator.proveAll();
      const after = await operator.published();
      for (const [id, published] of before) expect([id, after.get(id)]).toEqual([id, published]);
    },
    TEST_MS,
  );

  test(
    'Redis is lost for good, and older balance updates are gone: the enforcer begins where the rater began anew',
    async () => {
      const before = await operator.published();
      await operator.trim(TOPICS.updates);
      await operator.replace('redis');
      await goOn();
      await operator.proveAll();
      const after = await operator.published();
      for (const [id, published] of before) expect([id, after.get(id)]).toEqual([id, published]);
    },
    TEST_MS,
  );

  test(
    'only the state of enforcers is lost, and older balance updates are gone: they stop, until raters begin anew',
    async () => {
      await operator.trim(TOPICS.updates);
      await operator.forget('tollgate:{p*}:enforcer:*');
      await operator.restart('enforcer');
      await operator.stopped('enforcer', 'UpdatesTrimmed', PARTITIONS);
      await operator.forget('tollgate:{p*}:*');
      await operator.restart('rater', 'enforcer');
      await goOn();
      await operator.proveAll();
    },
    TEST_MS,
  );

  test(
    'ClickHouse is lost: the partitions stop, the warehouse is rebuilt from the log, and they start again',
    async () => {
      await operator.replace('clickhouse');
      await operator.release('warehouse', 'migrate');
      await operator.restart('rater', 'enforcer');
      await operator.stopped('rater', 'WarehouseBehindCheckpoint', PARTITIONS);
      const told = await operator.tollgate('warehouse', 'rebuild');
      const ends = await operator.eventsEnds();
      for (const [partition, end] of ends.entries()) {
        expect(told).toMatch(
          new RegExp(`^partition ${partition}: rated ${end} events anew, wrote [1-9]\\d* rows`, 'm'),
        );
      }
      await operator.restart('rater', 'enforcer');
      await operator.proveAll();
      await goOn();
      await operator.proveAll();
    },
    TEST_MS,
  );

  test(
    'ClickHouse is lost, and older commands are gone from their topics: the rules issue those again',
    async () => {
      await operator.trim(TOPICS.alerts);
      await operator.trim(TOPICS.compute);
      await operator.trim(TOPICS.storage);
      await goOn();
      await operator.proveAll();
      await operator.replace('clickhouse');
      await operator.release('warehouse', 'migrate');
      await operator.restart('rater', 'enforcer');
      await operator.tollgate('warehouse', 'rebuild', '--partition', '0');
      await operator.tollgate('warehouse', 'rebuild', '--partition', '1', '--json');
      await operator.restart('rater', 'enforcer');
      await operator.proveAll();
    },
    TEST_MS,
  );

  test(
    'the log of events is lost, and then grows again: the partitions stop and say so, and rebuild refuses',
    async () => {
      for (const service of cluster.services) await service.stop();
      const admin = new Kafka({
        brokers: [cluster.servers.kafka.url],
        clientId: 'test',
        logLevel: logLevel.NOTHING,
      }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [TOPICS.events] });
      await eventually(async () => expect(await admin.listTopics()).not.toContain(TOPICS.events));
      await admin.disconnect();
      const one = ['--partitions', `${PARTITIONS}`, '--replication', '1', '--log-time', 'event'];
      await operator.release('topics', 'create', ...one);
      for (const service of operator.servicesOf('rater')) await service.start();
      await operator.stopped('rater', 'CheckpointAheadOfLog', PARTITIONS);
      const { code, stderr } = await operator.call('warehouse', 'rebuild');
      expect([code, stderr]).toEqual([1, expect.stringContaining('its log holds 0 to 0 only')]);

      // It grows again, beyond the checkpoint: it is still not what was rated.
      for (const service of operator.servicesOf('ingest')) await service.start();
      await operator.send(lines.map((line) => line.replace('"id":"', '"id":"again-')));
      await operator.restart('rater');
      await operator.stopped('rater', 'LogRewritten', PARTITIONS);
      const again = await operator.call('warehouse', 'rebuild');
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not the one that was rated')]);
    },
    TEST_MS,
  );
});

/** Makes the append-only files of an RDB: a Redis that is started with `appendonly yes` does not read one. */
async function appendOnlyOf(dataDir: string, logFile: string): Promise<void> {
  const [port = 0] = await freePorts(1);
  const planned = await prepareRedis({ dataDir, port });
  const args = planned.args.map((arg, at) => (planned.args[at - 1] === '--appendonly' ? 'no' : arg));
  const server = realProcess({ ...planned, args }, { logFile });
  await server.start();
  const client = new Redis(planned.url);
  await client.config('SET', 'appendonly', 'yes');
  await eventually(async () => {
    const persistence = await client.info('persistence');
    expect(persistence).toContain('aof_enabled:1');
    expect(persistence).toContain('aof_rewrite_in_progress:0');
    expect(persistence).toContain('aof_rewrite_scheduled:0');
  });
  client.disconnect();
  await server.stop();
}
