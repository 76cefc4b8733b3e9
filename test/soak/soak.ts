import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { openAccess } from '../../cli/access/access.ts';
import { placeOf } from '../../cli/access/place.ts';
import { readJsonFile, writeJsonFile } from '../../cli/stack/status.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { randomFrom } from '../histories/random.ts';
import { startCluster, type TestCluster } from '../integration/support/cluster.ts';
import { FAULT_KINDS } from './faults.ts';
import { startFleet } from './fleet.ts';
import { watchInserts } from './insert-watch.ts';
import { openJournal } from './journal.ts';
import { judge, type Verdict } from './judge.ts';
import { openSamples } from './samples.ts';
import { type FaultCounts, type Inflicted, perKind, startSchedule } from './schedule.ts';
import { type Sender, startSender } from './senders.ts';

export interface SoakOptions {
  /** All of the run; one that was interrupted there goes on. */
  readonly folder: string;
  readonly seed: number;
  /** In all, those of earlier runs in the folder included. */
  readonly counts: FaultCounts;
  readonly partitions: number;
  readonly services: Readonly<Record<'ingest' | 'rater' | 'enforcer', number>>;
  readonly accounts: number;
  readonly senders: number;
  /** Events a second of all senders together, at most. */
  readonly rate: number;
  /** So long faults are inflicted, at most, ms. */
  readonly faultsMs: number;
  /** Ends it early, without a verdict. */
  readonly signal?: AbortSignal;
  readonly tell: (line: string) => void;
}

export interface SoakReport {
  /** Of this run and those before it in the folder. */
  readonly inflicted: readonly Inflicted[];
  /** Undefined if it was interrupted. */
  readonly verdict: Verdict | undefined;
  /** How often each process ended when nobody had asked it to, e.g. a service that found no Redis at its start. */
  readonly deaths: Readonly<Record<string, readonly string[]>>;
}

const SESSION_MS = 6_000;
const OPEN_MAX = 4;
const GAP_MS = 4_000;
/** So often the cluster is given the time to show that it still gets on. */
const FAULTS_A_LEG = 25;
const TELL_MS = 10_000;
const BEGIN = Date.UTC(2026, 1, 1);

const stateFile = z.object({
  runs: z.int(),
  /** The fleet's time, integer ms. */
  now: z.number(),
  inflicted: z.array(
    z.object({ kind: z.enum(FAULT_KINDS), target: z.string(), overlapped: z.boolean(), tookMs: z.number() }),
  ),
});

