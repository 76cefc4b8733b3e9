import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { openClusterAccess } from '../../cli/access/cluster.ts';
import type { Access } from '../../cli/access/port.ts';
import { startCluster, type TestCluster } from '../integration/support/cluster.ts';
import { eventually } from '../integration/support/operator.ts';
import { allProcessed } from '../integration/support/published.ts';
import { describeWithPython, runPython } from './support/python.ts';
import { pythonOfDocs } from './support/snippet.ts';

/**
 * A cluster as who does not know this project uses it: confluent-kafka with its stock Avro serializers, clickhouse-connect. The
 * code for it is that of docs/AGENTS.md and docs/CONSUMERS.md.
 */

const bill = z.array(z.tuple([z.string(), z.string(), z.string(), z.int(), z.string()]));
const sentSchema = z.object({
  bill,
  refused: z.array(z.string()),
  poison: z.array(z.string()),
  offsets: z.record(z.string(), z.int()),
});
const readSchema = z.object({ bill, lines: z.int(), tags: z.array(z.string()) });
const rejectedSchema = z.array(
  z.object({
    reason: z.string(),
    door: z.object({ sent_by: z.string(), truncated: z.boolean() }),
    event: z.object({ encoding: z.string(), text: z.string() }),
  }),
);
const command = z.looseObject({
  ...{ command_id: z.string(), command: z.string(), alert: z.string().nullable(), account_id: z.string() },
  ...{ scope: z.string().nullable(), notice_id: z.string().nullable(), balance: z.string() },
});
const ordersSchema = z.object({ alerts: z.array(command), carried_out: z.array(command), again: z.int() });

/** Of each group and partition: how far it is committed, where it ends. */
const lagSchema = z.record(z.string(), z.array(z.tuple([z.int(), z.int()])));
const GROUPS = {
  'tollgate-ingest': 'telemetry.samples',
  'tollgate-rater': 'metering.events',
  'tollgate-enforcer': 'balance.updates',
};

const PARTITIONS = 4;
const LOOKS_MAX = 1200;
const LOOK_MS = 100;
vi.setConfig({ testTimeout: 420_000, hookTimeout: 720_000 });

describeWithPython('clients that nobody here wrote', () => {
  let cluster: TestCluster;
  let docs = '';
  let given: Record<string, unknown>;
  let sent: z.output<typeof sentSchema>;

  beforeAll(async () => {
    docs = pythonOfDocs('docs/AGENTS.md', 'docs/CONSUMERS.md');
    cluster = await startCluster({ partitions: PARTITIONS, logTime: 'append' });
    const { kafka, registry, clickhouse } = cluster.servers;
    given = {
      ...{ brokers: kafka.url, registry: registry.url, clickhouse: clickhouse.url },
      ...{ door: cluster.services.find(({ service }) => service === 'ingest')?.url, key: cluster.operatorKey },
    };
    const access = await openClusterAccess(cluster.settings);
    try {
      await run('publish.py', { step: 'open' });
      await allProcessed(access); // prices are in all partitions then
      sent = sentSchema.parse(await run('publish.py', { step: 'send' }));
      await untilCarried(access, sent.offsets);
      await allProcessed(access);
    } finally {
      await access.close();
    }
  });

  afterAll(async () => {
    await cluster?.stop();
    if (docs !== '') rmSync(docs, { recursive: true, force: true });
  });

  const run = (script: string, more: object = {}): Promise<unknown> =>
    runPython(new URL(script, import.meta.url), [docs], { ...given, ...more });

  test('R2, R6: samples by Kafka, each sent twice, cost once what Python computes, to the nano', async () => {
    const read = readSchema.parse(await run('read_bill.py', { accounts: ['acme', 'poor', 'ends'] }));
    expect(read.bill).toEqual(sent.bill);
    expect(read.bill.length).toBeGreaterThanOrEqual(4);
    expect(read.tags).toEqual(['{"team": "vision"}', '{}']);
  });

  test('E4: what was refused, and what was no Avro at all, is kept whole, as often as it was sent', async () => {
    const rejected = rejectedSchema.parse(await run('rejected.py'));
    expect(rejected.every(({ reason }) => ['malformed', 'invalid_field'].includes(reason))).toBe(true);
    expect(rejected.every(({ door }) => door.sent_by === 'telemetry.samples' && !door.truncated)).toBe(true);
    const bytes = rejected.filter(({ event }) => event.encoding === 'base64').map(({ event }) => event.text);
    for (const poison of sent.poison) expect(bytes.filter((text) => text === poison)).toHaveLength(1);
    // What names no use decodes, but is no sample: it is kept as it came.
    const [noUse = '', ...readable] = sent.refused;
    const named = bytes.filter((text) => Buffer.from(text, 'base64').includes(noUse));
    expect(named).toHaveLength(2);
    const ids = rejected.flatMap(({ event }) => {
      return event.encoding === 'json' ? [z.object({ id: z.string() }).parse(JSON.parse(event.text)).id] : [];
    });
    expect(ids.sort()).toEqual([...readable, ...readable].sort());
    expect(rejected).toHaveLength(sent.poison.length + 2 * sent.refused.length);
  });

  test('K, N3, N6: a consumer is told who ran out, and carries an order out once, though it reads all twice', async () => {
    const { alerts, carried_out, again } = ordersSchema.parse(await run('orders.py', { records: 4 }));
    expect(alerts.map(({ account_id, alert }) => `${account_id} ${alert}`).sort()).toEqual([
      'ends reservation_ending',
      'poor credits_exhausted',
      'poor credits_low',
    ]);
    const exhausted = alerts.find(({ alert }) => alert === 'credits_exhausted');
    expect(exhausted?.balance).toMatch(/^-\d\.\d{9}$/);
    expect(carried_out).toMatchObject([{ account_id: 'ends', command: 'decommission', scope: 'cluster' }]);
    expect(alerts.map(({ command_id }) => command_id)).toContain(carried_out[0]?.notice_id);
    expect(again).toBe(0);
  });

  test('a tool of Kafka that asks the groups learns how far each has come in every partition', async () => {
    const first = lagSchema.parse(await run('lag.py', { groups: GROUPS }));
    await eventually(async () => {
      const now = lagSchema.parse(await run('lag.py', { groups: GROUPS }));
      for (const group of Object.keys(GROUPS)) {
        expect(now[group]).toHaveLength(PARTITIONS);
        for (const [partition, [committed, end]] of now[group]?.entries() ?? []) {
          expect(committed).toBeLessThanOrEqual(end);
          // Ticks come on meanwhile: what was there at first is to be done.
          expect([group, partition, committed >= (first[group]?.[partition]?.[1] ?? Number.NaN)]).toEqual([
            group,
            partition,
            true,
          ]);
        }
      }
    });
  });
});

/** Waits until all samples before these offsets are in the log of events. */
async function untilCarried(access: Access, offsets: Readonly<Record<string, number>>): Promise<void> {
  expect(Object.keys(offsets)).toHaveLength(PARTITIONS);
  for (const [partition, end] of Object.entries(offsets)) {
    const carried = async () => (await access.state.peek(`ingest/${partition}`, [])).checkpoint?.nextOffset ?? 0;
    for (let looks = 0; (await carried()) < end; looks += 1) {
      if (looks > LOOKS_MAX) throw new Error(`partition ${partition} is carried to ${await carried()} of ${end}`);
      await delay(LOOK_MS);
    }
  }
}
