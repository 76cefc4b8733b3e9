import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryLogDisk, openMemoryLog } from '../../platform/log/memory-log.ts';
import { type FaultPlan, SimulatedProcess } from '../../platform/memory/simulation.ts';
import { MemoryStateDisk, openMemoryState } from '../../platform/state/memory-state.ts';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { enforcementControl } from '../../services/ingest/backend/enforcement-control.ts';
import type { EnforcementAct, EnforcementActOutcome } from '../../services/ingest/ports.ts';
import { CONTROL_TOPICS } from '../../services/shared/contracts/command-line.ts';
import { updateRecords, updateRecordText, watermarkRecord } from '../../services/shared/contracts/update-record.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { T0, usd, World } from './support/world.ts';

const EIGHT = new Map([['H100', 8]]);
const HELD: EnforcementAct = { kind: 'hold', target: { accountId: 'acme' }, by: 'ann', why: 'a migration' };
const HELD_ALL: EnforcementAct = { ...HELD, target: 'all' };
const RELEASED: EnforcementAct = { ...HELD, kind: 'release', why: 'the migration is over' };

/** An enforcer on stores that outlive it, and a rater that tells it of a world. */
class Station {
  readonly live: boolean;
  readonly #logDisk = new MemoryLogDisk();
  #stateDisk = new MemoryStateDisk();
  readonly world: World;
  readonly said: (object & { readonly message: string })[] = [];
  #process = new SimulatedProcess();
  #stop = new AbortController();
  enforcer: Enforcer;
  #stores = this.#open();
  #running: Promise<void> = Promise.resolve();
  now: Instant = T0;
  #untold: { readonly key: string; readonly value: string }[] = [];

  constructor(live = true) {
    this.live = live;
    this.world = new World((input) => {
      if (input.kind === 'watermark') this.#untold.push({ key: '', value: updateRecordText(watermarkRecord(input)) });
      else {
        const values = updateRecords(input, 0).map(updateRecordText);
        this.#untold.push(...values.map((value) => ({ key: input.accountId, value })));
      }
    });
    this.enforcer = this.#build();
  }

