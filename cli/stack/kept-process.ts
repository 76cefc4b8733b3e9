import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from './errors.ts';
import type { PlannedProcess } from './plan.ts';
import { end, type Running, start } from './running.ts';
import type { ProcessStatus } from './status.ts';

/** When a process that dies is started again, and when no more. */
export interface RestartBounds {
  /** Starts that fail, and lives shorter than `livedMs`, in a row: so many, and it is given up. */
  readonly failuresMax: number;
  /** A life of this length is no failure, ms. */
  readonly livedMs: number;
  /** The pause before a start, ms, doubled for each failure in a row up to `delayMaxMs`. */
  readonly delayMs: number;
  readonly delayMaxMs: number;
}

export interface KeptOptions {
  readonly logFile: string;
  /** How long a start may take, ms. */
  readonly readyMs: number;
  readonly bounds: RestartBounds;
  /** Called at every change of `status`. */
  readonly changed: () => void;
  readonly logger: SupervisorLogger;
}

/** The part of a logger that the supervisor uses; pino's fit. */
export interface SupervisorLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A process that is kept running until it is told to stop. */
export interface KeptProcess {
  status(): ProcessStatus;
  /** Resolves once it takes requests the first time. @throws StackError if it does not: then it is not tried again */
  start(): Promise<void>;
  /** Ends it for good; resolves when it is gone. Harmless if it never started. */
  stop(): Promise<void>;
}

/** Keeps a process: waiting -> starting -> ready -> (restarting -> starting -> ready)* -> stopped | keeps dying | ended. */
export function keepProcess(planned: PlannedProcess, options: KeptOptions): KeptProcess {
  const { logFile, readyMs, bounds, changed, logger } = options;
  const { name, url, stopMs } = planned;
  const stopping = new AbortController();
  let status: ProcessStatus = {
    ...{ name, url, state: 'waiting', process: null, restarts: 0, detail: null, logFile, stopMs },
  };
  let running: Running | undefined;
  let starting: Promise<unknown> | undefined;
  let kept: Promise<void> | undefined;

  function set(change: Partial<ProcessStatus>): void {
    status = { ...status, ...change };
    changed();
  }

  async function launch(): Promise<Running> {
    set({ state: 'starting' });
    const started = await start(planned, {
      ...{ logFile, readyMs, interrupted: stopping.signal },
      onSpawned: (spawned) => {
        running = spawned;
        set({ process: spawned.identity });
      },
    });
    set({ state: 'ready' });
    logger.info({ name, pid: started.identity.pid, url }, 'ready');
    return started;
  }

  async function begin(): Promise<void> {
    const first = await launch().catch((fault: unknown) => {
      set({ state: 'ended', process: null, detail: fault instanceof Error ? fault.message : String(fault) });
      throw fault;
    });
    kept = keep(first);
  }

  async function keep(first: Running): Promise<void> {
    let failures = 0;
    let living: Running | undefined = first;
    while (!stopping.signal.aborted) {
      const detail = living === undefined ? status.detail : await liveOut(living, () => (failures = 0));
      if (stopping.signal.aborted) return;
      if (!planned.restart) return set({ state: 'ended', process: null, detail });
      failures++;
      if (failures >= bounds.failuresMax) {
        logger.error({ name, failures, detail }, 'keeps dying, is not started again');
        return set({ state: 'keeps dying', process: null, detail });
      }
      set({ state: 'restarting', process: null, detail, restarts: status.restarts + 1 });
      const pause = Math.min(bounds.delayMs * 2 ** (failures - 1), bounds.delayMaxMs);
      logger.warn({ name, failures, detail, pauseMs: pause }, 'died, is started again');
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        living = await launch();
      } catch (fault) {
        if (!(fault instanceof StackError)) throw fault;
        living = undefined;
        set({ process: null, detail: fault.message });
      }
    }
  }

  /** @returns how it ended */
  async function liveOut(living: Running, lived: () => void): Promise<string> {
    const since = performance.now();
    const how = await living.exited;
    if (performance.now() - since >= bounds.livedMs) lived();
    return how;
  }

  return {
    status: () => status,
    start() {
      const started = begin();
      starting = started.catch(() => undefined);
      return started;
    },
    async stop() {
      stopping.abort();
      if (running !== undefined) await end(running.identity, stopMs);
      await starting;
      await kept;
      // a start again that was under way when this was called
      if (running !== undefined) await end(running.identity, 0);
      set({ state: 'stopped', process: null });
    },
  };
}
