import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { createWarehouseClient } from '../../platform/warehouse/client.ts';
import {
  describeOnStack,
  startClickHouse,
  startKafka,
  startRedis,
  startRegistry,
} from '../integration/support/components.ts';

const LONG_MS = 240_000;

describeOnStack('a server that was killed comes back with what it acknowledged', () => {
  test(
    'Kafka has its topics and records, and takes requests as soon as it is ready',
    async () => {
      const kafka = await startKafka();
      try {
        const client = new Kafka({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 3 } });
        const admin = client.admin();
        await admin.connect();
        await admin.createTopics({ topics: [{ topic: 'facts', numPartitions: 2 }] });
        const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
        await producer.connect();
        await producer.send({ topic: 'facts', acks: -1, messages: [{ key: 'a', value: 'one', partition: 1 }] });
        await producer.disconnect();
        await admin.disconnect();
        const before = kafka.pid;
        await kafka.kill();
        await kafka.restart();
        expect(kafka.pid).not.toBe(before);
        await admin.connect();
        expect(await admin.fetchTopicOffsets('facts')).toMatchObject([
          { partition: 0, high: '0' },
          { partition: 1, high: '1' },
        ]);
        await admin.disconnect();
      } finally {
        await kafka.stop();
      }
    },
    LONG_MS,
  );

  test(
    'the registry has its schemas under the same ids, and its compatibility',
    async () => {
      const registry = await startRegistry();
      try {
        const first = await register(registry.url, 'a-value', 'A');
        const second = await register(registry.url, 'b-value', 'B');
        await setLevel(registry.url, 'b-value', 'FULL_TRANSITIVE');
        await registry.kill();
        await registry.restart();
        expect(await register(registry.url, 'b-value', 'B')).toBe(second);
        expect(await register(registry.url, 'c-value', 'C')).toBeGreaterThan(Math.max(first, second));
        expect(await getJson(`${registry.url}/schemas/ids/${first}`)).toMatchObject({ schema: schemaOf('A') });
        expect(await getJson(`${registry.url}/config/b-value`)).toMatchObject({
          compatibilityLevel: 'FULL_TRANSITIVE',
        });
      } finally {
        await registry.stop();
      }
    },
    LONG_MS,
  );

  test(
    'Redis has what it said it wrote, and runs with the settings that the state needs',
    async () => {
      const redis = await startRedis();
      try {
        await withRedis(redis.url, (client) => client.set('fact', 'one'));
        await redis.kill();
        await redis.restart();
        await withRedis(redis.url, async (client) => {
          expect(await client.get('fact')).toBe('one');
          const settings = ['appendonly', 'appendfsync', 'maxmemory-policy', 'save', 'bind'];
          const found = await Promise.all(settings.map((name) => client.config('GET', name)));
          expect(JSON.stringify(found)).toBe(
            JSON.stringify([
              ['appendonly', 'yes'],
              ['appendfsync', 'always'],
              ['maxmemory-policy', 'noeviction'],
              ['save', ''],
              ['bind', '127.0.0.1'],
            ]),
          );
        });
      } finally {
        await redis.stop();
      }
    },
    LONG_MS,
  );

  test(
    'the ClickHouse engine has its rows, on its own and at the same address',
    async () => {
      const clickhouse = await startClickHouse();
      const client = createWarehouseClient({ url: clickhouse.url });
      try {
        await client.command({ query: 'CREATE TABLE facts (n UInt64) ENGINE = MergeTree ORDER BY n' });
        await client.insert({ table: 'facts', values: [{ n: 1 }, { n: 2 }], format: 'JSONEachRow' });
        await clickhouse.kill();
        await clickhouse.restart();
        const result = await client.query({ query: 'SELECT count() AS rows FROM facts', format: 'JSONEachRow' });
        expect(await result.json()).toEqual([{ rows: '2' }]);
        await clickhouse.restart();
        expect((await client.ping()).success).toBe(true);
      } finally {
        await client.close();
        await clickhouse.stop();
      }
    },
    LONG_MS,
  );
});

function schemaOf(name: string): string {
  return JSON.stringify({ type: 'record', name, fields: [{ name: 'a', type: 'long' }] });
}

async function register(url: string, subject: string, name: string): Promise<number> {
  const answer = await sendJson('POST', `${url}/subjects/${subject}/versions`, { schema: schemaOf(name) });
  if (typeof answer !== 'object' || answer === null || !('id' in answer)) throw new Error(JSON.stringify(answer));
  return Number(answer.id);
}

function setLevel(url: string, subject: string, compatibility: string): Promise<unknown> {
  return sendJson('PUT', `${url}/config/${subject}`, { compatibility });
}

async function sendJson(method: string, url: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
  return (await fetch(url, { method, headers, body: JSON.stringify(body) })).json();
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

async function withRedis(url: string, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, protocol: 2, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    client.disconnect();
  }
}
