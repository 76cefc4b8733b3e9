import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FencedError } from '../../../platform/state/port.ts';
import { type PartitionWorker, PartitionWorkers } from '../../../services/shared/runtime/partition-workers.ts';

class Worker implements PartitionWorker {
  readonly partition: number;
  readonly #script: Script;
  running = false;

  constructor(partition: number, script: Script) {
    this.partition = partition;
    this.#script = script;
  }

  async start(): Promise<void> {
    const fault = this.#script.starts.shift();
    if (fault !== undefined) throw fault;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.running = true;
    this.#script.events.push(`run ${this.partition}`);
    await new Promise<void>((resolve, reject) => {
      this.#script.fail = reject;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.running = false;
    this.#script.events.push(`end ${this.partition}`);
    if (this.#script.lastWrite !== undefined) throw this.#script.lastWrite;
  }
}

interface Script {
  readonly events: string[];
  readonly starts: (Error | undefined)[];
  fail: (fault: Error) => void;
  lastWrite?: Error;
}

class NeedsPerson extends Error {}

function workers() {
  const script: Script = { events: [], starts: [], fail: () => undefined };
  const givenUp: unknown[] = [];
  const said: string[] = [];
  const say = (_fields: object, message: string): void => void said.push(message);
  const pool = new PartitionWorkers({
    make: (partition) => new Worker(partition, script),
    needsPerson: (fault) => fault instanceof NeedsPerson,
    onGivenUp: (fault) => givenUp.push(fault),
    onFault: () => undefined,
    logger: { info: say, warn: say, fatal: say },
    sleep: async () => void (await setImmediate()),
  });
  const states = () => [...pool.entries()].map(({ partition, state }) => `${partition} ${state}`);
  return { pool, script, givenUp, said, states };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
}

const fenced = new FencedError('rater/0', { epoch: 1, nextOffset: 0 }, { epoch: 2, nextOffset: 0 });

describe('the partitions that a process owns', () => {
  test('what it goes on owning is not disturbed, what is taken away writes what is open and ends', async () => {
    const { pool, script, states } = workers();
    pool.assign(new Set([0, 1]));
    await settle();
    pool.assign(new Set([1, 2]));
    await settle();
    expect(script.events).toEqual(['run 0', 'run 1', 'end 0', 'run 2']);
    expect(states()).toEqual(['1 running', '2 running']);
    await pool.stop();
    expect(script.events.slice(4).sort()).toEqual(['end 1', 'end 2']);
    expect(states()).toEqual([]);
  });

  test('a fault of a store is tried again, from the checkpoint, by a new worker', async () => {
    const { pool, script, said, states } = workers();
    script.starts.push(new Error('redis is away'), new Error('redis is away'));
    pool.assign(new Set([0]));
    await settle();
    expect(states()).toEqual(['0 running']);
    script.fail(fenced);
    await settle();
    expect(script.events).toEqual(['run 0', 'run 0']);
    expect(said).toContain('another owner or step came before');
    await pool.stop();
  });

  test('what needs a person stops the partition, loudly, and no other', async () => {
    const { pool, script, said, states } = workers();
    script.starts.push(new NeedsPerson('CheckpointAheadOfLog'));
    pool.assign(new Set([0, 1]));
    await settle();
    expect(states()).toEqual(['0 stopped', '1 running']);
    expect(said).toEqual(['the partition has stopped']);
    pool.assign(new Set([1]));
    pool.assign(new Set([0, 1]));
    await settle();
    expect(states()).toEqual(['1 running', '0 running']);
    await pool.stop();
  });

  test('a partition that fails for ever ends the process, after a bounded number of tries', async () => {
    const { pool, script, givenUp } = workers();
    script.starts.push(...Array.from({ length: 1000 }, () => new Error('away')));
    pool.assign(new Set([0]));
    for (let turn = 0; turn < 1000 && givenUp.length === 0; turn += 1) await settle();
    expect(givenUp).toHaveLength(1);
    expect(String(givenUp[0])).toContain('PartitionKeepsFailing');
    expect(script.starts.length).toBe(800);
    await pool.stop();
  });

  test('a last write that another owner has overtaken is no failure of the process', async () => {
    const { pool, script, givenUp, said } = workers();
    pool.assign(new Set([0]));
    await settle();
    script.lastWrite = fenced;
    await pool.stop();
    expect(givenUp).toEqual([]);
    expect(said.at(-1)).toContain('given away');
  });
});