  #log(process: SimulatedProcess) {
    const topics = Object.values(TOPICS).map((name) => ({ name, partitions: 1, time: 'append' as const }));
    return openMemoryLog({ topics, now: () => this.now, disk: this.#logDisk, process });
  }

  #open(faults?: FaultPlan) {
    this.#process = new SimulatedProcess();
    const injected = faults === undefined ? {} : { faults };
    const state = openMemoryState({ disk: this.#stateDisk, process: this.#process, ...injected });
    return { log: this.#log(this.#process), wire: JSON_WIRE, state };
  }

  #build(faults?: FaultPlan): Enforcer {
    this.#stop = new AbortController();
    this.#stores = this.#open(faults);
    const say = (fields: object, message: string): void => void this.said.push({ ...fields, message });
    return new Enforcer(
      {
        ...this.#stores,
        rows: { insertBlock: async () => undefined },
        logger: { info: say, warn: say },
        observer: { issued: () => undefined, committed: () => undefined, outbox: () => undefined },
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
  async killAndRestart(next?: FaultPlan | { readonly state: MemoryStateDisk }): Promise<void> {
    this.#process.crash();
    this.#stop.abort();
    await this.#running.catch(() => undefined);
    const faults = typeof next === 'function' ? next : undefined;
    if (typeof next === 'object') this.#stateDisk = next.state;
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
      await this.#stores.log.append(TOPICS.updates, 0, this.#untold.splice(0));
      await this.#settle();
      if (next === at) return;
    }
  }

  /** As the door does it. */
  act(act: EnforcementAct): Promise<EnforcementActOutcome> {
    return enforcementControl({ ...this.#stores, now: () => this.now, carriedOutMs: 100 }).act(act);
  }

  /** What the state store holds now, to go back to. */
  copyState(): MemoryStateDisk {
    const copy = new MemoryStateDisk();
    for (const [scope, stored] of structuredClone(this.#stateDisk.scopes)) copy.scopes.set(scope, stored);
    return copy;
  }

  exhaust(id: string): void {
    this.world.customer(id).runCluster(this.world.clock, 'c1', EIGHT, 1000 * HOUR_MS);
    this.world.customer(id).charge(this.world.clock, usd(1));
  }

  /** What was published to clusters so far, by account. */
  async pauses(): Promise<readonly string[]> {
    return (await this.#read(TOPICS.compute)).map(({ key }) => key);
  }

  /** All commands and alerts, by topic. */
  async published(): Promise<readonly string[]> {
    const topics = await Promise.all(CONTROL_TOPICS.map((topic) => this.#read(topic)));
    return topics.flat().map(({ value }) => value.toString('utf8'));
  }

  #read(topic: string) {
    return this.#log(new SimulatedProcess()).read(topic, 0, 0, { recordsMax: 1000, bytesMax: 1 << 20 });
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
    expect(await one.act(HELD)).toEqual({ kind: 'done', at: T0 + 10 * MINUTE_MS });
    await one.killAndRestart();
    await one.until(T0 + 65 * MINUTE_MS);
    expect(await one.pauses()).toEqual(['beta/cluster/c1']);
    expect([...one.enforcer.accountHolds()]).toEqual([
      { accountId: 'acme', hold: { by: 'ann', why: 'a migration', at: T0 + 10 * MINUTE_MS } },
    ]);
    expect(one.said).toContainEqual(
      expect.objectContaining({
        ...{ scope: 'enforcer/0', act: 'hold', target: { accountId: 'acme' }, by: 'ann', why: 'a migration' },
        ...{ at: T0 + 10 * MINUTE_MS, message: 'enforcement held' },
      }),
    );
  });

  test('N11: a release that was answered outlives a crash, and its commands are published, once by id', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.act(HELD_ALL);
    await one.until(T0 + 2 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    expect(await one.act({ ...RELEASED, target: 'all' })).toMatchObject({ kind: 'done' });
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
    for (const accountId of ids) await one.act({ ...RELEASED, target: { accountId } });
    await one.until(T0 + 5 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    expect(one.enforcer.holds().brake).toMatchObject({ by: 'brake', why: '11 accounts within one hour' });
    await one.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 5 * HOUR_MS + 5 * MINUTE_MS);
    expect(new Set(await one.pauses()).size).toBe(11);
  });

  test('N11: releasing all leaves what is held by itself', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.act(HELD);
    await one.act(HELD_ALL);
    await one.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 2 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    await one.act(RELEASED);
    await one.until(T0 + 2 * HOUR_MS + MINUTE_MS);
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
  });

  test('N11: the same hold again holds since the first; one by another, or for another reason, since the second', async () => {
    const one = await station();
    one.exhaust('acme');
    const since = async (minutes: number, act: EnforcementAct) => {
      await one.until(T0 + minutes * MINUTE_MS);
      await one.act(act);
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
      expect(await one.act({ ...HELD, target: { accountId } })).toEqual({ kind: 'unknown_account' });
    }
  });

  test('N11: where the log takes the times of events, and in exports, what is held stays held', async () => {
    const one = await station(false);
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.act(HELD);
    await one.killAndRestart();
    await one.until(T0 + 2 * HOUR_MS);
    expect(await one.pauses()).toEqual([]);
    await one.act(RELEASED);
    await one.until(T0 + 2 * HOUR_MS + MINUTE_MS);
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
  });
});

describe('N11: an act is told done only once it is durable', () => {
  test('N11: while the enforcer cannot write it is recorded only; the next owner carries it out', async () => {
    for (const when of ['before', 'after'] as const) {
      const one = await station();
      one.exhaust('acme');
      await one.until(T0 + MINUTE_MS);
      await one.killAndRestart(({ name }) => (name === 'commit' ? { kind: 'fail', when } : undefined));
      const kind = when === 'before' ? 'recorded' : 'done';
      expect(await one.act(HELD)).toEqual({ kind, at: T0 + MINUTE_MS });
      await expect(one.stop()).rejects.toThrow('injected');
      await one.killAndRestart();
      expect([...one.enforcer.accountHolds()].map(({ hold }) => hold.by)).toEqual(['ann']);
    }
  });
});

describe('N8, N11: a state store that lost its last writes', () => {
  test('N11: what was published after them is found on its topics, not published again, and the partition holds itself', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    const older = one.copyState();
    await one.until(T0 + 65 * MINUTE_MS);
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
    const published = await one.published();
    await one.killAndRestart({ state: older });
    await one.until(T0 + 70 * MINUTE_MS);
    expect((await one.published()).filter((line) => !line.includes('enforcement_suspended'))).toEqual(published);
    expect(one.enforcer.holds().brake?.why).toContain('went back');
    await one.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 75 * MINUTE_MS);
    expect((await one.published()).filter((line) => !line.includes('enforcement_suspended'))).toEqual(published);
  });

  test('N11: a release that was given before the store went back does not release what holds because of it', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 65 * MINUTE_MS);
    expect(await one.pauses()).toEqual(['acme/cluster/c1']);
    await one.killAndRestart({ state: new MemoryStateDisk() });
    await one.until(T0 + 70 * MINUTE_MS);
    expect(one.enforcer.holds().brake?.why).toContain('went back');
    await one.act({ ...RELEASED, target: 'all' });
    expect(one.enforcer.holds().brake).toBeUndefined();
  });

  test('N11: a hold of an account that is not known again yet outlives the loss of the whole state', async () => {
    const one = await station();
    one.exhaust('acme');
    await one.until(T0 + MINUTE_MS);
    await one.act(HELD);
    await one.killAndRestart({ state: new MemoryStateDisk() });
    await one.until(T0 + 2 * HOUR_MS);
    await one.act({ ...RELEASED, target: 'all' });
    await one.until(T0 + 4 * HOUR_MS);
    expect([...one.enforcer.accountHolds()].map(({ accountId, hold }) => [accountId, hold.by])).toEqual([
      ['acme', 'ann'],
    ]);
    expect(await one.pauses()).toEqual([]);
  });
});
