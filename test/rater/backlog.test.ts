import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openMemoryLog } from '../../platform/log/memory-log.ts';
import { openMemoryState } from '../../platform/state/memory-state.ts';
import { Rater } from '../../services/rater/rater.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';

const T0 = Date.UTC(2026, 4, 4, 10);
const TICKS = 13;

test('in a backlog a group ends by its records alone, and at its end by time', async () => {
  const topics = Object.values(TOPICS).map((name) => {
    return { name, partitions: 1, time: name === TOPICS.events ? ('event' as const) : ('append' as const) };
  });
  const log = openMemoryLog({ topics, now: () => T0 });
  const ticks = Array.from({ length: TICKS }, (_, n) => {
    const tick = { specversion: '1.0', id: `t${n}`, source: 'ops', type: 'clock.tick', data: {} };
    return { key: '', value: JSON.stringify(tick), time: T0 + n };
  });
  await log.append(TOPICS.events, 0, ticks);
  const committed: number[] = [];
  const rater = new Rater(
    {
      ...{ log, wire: JSON_WIRE, state: openMemoryState(), now: () => T0, sleep: async () => undefined },
      rows: { insertBlock: async () => undefined, countRows: async () => 0 },
      logger: { info: () => undefined, error: () => undefined },
      observer: {
        folded: () => undefined,
        committed: (records) => void committed.push(records),
        booked: () => undefined,
      },
    },
    {
      // a group is old at once
      ...{ partition: 0, partitions: 1, groupRecordsMax: 6, groupMs: 0, runRecordsMax: 2, runBytesMax: 1 << 20 },
      ...{ accountsMax: 10, clockJumpMaxMs: undefined },
    },
  );
  await rater.start();
  const stop = new AbortController();
  const running = rater.run(stop.signal);
  running.catch(() => stop.abort());
  while (rater.progress.committed < TICKS && !stop.signal.aborted) await setImmediate();
  stop.abort();
  await running;
  expect(committed).toEqual([6, 6, 1]);
});
