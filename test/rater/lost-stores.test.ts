import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MemoryLogDisk, openMemoryLog } from '../../platform/log/memory-log.ts';
import { SimulatedProcess } from '../../platform/memory/simulation.ts';
import { MemoryStateDisk, openMemoryState } from '../../platform/state/memory-state.ts';
import { Rater } from '../../services/rater/rater.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { SimulatedWarehouse, WarehouseDisk } from '../simulation/memory-warehouse.ts';

const T0 = Date.UTC(2026, 4, 4, 10);
const topics = Object.values(TOPICS).map((name) => {
  return { name, partitions: 1, time: name === TOPICS.events ? ('event' as const) : ('append' as const) };
});
const silent = { info: () => undefined, error: () => undefined };

/** A rater on disks that outlive it. */
function raterOn(log: MemoryLogDisk, state: MemoryStateDisk, warehouse: WarehouseDisk): Rater {
  const process = new SimulatedProcess();
  return new Rater(
    {
      log: openMemoryLog({ topics, now: () => T0, disk: log, process }),
      state: openMemoryState({ disk: state, process }),
      rows: new SimulatedWarehouse(
        warehouse,
        process,
        () => undefined,
        (rows) => rows,
      ),
      ...{ wire: JSON_WIRE, logger: silent, now: () => T0, sleep: async () => undefined },
      observer: { folded: () => undefined, committed: () => undefined, booked: () => undefined },
    },
    {
      ...{ partition: 0, partitions: 1, groupRecordsMax: 1, groupMs: 1, runRecordsMax: 1, runBytesMax: 1 << 20 },
      ...{ accountsMax: 10, clockJumpMaxMs: undefined },
    },
  );
}

function event(minutes: number, id: string, type: string, subject: string | undefined, data: object): string {
  const time = T0 + minutes * 60_000;
  return JSON.stringify({
    ...{ specversion: '1.0', id, source: 'ops', type, time, data },
    ...(subject === undefined ? {} : { subject }),
  });
}

/** Events of one account, and so many ticks after them. */
async function append(log: MemoryLogDisk, grant: string, ticks: number): Promise<void> {
  const events = [
    event(0, 'o', 'account.opened', 'acme', {}),
    event(1, 'g', 'credits.granted', 'acme', { grant_id: grant, kind: 'paid', amount: '10' }),
    ...Array.from({ length: ticks }, (_tick, n) => event(2 + n, `t${n}`, 'clock.tick', undefined, {})),
  ];
  const records = events.map((value, index) => ({ key: '', value, time: T0 + index * 60_000 }));
  await openMemoryLog({ topics, now: () => T0, disk: log }).append(TOPICS.events, 0, records);
}

/** Rates so many events, and ends. */
async function rate(rater: Rater, events: number): Promise<void> {
  await rater.start();
  const stop = new AbortController();
  const running = rater.run(stop.signal);
  running.catch(() => stop.abort());
  while (rater.progress.committed < events && !stop.signal.aborted) await setImmediate();
  stop.abort();
  await running;
}

test.each([
  ['the rows of the last group', 0],
  ['rows, and that in groups that have none since: they hold a tick each', 3],
])('a warehouse that lost %s stops the partition', async (_, ticks) => {
  const log = new MemoryLogDisk();
  const state = new MemoryStateDisk();
  const warehouse = new WarehouseDisk();
  await append(log, 'g', ticks);
  await rate(raterOn(log, state, warehouse), 2 + ticks);
  await expect(raterOn(log, state, warehouse).start()).resolves.toBeUndefined();
  await expect(raterOn(log, state, new WarehouseDisk()).start()).rejects.toMatchObject({
    name: 'WarehouseBehindCheckpoint',
    message: expect.stringContaining('ledger_entries has 0 of the 1 rows of offsets 1 to 2'),
  });
});

test.each([
  ['is shorter than what was rated', 'g', 0, 'CheckpointAheadOfLog'],
  ['was lost and has grown again, as long as it was', 'other', 0, 'LogRewritten'],
  ['was lost and has grown again, longer than it was', 'other', 3, 'LogRewritten'],
  ['was put back, and has grown', 'g', 5, undefined],
])('a log that %s: the partition says so', async (_, grant, ticks, fault) => {
  const log = new MemoryLogDisk();
  const state = new MemoryStateDisk();
  const warehouse = new WarehouseDisk();
  await append(log, 'g', 0);
  await rate(raterOn(log, state, warehouse), 2);
  const found = new MemoryLogDisk();
  if (fault === 'CheckpointAheadOfLog') await openMemoryLog({ topics, now: () => T0, disk: found }).close();
  else await append(found, grant, ticks);
  const started = raterOn(found, state, warehouse).start();
  if (fault === undefined) await expect(started).resolves.toBeUndefined();
  else await expect(started).rejects.toMatchObject({ name: fault });
});
