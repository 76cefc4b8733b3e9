import { describe, expect, test } from 'vitest';
import { openMemoryLog } from '../../platform/log/memory-log.ts';
import type { EventLog } from '../../platform/log/port.ts';
import { openMemoryState } from '../../platform/state/memory-state.ts';
import type { StateStore } from '../../platform/state/port.ts';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { needsPerson } from '../../services/enforcer/needs-person.ts';
import { RULES_VERSION, TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';

const topics = Object.values(TOPICS).map((name) => ({ name, partitions: 1, time: 'append' as const }));

/** A log of which the first three balance updates are gone. */
async function trimmedLog(): Promise<EventLog> {
  const log = openMemoryLog({ topics, now: () => 1 });
  await log.append(TOPICS.updates, 0, new Array(5).fill({ key: '', value: '{}' }));
  await log.trimBefore(TOPICS.updates, 0, 3);
  return log;
}

/** The rater of the partition has written a checkpoint. @param began where its first update without state went */
async function rated(state: StateStore, began: number | undefined): Promise<void> {
  const { fence } = await state.claim('rater/0');
  const next = { nextOffset: 1, version: `${RULES_VERSION}`, meta: '{}' };
  const writes = began === undefined ? [] : ([['partition', 'began', `${began}`]] as const);
  await state.commit('rater/0', fence, { next, writes, timers: [] });
}

async function faultOfStart(log: EventLog, state: StateStore): Promise<unknown> {
  const enforcer = new Enforcer(
    {
      ...{ log, state, wire: JSON_WIRE, now: () => 1, sleep: async () => undefined },
      rows: { insertBlock: async () => undefined },
      logger: { info: () => undefined, warn: () => undefined },
      observer: { issued: () => undefined, committed: () => undefined, outbox: () => undefined },
    },
    {
      ...{ partition: 0, live: true, past: false, runRecordsMax: 100, runBytesMax: 1 << 20 },
      ...{ wallClockMs: 1000, checkpointRecordsMax: 100 },
    },
  );
  try {
    await enforcer.start();
    return undefined;
  } catch (fault) {
    return fault;
  }
}

describe('B3: an enforcer without state, where older balance updates are gone', () => {
  test('waits for a rater that has no state either: it will tell of everything again', async () => {
    const fault = await faultOfStart(await trimmedLog(), openMemoryState());
    expect(fault).toMatchObject({ name: 'RaterNotBegun' });
    expect(needsPerson(fault)).toBe(false);
  });

  test.each([undefined, 2])('stops where the rater that told of everything began at %s', async (began) => {
    const state = openMemoryState();
    await rated(state, began);
    const fault = await faultOfStart(await trimmedLog(), state);
    expect(fault).toMatchObject({ name: 'UpdatesTrimmed' });
    expect(needsPerson(fault)).toBe(true);
  });

  test.each([3, 4])('begins where the rater began anew, at %d', async (began) => {
    const state = openMemoryState();
    await rated(state, began);
    expect(await faultOfStart(await trimmedLog(), state)).toBeUndefined();
  });
});
