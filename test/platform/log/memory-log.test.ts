import { describe, expect, it } from 'vitest';
import { MemoryLogDisk, openMemoryLog } from '../../../platform/log/memory-log.ts';
import { isLogError, type TopicSpec } from '../../../platform/log/port.ts';
import {
  type Fault,
  type FaultPlan,
  faultsAt,
  type Operation,
  SimulatedCrash,
  SimulatedProcess,
} from '../../../platform/memory/simulation.ts';
import { openMemoryState } from '../../../platform/state/memory-state.ts';

const topics: TopicSpec[] = [{ name: 'events', partitions: 2, time: 'append' }];
const ALL = { recordsMax: 1000, bytesMax: 1e9 };
const record = (value: string) => ({ key: 'k', value });

async function run(faults: FaultPlan, disk = new MemoryLogDisk(), process = new SimulatedProcess()) {
  const log = openMemoryLog({ topics, now: () => 1000, disk, faults, process });
  const outcomes: string[] = [];
  for (const value of ['a', 'b', 'c']) {
    await log.append('events', 0, [record(value)]).then(
      () => outcomes.push(value),
      (error) =>
        outcomes.push(
          error instanceof SimulatedCrash ? 'crash' : isLogError(error, 'LogWriteFailed') ? 'failed' : 'other',
        ),
    );
  }
  const after = openMemoryLog({ topics, now: () => 1000, disk });
  const stored = (await after.read('events', 0, 0, ALL)).map(({ value }) => value.toString()).join('');
  return { outcomes, stored };
}

describe('faults of the log in memory', () => {
  it.each<[Fault['kind'], Fault['when'], string[], string]>([
    ['fail', 'before', ['a', 'failed', 'c'], 'ac'],
    ['fail', 'after', ['a', 'failed', 'c'], 'abc'],
    ['crash', 'before', ['a', 'crash', 'crash'], 'a'],
    ['crash', 'after', ['a', 'crash', 'crash'], 'ab'],
  ])('a %s %s the second append took effect', async (kind, when, outcomes, stored) => {
    const plan = faultsAt([{ name: 'append', nth: 2, kind, when }]);
    expect(await run(plan)).toEqual({ outcomes, stored });
    expect(await run(plan)).toEqual({ outcomes, stored });
  });

  it('the plan sees every call with its name, number and target', async () => {
    const seen: Operation[] = [];
    const plan: FaultPlan = (operation) => {
      seen.push(operation);
      return undefined;
    };
    const log = openMemoryLog({ topics, now: () => 1, faults: plan });
    await log.append('events', 1, [record('x')]);
    await log.append('events', 0, [record('x')]);
    await log.read('events', 1, 0, ALL);
    await log.trimBefore('events', 1, 1);
    expect(seen).toEqual([
      { name: 'append', nth: 1, target: 'events/1' },
      { name: 'append', nth: 2, target: 'events/0' },
      { name: 'read', nth: 1, target: 'events/1' },
      { name: 'trim', nth: 1, target: 'events/1' },
    ]);
  });

  it('a plan can hold a call back: it takes effect when the plan lets it, and others of the partition wait behind it', async () => {
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const log = openMemoryLog({ topics, now: () => 1, faults: ({ nth }) => (nth === 1 ? held : undefined) });
    const slow = log.append('events', 0, [record('slow')]);
    const behind = log.append('events', 0, [record('behind')]);
    await log.append('events', 1, [record('free')]);
    expect(await log.endOffset('events', 0)).toBe(0);
    release();
    expect([(await slow).firstOffset, (await behind).firstOffset]).toEqual([0, 1]);
  });

  it('a crash in the log is a crash of the state of the same process', async () => {
    const process = new SimulatedProcess();
    const state = openMemoryState({ process });
    await state.claim('rater/0');
    await run(faultsAt([{ name: 'append', nth: 1, kind: 'crash', when: 'before' }]), new MemoryLogDisk(), process);
    await expect(state.claim('rater/0')).rejects.toThrow(SimulatedCrash);
  });

  it('a call that was under way when the process crashed does nothing', async () => {
    const disk = new MemoryLogDisk();
    const process = new SimulatedProcess();
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const log = openMemoryLog({ topics, now: () => 1, disk, process, faults: () => held });
    const appending = log.append('events', 0, [record('late')]);
    await Promise.resolve();
    process.crash();
    release();
    await expect(appending).rejects.toThrow(SimulatedCrash);
    expect(disk.topics.get('events')?.[0]?.records).toEqual([]);
  });
});
