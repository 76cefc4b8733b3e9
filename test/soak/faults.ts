import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../histories/random.ts';
import type { ClusterService, TestCluster } from '../integration/support/cluster.ts';
import type { InsertWatch } from './insert-watch.ts';

/** What is done to a running cluster; `mend` of each is part of it. */
export const FAULT_KINDS = [
  'kill a service',
  'pause a service',
  'rebalance',
  'kill the broker',
  'kill Redis',
  'rewind Redis',
  'kill ClickHouse in mid-insert',
  'registry outage',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultWorld {
  readonly cluster: TestCluster;
  /** The services that stay for the whole run. */
  readonly members: readonly ClusterService[];
  readonly watch: InsertWatch;
  readonly random: Random;
  /** What a service may be silent for before it loses its partitions, ms. */
  readonly sessionMs: number;
  /** Folder of the copies of Redis's data. */
  readonly copies: string;
}

/** A fault that was chosen, on a target that is in order. */
export interface ChosenFault {
  readonly kind: FaultKind;
  /** Name of the process. */
  readonly target: string;
  /** Resolves once it is mended, with whether it was what its kind says; only then it counts. */
  readonly inflict: () => Promise<boolean>;
}

/** Copies of Redis that are kept. */
const COPIES_MAX = 8;
const INSERT_WAIT_MS = 20_000;

/** A fault of a kind on a target that no other is at work on; undefined if there is none now. */
export function chooseFault(
  kind: FaultKind,
  world: FaultWorld,
  isFree: (target: string) => boolean,
): ChosenFault | undefined {
  const { cluster, members, watch, random, sessionMs, copies } = world;
  const { kafka, redis, clickhouse, registry } = cluster.servers;
  const service = (): ClusterService | undefined =>
    random.any(members.filter(({ name, running }) => running && isFree(name)));
  const on = (target: string | undefined, inflict: () => Promise<boolean>): ChosenFault | undefined =>
    target !== undefined && isFree(target) ? { kind, target, inflict } : undefined;

  switch (kind) {
    case 'kill a service': {
      const victim = service();
      return on(victim?.name, async () => {
        await victim?.kill();
        await delay(random.int(0, 1500));
        await victim?.start();
        return true;
      });
    }
    case 'pause a service': {
      const victim = service();
      // it comes back as a zombie: others have had its partitions for a while
      return on(victim?.name, async () => (await victim?.pause(sessionMs + random.int(1000, 4000))) ?? false);
    }
    case 'rebalance':
      return random.chance(0.5) ? joinAndLeave() : restartInOrder();
    case 'kill the broker':
      return on(kafka.name, async () => {
        await kafka.kill();
        await delay(random.int(0, 3000));
        await kafka.start();
        return true;
      });
    case 'kill Redis':
      return on(redis.name, async () => {
        await redis.kill();
        await copyRedis();
        await delay(random.int(0, 3000));
        await redis.start();
        return true;
      });
    case 'rewind Redis':
      return on(redis.name, async () => {
        await redis.kill();
        const rewound = await putBackRedis();
        await redis.start();
        return rewound;
      });
    case 'kill ClickHouse in mid-insert':
      return on(clickhouse.name, async () => {
        if (!(await watch.untilInsert(INSERT_WAIT_MS))) return false;
        await delay(random.int(0, 3));
        const torn = watch.unanswered > 0;
        await clickhouse.kill();
        await delay(random.int(0, 3000));
        await clickhouse.start();
        return torn;
      });
    case 'registry outage':
      return on(registry.name, async () => {
        await registry.kill();
        await delay(random.int(2000, 12_000));
        await registry.start();
        return true;
      });
  }

  /** A further member takes partitions from the others and gives them back. */
  function joinAndLeave(): ChosenFault | undefined {
    const kindOf = random.pick(['rater', 'enforcer', 'ingest'] as const);
    return on(`a further ${kindOf}`, async () => {
      const further = await cluster.add(kindOf);
      await delay(random.int(1000, 5000));
      await cluster.remove(further);
      return true;
    });
  }

  function restartInOrder(): ChosenFault | undefined {
    const member = service();
    return on(member?.name, async () => {
      await member?.restart();
      return true;
    });
  }

  async function copyRedis(): Promise<void> {
    await mkdir(copies, { recursive: true });
    const kept = await copiesOfRedis();
    const next = Number(kept.at(-1) ?? 0) + 1;
    const copy = join(copies, `${next}`.padStart(6, '0'));
    // under its name once it is whole: a soak that is interrupted leaves no torn copy
    await cp(redis.dataDir, `${copy}.part`, { recursive: true });
    await rename(`${copy}.part`, copy);
    for (const old of kept.slice(0, -(COPIES_MAX - 1))) await rm(join(copies, old), { recursive: true });
  }

  /** Any of the copies: what Redis acknowledged since is lost. */
  async function putBackRedis(): Promise<boolean> {
    const copy = random.any(await copiesOfRedis());
    if (copy === undefined) {
      await copyRedis();
      return false;
    }
    await rm(redis.dataDir, { recursive: true });
    await cp(join(copies, copy), redis.dataDir, { recursive: true });
    return true;
  }

  async function copiesOfRedis(): Promise<readonly string[]> {
    await mkdir(copies, { recursive: true });
    return (await readdir(copies)).filter((name) => /^\d+$/.test(name)).sort();
  }
}
