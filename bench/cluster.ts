import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { backlog, openClient } from './cluster/backlog.ts';
import { watchCheckpoints } from './cluster/checkpoints.ts';
import { latencies } from './cluster/latency.ts';
import { type Servers, startServers } from './cluster/servers.ts';
import { takeover } from './cluster/takeover.ts';
import { type Pace, paceOfNaive, paceOfRaters } from './cluster/throughput.ts';
import type { Fleet } from './fleet.ts';
import { median, type Result } from './result.ts';

export interface ClusterBenchOptions {
  readonly samples: number;
  /** How often everything is measured; the median counts. */
  readonly rounds: number;
  /** How many partitions the log has, one measurement after another. */
  readonly partitions: readonly number[];
  /** The folder of another skeleton, `ceiling.mjs`, that is measured beside ours. */
  readonly skeleton: string | undefined;
}

/** As many accounts as spread evenly over the partitions, ten nodes each. */
const FLEET: Fleet = { accounts: 1000, nodes: 10_000, startAt: Date.UTC(2026, 4, 1) };
const TIMES_PARTITIONS = 4;
const RATERS = [1, 2];
const SESSION_TIMEOUTS_MS = [6_000, 30_000];
const TAKEOVER_PER_SECOND = 2000;
const WITHIN_MS = 900_000;
const RATIO_AIM = '>= 0.35, better 0.5';

/**
 * Claim: how fast raters work off a backlog on real servers, with every guarantee, as a share of what a naive loop of the same
 * shape does with the same records.
 */
export async function benchCluster(options: ClusterBenchOptions): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const partitions of options.partitions) {
    const found = await onServers(partitions, (servers) => throughput(servers, partitions, options));
    results.push(...found.map((one) => ({ ...one, claim: `${partitions} partitions: ${one.claim}` })));
  }
  return results;
}

/** Claims: how soon an event shows at a quarter of a rater's pace, and how soon the partitions of a killed one are worked on. */
export async function benchClusterTimes({ samples }: ClusterBenchOptions): Promise<readonly Result[]> {
  const partitions = TIMES_PARTITIONS;
  return onServers(partitions, async (servers) => {
    const client = await openClient(servers.environment);
    try {
      await client.append(backlog(FLEET, samples));
      const { perSecond } = await paceOfRaters(servers, 1, await client.ends());
      const quarter = Math.round(perSecond / 4);
      const results = [result(`1 rater, ${partitions} partitions`, `${Math.round(perSecond)} records/s`)];
      results.push(...(await timesToShow(servers, client, { fleet: FLEET, next: samples, perSecond: quarter })));
      let next = 2 * samples;
      for (const timeoutMs of SESSION_TIMEOUTS_MS) {
        const load = { fleet: FLEET, next, perSecond: TAKEOVER_PER_SECOND };
        const { first, all } = await takeover(servers, client, load, timeoutMs);
        const value = `${first.toFixed(1)} s, of all its partitions ${all.toFixed(1)} s`;
        results.push(result(`SIGKILL to the next commit, session timeout ${timeoutMs / 1000} s`, value));
        next += samples;
      }
      return results;
    } finally {
      await client.close();
    }
  });
}

async function onServers<Value>(partitions: number, work: (servers: Servers) => Promise<Value>): Promise<Value> {
  const servers = await startServers(partitions);
  try {
    return await work(servers);
  } finally {
    await servers.stop();
  }
}

