import { writeSync } from 'node:fs';
import { LmdbEnvironment } from '../../../platform/lmdb/environment.ts';
import { openLmdbLog } from '../../../platform/log/lmdb-log.ts';
import { openLmdbState } from '../../../platform/state/lmdb-state.ts';

/**
 * A process to kill: appends numbered records in two partitions at once and writes steps of state, each with its number
 * in every field and timer, and says on stdout what was acknowledged, until it is killed or a write fails.
 * Call: `child.ts DIRECTORY RECORDS_IN_A_BATCH`.
 */
const [directory = '', size = '100'] = process.argv.slice(2);
const batchRecords = Number(size);
const environment = await LmdbEnvironment.open({ directory });
const log = await openLmdbLog({
  environment,
  topics: [{ name: 'events', partitions: 2, time: 'append' }],
  now: () => 1000,
});
const store = openLmdbState(environment);
say(`ready ${process.pid}`);
await Promise.all([append(0), append(1), step()]);

async function append(partition: number): Promise<void> {
  for (let next = await log.endOffset('events', partition); ; next += batchRecords) {
    const records = Array.from({ length: batchRecords }, (_, index) => ({
      key: `k${next + index}`,
      value: `${next + index} `.padEnd(200, 'x'),
    }));
    try {
      await log.append('events', partition, records);
    } catch (error) {
      say(`refused ${error instanceof Error ? error.name : error}`);
      return;
    }
    say(`log ${partition} ${next + batchRecords}`);
  }
}

async function step(): Promise<void> {
  let { fence } = await store.claim('rater/0');
  for (;;) {
    const nextOffset = (fence.nextOffset ?? 0) + 1;
    try {
      fence = await store.commit('rater/0', fence, {
        next: { nextOffset, version: '1', meta: `${nextOffset}` },
        writes: Array.from({ length: 300 }, (_, index) => [`k${index % 10}`, `f${index}`, `${nextOffset}`] as const),
        timers: Array.from({ length: 100 }, (_, index) => [`t${index}`, nextOffset] as const),
      });
    } catch (error) {
      say(`refused ${error instanceof Error ? error.name : error}`);
      return;
    }
    say(`state ${nextOffset}`);
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
