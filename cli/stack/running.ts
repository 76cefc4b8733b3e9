import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from './errors.ts';
import type { PlannedProcess, Readiness } from './plan.ts';
import { isFree } from './ports.ts';
import { gone, identify, type ProcessIdentity, signal } from './process-identity.ts';
import { isReady } from './readiness.ts';

/** A process of a plan that was started. */
export interface Running {
  readonly identity: ProcessIdentity;
  /** Resolves with how it ended; never rejects. */
  readonly exited: Promise<string>;
}

export interface StartOptions {
  /** Where its output is appended; a large file of before is moved to `FILE.1` first. */
  readonly logFile: string;
  /** How long it may take until it takes requests, ms. */
  readonly readyMs: number;
  /** Ends the wait, and the process with it. */
  readonly interrupted?: AbortSignal;
  /** Called as soon as the process exists. */
  readonly onSpawned?: (running: Running) => void;
}

const POLL_MS = 50;
const KILL_MS = 20_000;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const LAST_BYTES = 4_000;

/**
 * Starts a process and resolves once it takes requests; one that does not is ended.
 * @throws StackError `stack_port_in_use`, `stack_start_failed`
 */
export async function start(planned: PlannedProcess, options: StartOptions): Promise<Running> {
  const port = portOf(planned.readiness);
  if (!(await isFree(port))) throw new StackError('stack_port_in_use', `${planned.name} wants port ${port}`);
  const running = launch(planned, options.logFile);
  options.onSpawned?.(running);
  let ended: string | undefined;
  void running.exited.then((how) => {
    ended = how;
  });
  const { readyMs, interrupted } = options;
  const deadline = performance.now() + readyMs;
  while (ended === undefined) {
    if (await isReady(planned.readiness)) {
      // what answered could be another program on that port, while ours fails because of it
      if (ended === undefined) return running;
      break;
    }
    if (interrupted?.aborted === true || performance.now() > deadline) {
      await end(running.identity, 0);
      const why = interrupted?.aborted === true ? 'it was interrupted' : `not ready within ${readyMs} ms`;
      throw new StackError('stack_start_failed', `${planned.name}: ${why}: ${lastOf(options.logFile)}`);
    }
    await delay(POLL_MS);
  }
  throw new StackError('stack_start_failed', `${planned.name} ended with ${ended}: ${lastOf(options.logFile)}`);
}

/**
 * Ends a process: SIGTERM, and SIGKILL if it still runs after `stopMs`. One that is gone is left alone, and so is
 * another of the same pid. Resolves once it is gone.
 * @throws StackError `stack_not_stopped`
 */
export async function end(identity: ProcessIdentity, stopMs: number): Promise<void> {
  if (stopMs > 0) {
    signal(identity, 'SIGTERM');
    if (await gone(identity, stopMs)) return;
  }
  signal(identity, 'SIGKILL');
  if (!(await gone(identity, KILL_MS))) throw new StackError('stack_not_stopped', `pid ${identity.pid}`);
}

/** The port that shows whether it is ready. */
export function portOf(readiness: Readiness): number {
  return readiness.kind === 'tcp' ? readiness.port : Number(new URL(readiness.url).port);
}

function launch(planned: PlannedProcess, logFile: string): Running {
  const log = openLog(logFile);
  try {
    const child = spawn(planned.command, planned.args, { env: planned.env, stdio: ['ignore', log, log] });
    const exited = new Promise<string>((resolve) => {
      child.once('error', (fault) => resolve(fault.message));
      child.once('exit', (code, name) => resolve(name ?? `exit code ${code}`));
    });
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    // it may have ended already: then nothing runs by this name, which is what -1 says
    return { identity: identity ?? { pid: child.pid ?? 0, startedAtTicks: -1 }, exited };
  } finally {
    closeSync(log);
  }
}

function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
}

function lastOf(logFile: string): string {
  const file = openSync(logFile, 'r');
  try {
    const { size } = statSync(logFile);
    const last = Buffer.alloc(Math.min(size, LAST_BYTES));
    readSync(file, last, 0, last.length, size - last.length);
    return `${logFile} ends with: ${last.toString('utf8').trim()}`;
  } finally {
    closeSync(file);
  }
}
