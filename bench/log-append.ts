import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbEnvironment } from '../platform/lmdb/environment.ts';
import { openLmdbLog } from '../platform/log/lmdb-log.ts';
import { openLmdbState } from '../platform/state/lmdb-state.ts';
import type { Fence } from '../platform/state/port.ts';
import type { Result } from './result.ts';

/** One measured row: what was done, how often a second, and how long one call took at the median and the 99th. */
interface LogBenchRow {
  readonly what: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const BATCH = 1000;
const CALLS = 400;
const STEPS = 30;
const STEP_WRITES = 20_000;

/** Measures appends (durable, 300 B values in batches of 1,000), reads, and commits of state in LMDB. */
export async function benchLog(): Promise<readonly Result[]> {
  return (await measureLog()).map(({ what, perSecond, p50Ms, p99Ms }) => ({
    claim: what,
    value: `${Math.round(perSecond)}/s, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    aim: '',
  }));
}

async function measureLog(): Promise<LogBenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
  const environment = await LmdbEnvironment.open({ directory });
  try {
    const topics = [{ name: 'events', partitions: 1, time: 'append' as const }];
    const log = await openLmdbLog({ environment, topics, now: () => 1000 });
    const records = Array.from({ length: BATCH }, (_, index) => ({
      key: `account-${index % 50}`,
      value: 'x'.repeat(300),
    }));
    const rows: LogBenchRow[] = [];
    for (const clients of [1, 4, 16]) {
      const append = () => log.append('events', 0, records);
      rows.push(await measure(`append, batches of ${BATCH}, ${clients} at a time`, CALLS, clients, BATCH, append));
    }
    rows.push(
      await measure('append, one record, 64 at a time', 20_000, 64, 1, () =>
        log.append('events', 0, records.slice(0, 1)),
      ),
    );
    let offset = 0;
    const read = async () => {
      offset += (await log.read('events', 0, offset, { recordsMax: BATCH, bytesMax: 1e9 })).length;
    };
    rows.push(await measure(`read, ${BATCH} at a time`, 3 * CALLS, 1, BATCH, read));
    const store = openLmdbState(environment);
    let { fence } = await store.claim('rater/0');
    const commit = async () => {
      fence = await step(fence);
    };
    const step = (from: Fence) =>
      store.commit('rater/0', from, {
        next: { nextOffset: (from.nextOffset ?? 0) + 1, version: '1', meta: '' },
        writes: Array.from(
          { length: STEP_WRITES },
          (_, index) => [`account-${index % 500}`, `node-${index}`, '1'.repeat(60)] as const,
        ),
        timers: Array.from(
          { length: STEP_WRITES / 10 },
          (_, index) => [`node-${index}`, from.nextOffset ?? 0] as const,
        ),
      });
    rows.push(await measure(`commit of ${STEP_WRITES} fields, fields`, STEPS, 1, STEP_WRITES, commit));
    const keys = Array.from({ length: 500 }, (_, index) => `account-${index}`);
    rows.push(
      await measure(`load of ${STEP_WRITES} fields, fields`, STEPS, 1, STEP_WRITES, () =>
        store.load('rater/0', fence, keys),
      ),
    );
    await log.close();
    await store.close();
    return rows;
  } finally {
    await environment.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  what: string,
  calls: number,
  clients: number,
  items: number,
  call: () => Promise<unknown>,
): Promise<LogBenchRow> {
  const took: number[] = [];
  const begun = performance.now();
  const client = async () => {
    for (let count = 0; count < calls / clients; count += 1) {
      const before = performance.now();
      await call();
      took.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - begun) / 1000;
  took.sort((left, right) => left - right);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? 0;
  return { what, perSecond: Math.round((took.length * items) / seconds), p50Ms: at(0.5), p99Ms: at(0.99) };
}