/**
 * Runs a cluster under load and faults, and judges what is left in the end.
 * @throws if the cluster does not get on any more, or a door gives an answer that none may give
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { folder, seed, counts, partitions, tell, signal = new AbortController().signal } = options;
  const file = join(folder, 'soak.json');
  const before = readJsonFile(file, stateFile) ?? { runs: 0, now: BEGIN, inflicted: [] };
  const run = before.runs + 1;
  const inflicted: Inflicted[] = [...before.inflicted];
  let now = before.now;
  const keep = (): void => writeJsonFile(file, { runs: run, now, inflicted } satisfies z.infer<typeof stateFile>);
  keep();
  const journal = openJournal(join(folder, 'journal.ndjson'));
  const clusterFolder = join(folder, 'cluster');
  let watch: Awaited<ReturnType<typeof watchInserts>> | undefined;
  const cluster = await startCluster({
    ...{ folder: clusterFolder, partitions, logTime: 'event', services: options.services, tell },
    environment: { TOLLGATE_SESSION_TIMEOUT_MS: `${SESSION_MS}` },
    warehouseUrl: async (url) => {
      watch = await watchInserts(url);
      return watch.url;
    },
  });
  try {
    if (watch === undefined) throw new Error('nothing stands before ClickHouse');
    const random = randomFrom(seed + run);
    const samples = await openSamples(cluster.settings, partitions, randomFrom(seed + run + 1));
    const members = [...cluster.services];
    const doors = members.filter(({ service }) => service === 'ingest').map(({ url }) => url);
    const senders = Array.from({ length: options.senders }, (_, index) =>
      startSender({
        doors: index % 2 === 0 ? doors : doors.toReversed(),
        ...{ key: cluster.operatorKey, samples, journal, rate: options.rate / options.senders },
        next: startFleet({
          name: `r${run}s${index}`,
          accounts: accountsOf(index, options),
          prices: index === 0,
          from: now,
          random: randomFrom(1000 * (seed + run) + index),
        }),
        onRound: (reached) => {
          now = Math.max(now, reached);
        },
      }),
    );
    await inflictAll(senders, members, watch, random);
    await Promise.all(senders.map((sender) => sender.stop()));
    await samples.close();
    keep();
    tell(`load ended: ${loadText(senders)}`);
    const verdict = signal.aborted
      ? undefined
      : await judge({ folder: clusterFolder, out: join(folder, 'judged'), journal, tell });
    const deaths = Object.fromEntries(
      [...Object.values(cluster.servers), ...members].map(({ name, deaths: of }) => [name, of]),
    );
    return { inflicted, verdict, deaths };
  } finally {
    keep();
    await cluster.stop();
    await watch?.close();
  }

  async function inflictAll(
    senders: readonly Sender[],
    members: TestCluster['services'],
    inserts: NonNullable<typeof watch>,
    random: ReturnType<typeof randomFrom>,
  ): Promise<void> {
    const left = perKind((kind) => counts[kind] - before.inflicted.filter((fault) => fault.kind === kind).length);
    const timeUp = AbortSignal.any([signal, AbortSignal.timeout(options.faultsMs)]);
    let ofLeg = 0;
    const schedule = startSchedule({
      world: { cluster, members, watch: inserts, random, sessionMs: SESSION_MS, copies: join(folder, 'redis-copies') },
      ...{ counts: left, openMax: OPEN_MAX, gapMs: GAP_MS, random, signal: timeUp },
      onInflicted: (fault) => {
        inflicted.push(fault);
        ofLeg += 1;
        keep();
      },
    });
    let ended = false;
    const done = schedule.done.finally(() => {
      ended = true;
    });
    done.catch(() => undefined); // it is awaited below
    for (let toldAt = 0; !ended; ) {
      if (performance.now() - toldAt > TELL_MS) {
        toldAt = performance.now();
        const all = FAULT_KINDS.reduce((sum, kind) => sum + counts[kind], 0);
        const open = schedule.open.join('; ') || 'nothing open';
        tell(`${inflicted.length} of ${all} faults, ${loadText(senders)}; ${open}`);
      }
      if (ofLeg >= FAULTS_A_LEG) {
        await schedule.pause();
        ofLeg = 0;
        await untilCaughtUp();
        schedule.resume();
      }
      await Promise.race([done, delay(500)]);
    }
    await done;
  }

  /** With nothing broken, all that the log has by now is processed: nothing is stuck for ever. */
  async function untilCaughtUp(): Promise<void> {
    const begun = performance.now();
    const access = await openAccess(placeOf({ data: clusterFolder }, {}), Date.now);
    try {
      for (let partition = 0; partition < partitions; partition += 1) {
        await access.processed(partition, await access.log.endOffset(TOPICS.events, partition));
      }
    } finally {
      await access.close();
    }
    tell(`caught up in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  }
}

function accountsOf(sender: number, { accounts, senders }: SoakOptions): readonly string[] {
  return Array.from({ length: accounts }, (_, index) => index)
    .filter((index) => index % senders === sender)
    .map((index) => `acct-${index}`);
}

function loadText(senders: readonly Sender[]): string {
  const sum = (of: 'accepted' | 'refused' | 'samples' | 'repeats'): string =>
    senders.reduce((all, sender) => all + sender[of], 0).toLocaleString('en');
  return `${sum('accepted')} events acknowledged, ${sum('samples')} samples, ${sum('refused')} refused, ${sum('repeats')} sent again`;
}
