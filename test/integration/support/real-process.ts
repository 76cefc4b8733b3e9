import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from '../../../cli/stack/errors.ts';
import type { PlannedProcess } from '../../../cli/stack/plan.ts';
import { type ProcessIdentity, runs, signal } from '../../../cli/stack/process-identity.ts';
import { end, type Running, start } from '../../../cli/stack/running.ts';

/** A real process of a test, at one address for as long as the test lives; started again when it ends by itself. */
export interface RealProcess {
  readonly name: string;
  readonly url: string;
  /** The present process, or the last one. */
  readonly pid: number;
  readonly running: boolean;
  /** How it ended each time when nobody had asked it to, a start that failed among them. */
  readonly deaths: readonly string[];
  /** Resolves once it takes requests; at once if it does. @throws StackError if too many starts in a row failed */
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. It stays down until it is started. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL if that takes too long; resolves when it is gone. It stays down until it is started. */
  stop(): Promise<void>;
  /** `stop`, then `start`. */
  restart(): Promise<void>;
  /** SIGSTOP for so long, then SIGCONT. A process that ends meanwhile is not one that was paused: resolves with false. */
  pause(ms: number): Promise<boolean>;
}

export interface RealProcessOptions {
  /** Its output is appended here. */
  readonly logFile: string;
  /** Told of every process that was spawned. */
  readonly onSpawned?: (name: string, identity: ProcessIdentity) => void;
}

/** The machine may be busy with other tests. */
const READY_MS = 180_000;
/** A service ends with exit code 1 as long as a server that it needs is away: some minutes of that are none of its faults. */
const STARTS_MAX = 100;
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 5_000;
const DEATH_CHARS_MAX = 1_000;

/** A process that is not started yet. */
export function realProcess(planned: PlannedProcess, { logFile, onSpawned }: RealProcessOptions): RealProcess {
  const deaths: string[] = [];
  let running: Running | undefined;
  /** Aborted when it is to be down. */
  let wanted: AbortController | undefined;
  let ready: Promise<void> = Promise.resolve();

  async function bringUp(interrupted: AbortSignal): Promise<void> {
    for (let starts = 1; !interrupted.aborted; starts += 1) {
      try {
        const started = await start(planned, {
          ...{ logFile, readyMs: READY_MS, interrupted },
          onSpawned: (spawned) => {
            running = spawned;
            killAtExit(spawned);
            onSpawned?.(planned.name, spawned.identity);
          },
        });
        startAgain(started, interrupted);
        return;
      } catch (fault) {
        if (interrupted.aborted) return;
        note(fault instanceof Error ? fault.message : String(fault));
        if (!(fault instanceof StackError) || starts >= STARTS_MAX) throw fault;
        await delay(Math.min(PAUSE_MS * starts, PAUSE_MS_MAX), undefined, { signal: interrupted }).catch(
          () => undefined,
        );
      }
    }
  }

  /** As a supervisor does when it dies. */
  function startAgain(started: Running, interrupted: AbortSignal): void {
    void started.exited.then((how) => {
      if (interrupted.aborted) return;
      note(how);
      ready = bringUp(interrupted);
      ready.catch(() => undefined); // whoever awaits `start` is told
    });
  }

  function note(how: string): void {
    deaths.push(how.slice(0, DEATH_CHARS_MAX));
  }

  async function bringDown(stopMs: number): Promise<void> {
    wanted?.abort();
    wanted = undefined;
    if (running !== undefined) await end(running.identity, stopMs);
    await ready.catch(() => undefined);
    if (running !== undefined) await running.exited;
  }

  const process: RealProcess = {
    ...{ name: planned.name, url: planned.url, deaths },
    get pid() {
      return running?.identity.pid ?? 0;
    },
    get running() {
      return running !== undefined && runs(running.identity);
    },
    async start() {
      if (wanted === undefined) {
        wanted = new AbortController();
        ready = bringUp(wanted.signal);
      }
      await ready;
    },
    kill: () => bringDown(0),
    stop: () => bringDown(planned.stopMs),
    async restart() {
      await process.stop();
      await process.start();
    },
    async pause(ms) {
      const paused = running?.identity;
      if (paused === undefined) return false;
      signal(paused, 'SIGSTOP');
      try {
        await delay(ms);
      } finally {
        signal(paused, 'SIGCONT');
      }
      return runs(paused);
    },
  };
  return process;
}

const alive = new Set<ProcessIdentity>();

/** A test that ends early must not leave processes behind; one that is killed itself cannot see to that. */
function killAtExit({ identity, exited }: Running): void {
  if (alive.size === 0) process.once('exit', killAll);
  alive.add(identity);
  void exited.then(() => {
    alive.delete(identity);
    if (alive.size === 0) process.off('exit', killAll);
  });
}

function killAll(): void {
  for (const identity of alive) signal(identity, 'SIGKILL');
}
