import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeCommand } from '../../cli/stack/node-command.ts';
import { clusterWarehouse } from '../../services/shared/runtime/connect.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { watchCheckpoints } from './checkpoints.ts';
import type { NaiveTask } from './naive-child.ts';
import { cpuSeconds, type Environment, type Servers, type Service, settingsOf } from './servers.ts';

const WITHIN_MS = 900_000;
const SCHEMAS = ['../../schemas/avro/metering-event.avsc', '../../../schemas/avro/metering-event.avsc'];
const NAIVE_TABLE = `CREATE TABLE IF NOT EXISTS naive_rows (part UInt32, off UInt64, event String, account String, cluster String,
  node String, gpu_type String, gpus UInt32, start UInt64, end UInt64, amount UInt64, balance UInt64)
  ENGINE = MergeTree ORDER BY (account, start, part, off)`;

/** How fast a backlog was worked off once the processes had started, and what it took. */
export interface Pace {
  readonly perSecond: number;
  /** Processor time a record, microseconds: the processes themselves, then the servers. */
  readonly cpu: { readonly own: number; readonly kafka: number; readonly redis: number; readonly clickhouse: number };
}

/** Raters on an empty world, from when the first is ready to read until every record below `ends` is in a checkpoint. */
export async function paceOfRaters(servers: Servers, count: number, ends: readonly number[]): Promise<Pace> {
  const world = await servers.newWorld();
  const checkpoints = await watchCheckpoints(world, ends.length);
  const raters: Service[] = [];
  try {
    for (let rater = 0; rater < count; rater += 1) raters.push(await servers.launch('rater', world));
    await Promise.race(raters.map(ready));
    const pids = raters.map(({ pid }) => pid);
    return await paced(servers, ends, pids, () => checkpoints.reach(ends, WITHIN_MS));
  } finally {
    for (const rater of raters) await rater.stop();
    await checkpoints.close();
    await dropWarehouse(world);
  }
}

/** The naive loop over the same records, from its first batch on: only `consume` and decode, or the whole `skeleton`. */
export async function paceOfNaive(servers: Servers, kind: NaiveTask['kind'], ends: readonly number[]): Promise<Pace> {
  const { environment } = servers;
  const { TOLLGATE_KAFKA_BROKERS: brokers = '', TOLLGATE_REDIS_NODES: redis = '' } = environment;
  const clickhouse = environment.TOLLGATE_CLICKHOUSE_URL ?? '';
  const engine = clusterWarehouse(settingsOf(environment));
  await engine.command({ query: NAIVE_TABLE });
  const task: NaiveTask = {
    ...{ kind, brokers, clickhouse, redis: `redis://${redis}`, ends },
    ...{ topic: TOPICS.events, updates: TOPICS.alerts, schemaFile: schemaFile() },
  };
  const { command, args } = nodeCommand(new URL('./naive-child.ts', import.meta.url), [JSON.stringify(task)]);
  let child: ChildProcess | undefined;
  try {
    child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = lines(child);
    await untilSaid(said, 'begun');
    return await paced(servers, ends, [child.pid ?? 0], () => untilSaid(said, 'done'));
  } finally {
    child?.kill('SIGKILL');
    await engine.command({ query: 'DROP TABLE naive_rows' });
    await engine.close();
  }
}

async function paced(
  servers: Servers,
  ends: readonly number[],
  pids: readonly number[],
  work: () => Promise<void>,
): Promise<Pace> {
  const names = ['kafka', 'redis', 'clickhouse'] as const;
  const cpuOfProcesses = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const ownBefore = cpuOfProcesses();
  const before = names.map((name) => servers.cpuSeconds(name));
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const records = ends.reduce((sum, end) => sum + end, 0);
  const own = cpuOfProcesses() - ownBefore;
  const [kafka = 0, redis = 0, clickhouse = 0] = names.map((name, at) => servers.cpuSeconds(name) - (before[at] ?? 0));
  const each = (cpu: number): number => (cpu * 1e6) / records;
  const cpu = { own: each(own), kafka: each(kafka), redis: each(redis), clickhouse: each(clickhouse) };
  return { perSecond: records / seconds, cpu };
}

const READY_POLL_MS = 10;
const READY_MS = 60_000;

/** Resolves once a service has its share of the partitions. */
async function ready({ operations }: Service): Promise<void> {
  for (const deadline = performance.now() + READY_MS; performance.now() < deadline; await delay(READY_POLL_MS)) {
    const answer = await fetch(`${operations}/readyz`).catch(() => undefined); // it does not listen yet
    if (answer?.ok === true) return;
  }
  throw new Error(`${operations} was not ready within ${READY_MS} ms`);
}

function lines(child: ChildProcess): AsyncIterator<string> {
  if (child.stdout === null) throw new Error('the child has no stdout');
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

async function untilSaid(said: AsyncIterator<string>, word: string): Promise<void> {
  for (let line = await said.next(); line.done !== true; line = await said.next()) if (line.value === word) return;
  throw new Error('the naive loop ended early');
}

async function dropWarehouse(world: Environment): Promise<void> {
  const settings = settingsOf(world);
  const engine = clusterWarehouse({ ...settings, TOLLGATE_CLICKHOUSE_DATABASE: 'default' });
  await engine.command({ query: `DROP DATABASE ${settings.TOLLGATE_CLICKHOUSE_DATABASE}` });
  await engine.close();
}

/** schemas/ stands beside the sources, and above the compiled files. */
function schemaFile(): string {
  const files = SCHEMAS.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = files.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`the schema is in none of ${files.join(', ')}`);
  return found;
}
