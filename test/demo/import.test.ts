import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { live } from '../../cli/demo/core/history.ts';
import { historySteps, worldOf } from '../../cli/demo/core/world.ts';
import { newDemoFile, readDemoFile, writeDemoFile } from '../../cli/demo/demo-file.ts';
import { startFleet } from '../../cli/demo/fleet.ts';
import { importHistory } from '../../cli/demo/history.ts';
import { openEmbeddedReading } from '../../cli/embedded/access.ts';
import { type Embedded, startEmbedded } from '../../cli/embedded/embedded.ts';
import { type InstancePaths, instancePaths } from '../../cli/embedded/instance.ts';
import { openStores } from '../../cli/embedded/stores.ts';
import type { EventLog } from '../../platform/log/port.ts';
import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import { eventSink } from '../../services/ingest/backend/event-sink.ts';
import { accept } from '../../services/ingest/core/accept.ts';
import { DAY_MS, type Instant, MINUTE_MS, parseInstant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';

const EPOCH = parseInstant('2026-05-20T14:23:07Z') ?? 0;
const BEGAN = EPOCH - DAY_MS;
const STEP_MS = 15_000;
const logger = pino({ level: 'silent' });

let paths: InstancePaths;
beforeEach(() => {
  paths = instancePaths(mkdtempSync(join(tmpdir(), 'tollgate-demo-')));
});
afterEach(() => rmSync(paths.root, { recursive: true, force: true }));

/** The first start of a demo, but with a day of history instead of a month. */
function firstStart(): void {
  writeDemoFile(paths, newDemoFile('one', BEGAN, EPOCH));
}

function expected() {
  const world = worldOf('one', BEGAN, EPOCH);
  return live(world, historySteps(world));
}

async function embedded(now: () => Instant): Promise<Embedded> {
  const onFailed = (fault: unknown): void => {
    throw fault;
  };
  return startEmbedded({ dataDir: paths.root, port: 0, logTime: 'append', logger, now, onFailed });
}

async function valuesOf(log: Pick<EventLog, 'read'>, topic: string): Promise<readonly Record<string, unknown>[]> {
  const values: Record<string, unknown>[] = [];
  for (;;) {
    const records = await log.read(topic, 0, values.length, { recordsMax: 5000, bytesMax: 64 << 20 });
    if (records.length === 0) return values;
    values.push(...records.map(({ value }) => JSON.parse(value.toString('utf8'))));
  }
}

/** A clock that moves with every look at it: what waits for time to pass does not wait for ever. */
function movingFrom(at: Instant): () => Instant {
  let now = at;
  return () => {
    now += 50;
    return now;
  };
}

/** What an import leaves behind that was killed after its first records. */
async function appendFirst(count: number): Promise<void> {
  const sender = { keyId: 'demo', role: 'operator', accounts: 'all' } as const;
  const records = expected()
    .events.slice(0, count)
    .map((event) => {
      const accepted = accept(event, sender, { logTime: 'event', recordCharsMax: 262_144 });
      if (accepted.kind === 'refused') throw new Error(accepted.detail);
      return { account: accepted.account, at: accepted.at, text: accepted.text };
    });
  const stores = await openStores({
    ...{ paths, logTime: 'event', now: () => EPOCH, logger },
    onEngineFailed: (fault) => {
      throw fault;
    },
  });
  await eventSink(stores.log, JSON_WIRE).append(0, records);
  await stores.close();
}

test('an import that was cut off goes on where it was, and doubles nothing', async () => {
  firstStart();
  const { events, state } = expected();
  const aborted = AbortSignal.abort(new Error('cut off'));
  await expect(importHistory({ paths, logger, now: movingFrom(EPOCH), signal: aborted })).rejects.toThrow('cut off');
  await appendFirst(1000);
  expect(readDemoFile(paths)?.fleet).toBeNull();

  const seen: number[] = [];
  const options = { paths, logger, now: movingFrom(EPOCH), progress: (done: number) => seen.push(done) };
  expect(await importHistory(options)).toBe(true);
  expect(seen[seen.length - 1]).toBe(events.length);
  expect(readDemoFile(paths)?.fleet).toEqual(state);
  expect(await importHistory(options)).toBe(true);

  const running = await embedded(() => EPOCH + 60_000);
  try {
    const log = await valuesOf(running.stores.log, TOPICS.events);
    const ids = log.slice(0, events.length).map(({ source, id }) => `${source}/${id}`);
    expect(ids).toEqual(events.map((event) => Object.values(event).slice(1, 3).reverse().join('/')));
    expect(log.slice(events.length).map(({ type }) => type)).toEqual(['clock.tick']);
    expect(await valuesOf(running.stores.log, TOPICS.rejected)).toEqual([]);
  } finally {
    await running.stop();
  }
}, 120_000);

test('an instance that was begun without a demo is left alone', async () => {
  const first = await embedded(() => EPOCH);
  await first.stop();
  expect(await importHistory({ paths, logger, now: () => EPOCH })).toBe(false);
  expect(readDemoFile(paths)).toBeUndefined();
}, 60_000);

/** Accounts to which something is coming, and those whose notices would count from the start only (N9). */
async function unwitnessed(): Promise<{ announced: readonly string[]; unwitnessed: readonly string[] }> {
  const reading = await openEmbeddedReading(paths.root);
  const enforcement = new Enforcement(0, { live: true });
  const keys = (await reading.state.scan('enforcer/0', { after: 'e/', limit: 1000 })).filter((key) => /^e\//.test(key));
  const { hashes } = await reading.state.peek('enforcer/0', keys);
  for (const fields of hashes.values()) enforcement.putAccount(fields.get('state') ?? '');
  await reading.close();
  const announced = keys.map((key) => key.slice(2)).filter((id) => enforcement.comingActions(id).length > 0);
  enforcement.takeDirty();
  enforcement.noteUnwitnessed(EPOCH + 60_000);
  return { announced, unwitnessed: [...enforcement.takeDirty()] };
}

test('N9: after the import enforcement is live, and the fleet lives on: exhausted, paused, paid, resumed', async () => {
  firstStart();
  await importHistory({ paths, logger, now: movingFrom(EPOCH) });
  expect(await unwitnessed()).toEqual({ announced: expect.arrayContaining(['fjord-genomics']), unwitnessed: [] });
  let now = EPOCH + 20_000;
  const running = await embedded(() => now);
  const timers: (() => void)[] = [];
  const { url, operatorKey: key, stores, pipeline } = running;
  const fleet = startFleet({
    ...{ paths, url, key, log: stores.log, logger, now: () => now },
    after: (_delayMs, run) => {
      timers.push(run);
      return () => timers.splice(0);
    },
  });
  try {
    for (; now < EPOCH + 14.5 * MINUTE_MS; now += STEP_MS) {
      await expect.poll(() => timers.length, { timeout: 20_000, interval: 5 }).toBe(1);
      timers.pop()?.();
      await expect.poll(() => timers.length, { timeout: 20_000, interval: 5 }).toBe(1);
      // Not `drained`: a rater's group is closed by the clock, which stands still here.
      const end = await stores.log.endOffset(TOPICS.events, 0);
      await expect.poll(() => pipeline.enforcer.progress.events, { timeout: 20_000, interval: 5 }).toBe(end);
    }
    const compute = await valuesOf(stores.log, TOPICS.compute);
    const ofDelta = compute.filter(({ account_id: account }) => account === 'delta-robotics');
    expect(ofDelta.map(({ command }) => command)).toEqual(['pause', 'resume']);
    const [pausedAt, resumedAt] = ofDelta.map(({ issued_at: at }) => parseInstant(at) ?? 0);

    const samples = (await valuesOf(stores.log, TOPICS.events)).filter(
      ({ source }) => source === 'demo/agent/delta-sim-1',
    );
    const spans = samples.map(({ data }) =>
      typeof data === 'object' && data !== null ? { start: '', ...data } : { start: '' },
    );
    const starts = spans.map(({ start }) => parseInstant(start) ?? 0);
    expect(starts.filter((start) => start > (pausedAt ?? 0) + STEP_MS && start < (resumedAt ?? 0))).toEqual([]);
    expect(starts.some((start) => start >= (resumedAt ?? 0))).toBe(true);

    expect(await valuesOf(stores.log, TOPICS.rejected)).toEqual([]);
    const overdue = compute.filter(({ account_id: account }) => account === 'ember-bio');
    expect(overdue.map(({ command, attempt }) => [command, attempt])).toEqual([['pause', 1]]);
    const storage = await valuesOf(stores.log, TOPICS.storage);
    expect(storage.map(({ command, account_id: account }) => `${command} ${account}`)).toEqual([
      'revoke iris-archive',
      'restore iris-archive',
    ]);
  } finally {
    await fleet.stop();
    await running.stop();
  }
}, 180_000);
