import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryLogDisk, openMemoryLog } from '../../platform/log/memory-log.ts';
import { type FaultPlan, SimulatedProcess } from '../../platform/memory/simulation.ts';
import { MemoryStateDisk, openMemoryState } from '../../platform/state/memory-state.ts';
import { type Act, Acts, EnforcerStopped } from '../../services/enforcer/acts.ts';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { updateRecords, watermarkRecord } from '../../services/shared/contracts/update-record.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { T0, usd, World } from './support/world.ts';

const EIGHT = new Map([['H100', 8]]);
const HELD: Act = { kind: 'hold', target: { accountId: 'acme' }, by: 'ann', why: 'a migration' };
const HELD_ALL: Act = { ...HELD, target: 'all' };
const RELEASED: Act = { ...HELD, kind: 'release', why: 'the migration is over' };

/** An enforcer on stores that outlive it, and a rater that tells it of a world. */
class Station {
  readonly live: boolean;
  readonly #logDisk = new MemoryLogDisk();
  readonly #stateDisk = new MemoryStateDisk();
  readonly world: World;
  readonly said: (object & { readonly message: string })[] = [];
  #process = new SimulatedProcess();
  #stop = new AbortController();
  enforcer: Enforcer;
  #running: Promise<void> = Promise.resolve();
  now: Instant = T0;
  #untold: { readonly key: string; readonly value: string }[] = [];

  constructor(live = true) {
    this.live = live;
    this.world = new World((input) => {
      if (input.kind === 'watermark') this.#untold.push({ key: '', value: watermarkRecord(input) });
      else for (const value of updateRecords(input, 0)) this.#untold.push({ key: input.accountId, value });
    });
    this.enforcer = this.#build();
  }

  #log(process: SimulatedProcess) {
    const topics = Object.values(TOPICS).map((name) => ({ name, partitions: 1, time: 'append' as const }));
    return openMemoryLog({ topics, now: () => this.now, disk: this.#logDisk, process });
  }

  #build(faults?: FaultPlan): Enforcer {
    this.#process = new SimulatedProcess();
    this.#stop = new AbortController();
    const state = openMemoryState({
      disk: this.#stateDisk,
      process: this.#process,
      ...(faults === undefined ? {} : { faults }),
    });
    const say = (fields: object, message: string): void => void this.said.push({ ...fields, message });
    return new Enforcer(
      {
        log: this.#log(this.#process),
        state,
        rows: { insertBlock: async () => undefined },
        logger: { info: say, warn: say },
        observer: { issued: () => undefined },
        now: () => this.now,
        sleep: (_ms, signal) =>
          new Promise((resolve) => {
            if (signal.aborted) resolve();
            else signal.addEventListener('abort', () => resolve(), { once: true });
          }),
      },
      {
        ...{ partition: 0, live: this.live, past: false, runRecordsMax: 100, runBytesMax: 1 << 20 },
        ...{ wallClockMs: 1000, checkpointRecordsMax: 1_000_000 },
      },
    );
  }

  async start(): Promise<void> {
    await this.enforcer.start();
    this.#running = this.enforcer.run(this.#stop.signal);
    this.#running.catch(() => undefined);
    await this.#settle();
  }

  /** Nothing that the process still does reaches a disk; another takes over. */
  async killAndRestart(faults?: FaultPlan): Promise<void> {
    this.#process.crash();
    this.#stop.abort();
    await this.#running.catch(() => undefined);
    this.enforcer = this.#build(faults);
    await this.start();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Log and wall clock go on together. */
  async until(at: Instant): Promise<void> {
    for (let next = Math.min(at, this.world.clock + 5 * MINUTE_MS); ; next = Math.min(at, next + 5 * MINUTE_MS)) {
      this.now = next;
      this.world.advance(next);
      this.world.watermark();
      await this.#log(new SimulatedProcess()).append(TOPICS.updates, 0, this.#untold.splice(0));
      // A log of another process wakes nobody here: the act of nobody does.
      await this.enforcer.act({ kind: 'release', target: { accountId: 'nobody' }, by: 'x', why: 'x' });
      await this.#settle();
      if (next === at) return;
    }
  }

  exhaust(id: string): void {
    this.world.customer(id).runCluster(this.world.clock, 'c1', EIGHT, 1000 * HOUR_MS);
    this.world.customer(id).charge(this.world.clock, usd(1));
  }

  /** What was published to clusters so far, by account. */
  async pauses(): Promise<readonly string[]> {
    const records = await this.#log(new SimulatedProcess()).read(TOPICS.compute, 0, 0, {
      recordsMax: 1000,
      bytesMax: 1 << 20,
    });
    return records.map(({ key }) => key);
  }

  /** Every call of the memory adapters ends after some turns of promises. */
  async #settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  }
}

const stations: Station[] = [];
afterEach(async () => {
  for (const one of stations.splice(0)) await one.stop().catch(() => undefined);
});

async function station(live = true): Promise<Station> {
  const one = new Station(live);
  stations.push(one);
  await one.start();
  return one;
}

