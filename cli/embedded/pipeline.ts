import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { enforcerMetrics } from '../../services/enforcer/metrics.ts';
import { raterMetrics } from '../../services/rater/metrics.ts';
import { Rater } from '../../services/rater/rater.ts';
import { warehouseRows } from '../../services/rater/warehouse-rows.ts';
import { consumerLag, LAG_TIMEOUT_MS } from '../../services/shared/runtime/consumer-lag.ts';
import { measuredState } from '../../services/shared/runtime/state-metrics.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { PARTITIONS, type Stores } from './stores.ts';

const PARTITION = 0;
const DRAIN_POLL_MS = 20;

/** Rater and enforcer of the one partition, running. */
export interface Pipeline {
  readonly rater: Rater;
  readonly enforcer: Enforcer;
  /** Resolves once all that is in the log of events now was rated, enforced and checkpointed; with that end. */
  drained(signal?: AbortSignal): Promise<number>;
  /** Whether all before `offset` was rated, enforced and checkpointed. */
  isDone(offset: number): boolean;
  /** Lets the open groups be written, then stops. @throws what stopped it before, if anything did */
  stop(): Promise<void>;
}

export interface PipelineOptions {
  readonly stores: Stores;
  /** False where the log takes the events' own time: then N9 is idle and no clock is held against the log. */
  readonly live: boolean;
  /** N9: an import of what has happened; its alerts count as published when they were issued. */
  readonly past?: boolean;
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Called once with what stopped a part of the pipeline; the process should end with it. */
  readonly onFailed: (fault: unknown) => void;
}

const CLOCK_JUMP_MAX_MS = 600_000;

/** Starts rater and enforcer on open stores. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { stores, now, logger, live, metrics } = options;
  const rated = raterMetrics(metrics);
  const enforced = enforcerMetrics(metrics);
  const shared = {
    log: stores.log,
    wire: JSON_WIRE,
    state: measuredState(stores.state, metrics),
    logger,
    trail: logger,
    now,
    sleep,
  };
  const rater = new Rater(
    { ...shared, rows: warehouseRows(stores.warehouse, stores.writer), observer: rated },
    {
      partition: PARTITION,
      partitions: PARTITIONS,
      groupRecordsMax: 20_000,
      groupMs: 1000,
      runRecordsMax: 2000,
      runBytesMax: 4 << 20,
      accountsMax: 50_000,
      clockJumpMaxMs: live ? CLOCK_JUMP_MAX_MS : undefined,
    },
  );
  const enforcer = new Enforcer(
    { ...shared, rows: stores.writer, observer: enforced },
    {
      partition: PARTITION,
      live,
      past: options.past ?? false,
      runRecordsMax: 2000,
      runBytesMax: 4 << 20,
      wallClockMs: 1000,
      checkpointRecordsMax: 20_000,
    },
  );
  await rater.start();
  await enforcer.start();
  rated.watch(() => [{ partition: PARTITION, progress: rater.progress }]);
  enforced.watch(() => [{ partition: PARTITION, enforcer }]);
  const lag = consumerLag(metrics, LAG_TIMEOUT_MS);
  lag.follow(TOPICS.events, stores.log, () => [{ partition: PARTITION, offset: rater.progress.committed }]);
  lag.follow(TOPICS.updates, stores.log, () => [{ partition: PARTITION, offset: enforcer.progress.committed }]);

  const stopRater = new AbortController();
  const stopEnforcer = new AbortController();
  const guard = (running: Promise<void>): Promise<unknown> =>
    running.then(
      () => undefined,
      (fault: unknown) => {
        options.onFailed(fault);
        return fault;
      },
    );
  const rating = guard(rater.run(stopRater.signal));
  const enforcing = guard(enforcer.run(stopEnforcer.signal));

  const isDone = (offset: number): boolean => rater.progress.committed >= offset && enforcer.progress.events >= offset;
  return {
    rater,
    enforcer,
    isDone,
    drained: async (signal) => {
      const end = await stores.log.endOffset(TOPICS.events, PARTITION);
      while (!isDone(end)) await delay(DRAIN_POLL_MS, undefined, signal === undefined ? {} : { signal });
      return end;
    },
    stop: async () => {
      stopRater.abort();
      const rated = await rating;
      stopEnforcer.abort();
      const fault = rated ?? (await enforcing);
      if (fault !== undefined) throw new Error('the pipeline had stopped before', { cause: fault });
    },
  };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((fault: unknown) => {
    if (!signal.aborted) throw fault;
  });
}