async function throughput(servers: Servers, partitions: number, options: ClusterBenchOptions): Promise<Result[]> {
  const { samples, rounds, skeleton } = options;
  const client = await openClient(servers.environment);
  await client.append(backlog(FLEET, samples));
  const ends = await client.ends();
  await client.close();
  const paces = new Map<string, Pace[]>();
  const others: number[] = [];
  const note = (what: string, pace: Pace): void => {
    process.stderr.write(`  ${partitions} partitions, ${what}: ${cpuText(pace)}, ${Math.round(pace.perSecond)}/s\n`);
    paces.set(what, [...(paces.get(what) ?? []), pace]);
  };
  for (let round = 0; round < rounds; round += 1) {
    note(SKELETON, await paceOfNaive(servers, 'skeleton', ends));
    for (const count of RATERS) note(ratersText(count), await paceOfRaters(servers, count, ends));
    note(CONSUME, await paceOfNaive(servers, 'consume', ends));
    if (skeleton !== undefined) others.push(otherSkeleton(servers, skeleton, samples));
  }
  const perSecond = new Map([...paces].map(([what, found]) => [what, found.map((pace) => pace.perSecond)]));
  if (others.length > 0) perSecond.set(OTHER_SKELETON, others);
  return [
    ...[...perSecond].map(([what, found]) => result(what, `${Math.round(median(found))} records/s`)),
    ...[...paces].map(([what, found]) =>
      result(what, `${median(found.map(cpuOf)).toFixed(1)} us of processor a record`),
    ),
    ...RATERS.flatMap((count) => shares(perSecond, ratersText(count))),
  ];
}

const SKELETON = 'skeleton';
const OTHER_SKELETON = 'the other skeleton';
const CONSUME = 'kafkajs and avsc only';
/** What a rater's pace is a share of, and the share that is aimed at. */
const COMPARED = [
  [SKELETON, RATIO_AIM],
  [OTHER_SKELETON, RATIO_AIM],
  [CONSUME, ''],
] as const;

/** The median of what share of each loop's pace was reached in the same round. */
function shares(perSecond: ReadonlyMap<string, readonly number[]>, what: string): readonly Result[] {
  const ours = perSecond.get(what) ?? [];
  return COMPARED.flatMap(([loop, aim]) => {
    const theirs = perSecond.get(loop);
    if (theirs === undefined) return [];
    const ratio = median(ours.map((pace, round) => pace / (theirs[round] ?? Number.NaN)));
    return [result(`${what} / ${loop}`, ratio.toFixed(3), aim)];
  });
}

async function timesToShow(
  servers: Servers,
  client: Awaited<ReturnType<typeof openClient>>,
  load: Parameters<typeof latencies>[1],
): Promise<readonly Result[]> {
  const world = await servers.newWorld();
  const ends = await client.ends();
  const checkpoints = await watchCheckpoints(world, ends.length);
  const services = [await servers.launch('rater', world), await servers.launch('enforcer', world)];
  try {
    await checkpoints.reach(ends, WITHIN_MS);
    const { update, alert } = await latencies(client, load);
    const text = ({ p50, p99 }: typeof update): string => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
    return [
      result(`append to balance.updates, at ${load.perSecond} records/s`, text(update)),
      result(`append to control.alerts, at ${load.perSecond} records/s`, text(alert)),
    ];
  } finally {
    for (const service of services) await service.stop();
    await checkpoints.close();
  }
}

/** Records a second of another program of the same shape, which brings its own topics, Redis and engine. */
function otherSkeleton(servers: Servers, folder: string, samples: number): number {
  const broker = servers.environment.TOLLGATE_KAFKA_BROKERS ?? '';
  const args = ['skeleton', '--broker', broker, '--n', `${samples}`, '--reps', '1', '--redis-fsync', 'always'];
  const child = spawnSync(process.execPath, [join(folder, 'ceiling.mjs'), ...args], { cwd: folder, encoding: 'utf8' });
  const found = /"summary".*"median":(\d+)/.exec(child.stdout);
  if (found === null) throw new Error(`the other skeleton ended with ${child.status}: ${child.stderr}`);
  process.stderr.write(`  ${OTHER_SKELETON}: ${found[1]}/s\n`);
  return Number(found[1]);
}

function ratersText(count: number): string {
  return count === 1 ? '1 rater' : `${count} raters`;
}

function cpuOf(pace: Pace | undefined): number {
  if (pace === undefined) return Number.NaN;
  return Object.values(pace.cpu).reduce((sum, cpu) => sum + cpu, 0);
}

function cpuText(pace: Pace): string {
  const { own, kafka, redis, clickhouse } = pace.cpu;
  const of = (cpu: number): string => cpu.toFixed(1);
  return `${of(cpuOf(pace))} us of processor each (own ${of(own)}, Kafka ${of(kafka)}, Redis ${of(redis)}, ClickHouse ${of(clickhouse)})`;
}

function result(claim: string, value: string, aim = ''): Result {
  return { claim, value, aim };
}
