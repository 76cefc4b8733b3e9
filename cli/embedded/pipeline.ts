import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { Rater } from '../../services/rater/rater.ts';
import { warehouseRows } from '../../services/rater/warehouse-rows.ts';
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
  const { stores, now, logger, live } = options;
  const measured = pipelineMetrics(options.metrics);
  const shared = { log: stores.log, wire: JSON_WIRE, state: stores.state, logger, now, sleep };
  const rater = new Rater(
    { ...shared, rows: warehouseRows(stores.warehouse, stores.writer), observer: measured },
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
    { ...shared, rows: stores.writer, observer: measured },
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
  measured.watch(rater, enforcer);

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

function pipelineMetrics(registry: Registry) {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'tollgate_rater_events_total',
    help: 'Events folded by the rater, by what became of them',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const commits = new Histogram({
    name: 'tollgate_rater_commit_seconds',
    help: 'From the end of a group of records to its checkpoint',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const issued = new Counter({
    name: 'tollgate_enforcer_commands_total',
    help: 'Commands and alerts issued, by command and kind of alert',
    labelNames: ['command', 'alert'],
    registers,
  });
  return {
    folded: (counts: ReadonlyMap<string, number>): void => {
      for (const [counted, count] of counts) {
        const kept = counted === 'applied' || counted === 'duplicate';
        outcomes.inc({ outcome: kept ? counted : 'rejected', reason: kept ? '' : counted }, count);
      }
    },
    committed: (_records: number, tookMs: number): void => commits.observe(tookMs / 1000),
    issued: (command: { command: string; alert: string | undefined }): void => {
      issued.inc({ command: command.command, alert: command.alert ?? '' });
    },
    watch: (rater: Rater, enforcer: Enforcer): void => {
      new Gauge({
        name: 'tollgate_log_offset',
        help: 'Up to which offset of the log of events each stage has come',
        labelNames: ['stage'],
        registers,
        collect() {
          this.set({ stage: 'folded' }, rater.progress.folded);
          this.set({ stage: 'checkpointed' }, rater.progress.committed);
          this.set({ stage: 'enforced' }, enforcer.progress.events);
        },
      });
      new Gauge({
        name: 'tollgate_log_clock_seconds',
        help: "The clock of the partition (E2), in seconds since 1970; its distance from now is the watermark's age",
        registers,
        collect() {
          this.set(Math.max(0, rater.progress.clock) / 1000);
        },
      });
    },
  };
}
