import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { openClusterAccess } from '../../cli/access/cluster.ts';
import { replayFile } from '../../cli/replay.ts';
import { INCLUDED_PART } from '../../examples/openb/arguments.ts';
import { convertFile } from '../../examples/openb/convert-file.ts';
import { runPython, testWithPython } from '../clients/support/python.ts';
import { pythonOfDocs } from '../clients/support/snippet.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import { describeOnStack } from './support/components.ts';
import { publishWithPrices } from './support/published.ts';

/**
 * Ten days of a real fleet through a whole cluster: HTTP, Kafka, two raters that share its partitions, ClickHouse. What comes
 * out is held against SQL over the pod list, and against a replay of the same log in one partition.
 */

const ROOT = join(import.meta.dirname, '..', '..');

vi.setConfig({ testTimeout: 600_000, hookTimeout: 900_000 });

const checkedSchema = z.object({
  rejected: z.record(z.string(), z.int()),
  rated_lines: z.int(),
  commands: z.record(z.string(), z.int()),
  compared: z.object({ quantities: z.int(), costs: z.int(), labels: z.int(), differences: z.int() }),
  differences: z.array(z.string()),
});
type Checked = z.output<typeof checkedSchema>;
const commandSchema = z.looseObject({
  ...{ command_id: z.string(), command: z.string(), account_id: z.string(), sequence: z.int() },
  resource: z.object({ kind: z.string(), id: z.string() }),
});
type Command = z.output<typeof commandSchema>;
const ordersSchema = z.object({ alerts: z.array(commandSchema), carried_out: z.array(commandSchema), again: z.int() });

describeOnStack('the openb trace through a cluster', () => {
  let folder = '';
  let cluster: TestCluster;
  let eventsPath = '';
  let replayed: readonly Command[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-openb-'));
    eventsPath = join(folder, 'events.ndjson');
    await convertFile({ ...INCLUDED_PART, outPath: eventsPath, sampleMs: 3_600_000, reservations: true });
    await replayFile({ eventsPath, outDir: join(folder, 'replayed') });
    replayed = linesOf(join(folder, 'replayed', 'commands.ndjson')).map((line) =>
      commandSchema.parse(JSON.parse(line)),
    );
    cluster = await startCluster({ partitions: 4, logTime: 'event', services: { rater: 2 } });
    const access = await openClusterAccess(cluster.settings);
    try {
      const lines = linesOf(eventsPath);
      const counts = await publishWithPrices(door(cluster), access, lines);
      expect(counts).toEqual({ accepted: lines.length, rejected: 0 });
    } finally {
      await access.close();
    }
  });

  afterAll(async () => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('R6, L9: quantities, labels and costs are what SQL finds in the pod list, to the nano', async () => {
    const { code, checked } = await check(['--clickhouse', cluster.servers.clickhouse.url, '--events', eventsPath]);
    expect(checked.differences).toEqual([]);
    expect(code).toBe(0);
    expect(checked.compared.quantities).toBeGreaterThan(100);
    expect(checked.compared.labels).toBeGreaterThan(150);
    expect(checked.compared.costs).toBeGreaterThan(40);
    const { checked: alone } = await check(['--replayed', join(folder, 'replayed'), '--events', eventsPath]);
    expect(checked).toEqual(alone);
  });

  testWithPython(
    'E1, N8: over four partitions every command is that of one log, and a Python consumer carries out what it must',
    async () => {
      const { url, key } = door(cluster);
      const { kafka, registry } = cluster.servers;
      const input = { brokers: kafka.url, registry: registry.url, door: url, key, records: replayed.length };
      const docs = pythonOfDocs('docs/CONSUMERS.md');
      const script = new URL('../clients/orders.py', import.meta.url);
      const read = ordersSchema.parse(await runPython(script, [docs], input));
      rmSync(docs, { recursive: true, force: true });
      expect(idsOf(read.alerts)).toEqual(idsOf(replayed.filter(({ command }) => command === 'alert')));
      const standing = await orders(url, key);
      const due = replayed.filter(
        ({ command, command_id: id }) => command !== 'alert' && (command !== 'decommission' || standing.has(id)),
      );
      expect(idsOf(read.carried_out)).toEqual(idsOf(due));
      expect(due.map(({ command }) => command)).toEqual(expect.arrayContaining(['pause', 'resume']));
      expect(read.again).toBe(0);
    },
  );
});

function door(cluster: TestCluster): { readonly url: string; readonly key: string } {
  const url = cluster.services.find(({ service }) => service === 'ingest')?.url ?? '';
  return { url, key: cluster.operatorKey };
}

async function check(options: readonly string[]): Promise<{ readonly code: number; readonly checked: Checked }> {
  const call = ['--import', 'tsx', 'examples/openb/check.ts', ...options];
  const { code, stdout } = await promisify(execFile)(process.execPath, call, { cwd: ROOT }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code, checked: checkedSchema.parse(JSON.parse(stdout)) };
}

/** The ids of the commands that stand. */
async function orders(url: string, key: string): Promise<ReadonlySet<string>> {
  const answer = await fetch(`${url}/v1/orders?limit=10000`, { headers: { authorization: `Bearer ${key}` } });
  const page = z.object({ orders: z.array(commandSchema), next: z.string().nullish() }).parse(await answer.json());
  expect(page.next ?? undefined).toBeUndefined();
  return new Set(page.orders.map(({ command_id: id }) => id));
}

function idsOf(commands: readonly Command[]): readonly string[] {
  return commands.map(({ command_id: id }) => id).sort();
}

function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