describe('N11: operators hold and release', () => {
  test('N11: a hold that was answered outlives a crash, with who, why and since when', async () => {
    const one = await station();
    for (const id of ['acme', 'beta']) one.exhaust(id);
    await one.until(T0 + 10 * MINUTE_MS);
    expect(await one.enforcer.act(HELD)).toEqual({ kind: 'done', at: T0 + 10 * MINUTE_MS });
    await one.killAndRestart();
    await one.until(T0 + 65 * MINUTE_MS);
    expect(await one.pauses()).toEqual(['beta/cluster/c1']);
    expect([...one.enforcer.accountHolds()]).toEqual([
      { accountId: 'acme', hold: { by: 'ann', why: 'a migration', at: T0 + 10 * MINUTE_MS } },
    ]);
    expect(one.said).toContainEqual({
      ...{ scope: 'enforcer/0', act: 'hold', target: { accountId: 'acme' }, by: 'ann', why: 'a migration' },
      ...{ at: T0 + 10 * MINUTE_MS, message: 'enforcement held' },
    });
  });

  test('N11: a release that was answered outlives a crash, and its commands are published, once by id', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.enforcer.act(HELD_ALL);
    await one.until(T0 + 2 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    expect(await one.enforcer.act({ ...RELEASED, target: 'all' })).toMatchObject({ kind: 'done' });
    await one.killAndRestart();
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
    expect(one.enforcer.holds()).toEqual({
      hold: undefined,
      brake: undefined,
      suspended: false,
      lastRelease: { by: 'ann', why: 'the migration is over', at: T0 + 2 * HOUR_MS },
    });
    expect(one.said.map(({ message }) => message)).toContain('enforcement released');
  });

  test('N11: the brake holds through crashes until somebody releases all; releasing accounts does not', async () => {
    const one = await station();
    const ids = Array.from({ length: 11 }, (_, n) => `acct-${n}`);
    for (const id of ids) one.exhaust(id);
    await one.until(T0 + 70 * MINUTE_MS);
    await one.killAndRestart();
    for (const accountId of ids) await one.enforcer.act({ ...RELEASED, target: { accountId } });
    await one.until(T0 + 5 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    expect(one.enforcer.holds().brake).toMatchObject({ by: 'brake', why: '11 accounts within one hour' });
    await one.enforcer.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 5 * HOUR_MS + 5 * MINUTE_MS);
    expect(new Set(await one.pauses()).size).toBe(11);
  });

  test('N11: releasing all leaves what is held by itself', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.enforcer.act(HELD);
    await one.enforcer.act(HELD_ALL);
    await one.enforcer.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 2 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    await one.enforcer.act(RELEASED);
    await one.until(T0 + 2 * HOUR_MS + MINUTE_MS);
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
  });

  test('N11: the same hold again holds since the first; one by another, or for another reason, since the second', async () => {
    const one = await station();
    one.exhaust('acme');
    const since = async (minutes: number, act: Act) => {
      await one.until(T0 + minutes * MINUTE_MS);
      await one.enforcer.act(act);
      return [...one.enforcer.accountHolds()].map(({ hold }) => (hold.at - T0) / MINUTE_MS);
    };
    expect(await since(1, HELD)).toEqual([1]);
    expect(await since(2, HELD)).toEqual([1]);
    expect(await since(3, { ...HELD, by: 'bob' })).toEqual([3]);
    expect(await since(4, { ...HELD, by: 'bob', why: 'x' })).toEqual([4]);
  });

  test('N11: an account that is not known, hostile names among them, is held by nobody', async () => {
    const one = await station();
    for (const accountId of ['nobody', '__proto__', 'constructor', '']) {
      expect(await one.enforcer.act({ ...HELD, target: { accountId } })).toEqual({ kind: 'unknown_account' });
    }
  });

  test('N11: where the log takes the times of events, and in exports, what is held stays held', async () => {
    const one = await station(false);
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.enforcer.act(HELD);
    await one.killAndRestart();
    await one.until(T0 + 2 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    await one.enforcer.act(RELEASED);
    await one.until(T0 + 2 * HOUR_MS + MINUTE_MS);
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
  });
});

describe('N11: an act is told done only once it is durable', () => {
  test('a commit that fails, and one whose outcome is unknown, are told as such', async () => {
    for (const when of ['before', 'after'] as const) {
      const one = await station();
      one.exhaust('acme');
      await one.until(T0 + MINUTE_MS);
      await one.killAndRestart(({ name }) => (name === 'commit' ? { kind: 'fail', when } : undefined));
      await expect(one.enforcer.act(HELD)).rejects.toThrow(EnforcerStopped);
      await expect(one.stop()).rejects.toThrow('injected');
      await expect(one.enforcer.act(HELD)).rejects.toThrow(EnforcerStopped);
    }
  });

  test('nobody waits for ever: not in a queue that is full, not at a stop', async () => {
    const acts = new Acts();
    const waiting = Array.from({ length: 1000 }, () => acts.add(HELD));
    expect(await acts.add(HELD)).toEqual({ kind: 'busy' });
    acts.stop('stopped');
    const outcomes = await Promise.allSettled(waiting);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  });
});
