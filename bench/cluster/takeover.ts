import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './backlog.ts';
import { watchCheckpoints } from './checkpoints.ts';
import { type Load, steady } from './latency.ts';
import type { Servers, Service } from './servers.ts';

const SETTLE_MS = 5_000;
const WITHIN_MS = 180_000;
const POLL_MS = 20;

/**
 * Two raters share the partitions beside a steady load; one is killed by SIGKILL.
 * @returns seconds until the first and until the last of its partitions has a checkpoint of the other
 */
export async function takeover(
  servers: Servers,
  client: Client,
  load: Load,
  sessionTimeoutMs: number,
): Promise<{ readonly first: number; readonly all: number }> {
  const world = { ...(await servers.newWorld()), TOLLGATE_SESSION_TIMEOUT_MS: `${sessionTimeoutMs}` };
  const ends = await client.ends();
  const checkpoints = await watchCheckpoints(world, ends.length);
  const raters: Service[] = [];
  const stop = new AbortController();
  let loading: Promise<unknown> = Promise.resolve();
  try {
    for (let rater = 0; rater < 2; rater += 1) raters.push(await servers.launch('rater', world));
    await checkpoints.reach(ends, WITHIN_MS);
    loading = steady(client, load, stop.signal);
    await delay(SETTLE_MS);
    const [victim] = raters;
    if (victim === undefined) throw new Error('no rater');
    const owned = await partitionsOf(victim);
    await victim.kill();
    const begun = performance.now();
    const before = await checkpoints.now();
    let first: number | undefined;
    for (;;) {
      const now = await checkpoints.now();
      const taken = owned.filter((partition) => (now[partition] ?? 0) > (before[partition] ?? 0));
      const seconds = (performance.now() - begun) / 1000;
      if (taken.length > 0) first ??= seconds;
      if (first !== undefined && taken.length === owned.length) return { first, all: seconds };
      if (seconds * 1000 > WITHIN_MS) throw new Error(`partitions ${owned.join(', ')} were not taken over`);
      await delay(POLL_MS);
    }
  } finally {
    stop.abort();
    await loading;
    for (const rater of raters) await rater.stop();
    await checkpoints.close();
  }
}

/** The partitions that a rater says it has. */
async function partitionsOf({ operations }: Service): Promise<readonly number[]> {
  const metrics = await (await fetch(`${operations}/metrics`)).text();
  const found = metrics.matchAll(/^tollgate_rater_offset\{[^}]*partition="(\d+)"[^}]*stage="folded"[^}]*\}/gm);
  const partitions = [...found].map(([, partition]) => Number(partition));
  if (partitions.length === 0) throw new Error('the rater has no partition');
  return partitions;
}
