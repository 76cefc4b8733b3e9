import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { eventSink } from '../../services/ingest/backend/event-sink.ts';
import { doorConfig } from '../../services/ingest/config.ts';
import { accept } from '../../services/ingest/core/accept.ts';
import type { SinkRecord } from '../../services/ingest/ports.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import { type Instant, SECOND_MS } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import type { InstancePaths } from '../embedded/instance.ts';
import { type Pipeline, startPipeline } from '../embedded/pipeline.ts';
import { openStores, type Stores } from '../embedded/stores.ts';
import { live } from './core/history.ts';
import { beganAtOf, historySteps, worldOf } from './core/world.ts';
import { newDemoFile, readDemoFile, writeDemoFile } from './demo-file.ts';

export interface HistoryOptions {
  readonly paths: InstancePaths;
  readonly logger: Logger;
  /** The wall clock, integer ms: at the first start history ends there. */
  readonly now: () => Instant;
  /** Of the first start; later ones go on with what is in the data folder. */
  readonly seed?: string;
  /** How many of the events of history have been rated and enforced. */
  readonly progress?: (done: number, total: number) => void;
  /** Ends the import; the next start goes on with it. */
  readonly signal?: AbortSignal;
}

const SEED = 'tollgate';
const PARTITION = 0;
const BATCH_EVENTS = 5000;
const POLL_MS = 100;

/**
 * Gives a new instance a month of history, through the pipeline itself, before its door opens: a dozen accounts up to now.
 * Does nothing where that was done, and goes on where it was cut off: what happens follows from the seed and the instant
 * of the first start, both in the data folder, so the log continues with the very event that it lacks.
 * @returns whether the instance has a demo: one that was begun without is left alone
 * @throws what a store or the pipeline fails with; the signal's reason if it was aborted
 */
export async function importHistory(options: HistoryOptions): Promise<boolean> {
  const { paths, now } = options;
  let file = readDemoFile(paths);
  if (file === undefined) {
    if (existsSync(paths.lmdb)) return false;
    const epochAt = Math.floor(now() / SECOND_MS) * SECOND_MS;
    file = newDemoFile(options.seed ?? SEED, beganAtOf(epochAt), epochAt);
    writeDemoFile(paths, file);
  }
  if (file.fleet !== null) return true;
  const world = worldOf(file.seed, file.began_at, file.epoch_at);
  const { events, state } = live(world, historySteps(world));
  await importAll(options, recordsOf(events));
  writeDemoFile(paths, { ...file, fleet: state });
  return true;
}

/** The events as the door would put them into a log of event time. */
function recordsOf(events: readonly object[]): readonly SinkRecord[] {
  const { recordCharsMax } = doorConfig.parse({});
  const sender = { keyId: 'demo', role: 'operator', accounts: 'all' } as const;
  return events.map((event) => {
    const accepted = accept(event, sender, { logTime: 'event', recordCharsMax });
    if (accepted.kind === 'refused') throw new Error(`the demo made an event that is refused: ${accepted.detail}`);
    return { account: accepted.account, at: accepted.at, text: accepted.text };
  });
}

async function importAll(options: HistoryOptions, records: readonly SinkRecord[]): Promise<void> {
  const { paths, logger, now } = options;
  const failed = new AbortController();
  const onFailed = (fault: unknown): void => failed.abort(fault);
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const releases = new Releases();
  try {
    const stores = await openStores({ paths, logTime: 'event', now, logger, onEngineFailed: onFailed });
    releases.add(() => stores.close());
    const metrics = new Registry();
    const pipeline = await startPipeline({ stores, live: false, past: true, now, logger, metrics, onFailed });
    releases.add(() => pipeline.stop());
    const begun = now();
    await Promise.all([append(stores, records, signal), watch(pipeline, records.length, options, signal)]);
    logger.info({ events: records.length, tookMs: now() - begun }, 'history imported');
  } catch (fault) {
    await releases.release().catch(() => undefined);
    throw signal.aborted ? signal.reason : fault;
  }
  await releases.release();
}

/** The log has the first so many of the records already: an import that was cut off goes on there. */
async function append(stores: Stores, records: readonly SinkRecord[], signal: AbortSignal): Promise<void> {
  const sink = eventSink(stores.log, JSON_WIRE);
  let next = await stores.log.endOffset(TOPICS.events, PARTITION);
  while (next < records.length) {
    signal.throwIfAborted();
    const batch = records.slice(next, next + BATCH_EVENTS);
    const outcome = await sink.append(PARTITION, batch);
    if (outcome.kind === 'appended') next = outcome.firstOffset + batch.length;
    else await pause(outcome.retryAfterMs);
  }
}

async function watch(
  pipeline: Pipeline,
  total: number,
  { progress }: HistoryOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!pipeline.isDone(total)) {
    signal.throwIfAborted();
    progress?.(Math.min(total, pipeline.enforcer.progress.events), total);
    await pause(POLL_MS);
  }
  progress?.(total, total);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
