import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from './errors.ts';
import { takeLock } from './file-lock.ts';
import { type RunFolder, runFolder } from './folder.ts';
import { nodeCommand } from './node-command.ts';
import type { Plan } from './plan.ts';
import { gone, identify, type ProcessIdentity, runs, signal } from './process-identity.ts';
import { end } from './running.ts';
import { failureOf, type PlanStatus, type ProcessStatus, readStatus, writeJsonFile } from './status.ts';

/** Says what goes on, a line at a time. */
export type Tell = (line: string) => void;

export interface UpOptions {
  /** Made if absent. */
  readonly dir: string;
  /** Makes ready what the plan needs; asked only if nothing runs yet. */
  readonly plan: () => Promise<Plan>;
  /** Looks at what runs already: may refuse it by throwing. */
  readonly accept?: (running: PlanStatus) => void;
  /** In what it is not what is wanted, so that it is ended and started anew; undefined: in nothing. */
  readonly outdated?: (running: PlanStatus) => string | undefined;
  readonly tell: Tell;
}

const POLL_MS = 100;
const STILL_MS = 10_000;
const UP_MS = 900_000;
const LOCK_MS = 60_000;
const FIRST_WORD_MS = 30_000;
const STOP_MARGIN_MS = 30_000;

/**
 * Runs a plan under a supervisor that outlives this process, and resolves once all of it takes requests. A second call
 * finds it running and only waits until it is ready, unless it is outdated. What a supervisor that was killed left behind is ended first.
 * @throws StackError `stack_busy`, those of the plan, and why it did not come up
 */
export async function bringUp({ dir, plan, accept, outdated, tell }: UpOptions): Promise<PlanStatus> {
  const folder = runFolder(dir);
  return alone(folder, tell, async () => {
    const before = readStatus(folder.status);
    if (before !== undefined && runs(before.supervisor) && (before.state === 'starting' || before.state === 'ready')) {
      accept?.(before);
      const difference = outdated?.(before);
      if (difference === undefined) {
        tell('it runs already');
        return untilReady(folder, before.supervisor, tell);
      }
      tell(difference);
    }
    if (before !== undefined) await endWhole(before, folder, tell);
    writeJsonFile(folder.plan, await plan());
    rmSync(folder.status, { force: true });
    return untilReady(folder, launchSupervisor(folder), tell);
  });
}

/**
 * Stops what `bringUp` started, in reverse, and nothing else: a pid that another process has by now is left alone.
 * @throws StackError `stack_busy`, `stack_not_stopped`
 */
export async function bringDown({ dir, tell }: Pick<UpOptions, 'dir' | 'tell'>): Promise<PlanStatus | undefined> {
  const folder = runFolder(dir);
  if (readStatus(folder.status) === undefined) return undefined;
  return alone(folder, tell, async () => {
    const before = readStatus(folder.status);
    if (before === undefined) return undefined;
    const after = await endWhole(before, folder, tell);
    const processes = after.processes.map((was) => ({ ...was, process: null, state: 'stopped' as const }));
    const stopped: PlanStatus = { ...after, state: 'stopped', processes };
    writeJsonFile(folder.status, stopped);
    return stopped;
  });
}

/** What runs in the folder; undefined if nothing ever did. @throws StackError `stack_folder_invalid` */
export function statusOf(dir: string): PlanStatus | undefined {
  return readStatus(runFolder(dir).status);
}

async function alone<Result>(folder: RunFolder, tell: Tell, work: () => Promise<Result>): Promise<Result> {
  mkdirSync(folder.logs, { recursive: true });
  const release = await takeLock(folder.lock, {
    waitMs: LOCK_MS,
    onWait: () => tell('another command is at work in this folder, waiting for it ...'),
    fault: () => new StackError('stack_busy', `waited ${LOCK_MS} ms for who holds ${folder.lock}`),
  });
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Ends a supervisor, which stops its processes first, and then what one that was killed left running: nobody would look
 * after them, or could use their ports.
 */
async function endWhole(before: PlanStatus, folder: RunFolder, tell: Tell): Promise<PlanStatus> {
  if (runs(before.supervisor)) {
    tell(`stopping ${namesOf(before.processes.filter(({ process }) => process !== null))} ...`);
    signal(before.supervisor, 'SIGTERM');
    const stopMs = before.processes.reduce((sum, process) => sum + process.stopMs, STOP_MARGIN_MS);
    if (!(await gone(before.supervisor, stopMs))) await end(before.supervisor, 0);
  }
  const after = readStatus(folder.status) ?? before;
  for (const { name, process: identity, stopMs } of after.processes.toReversed()) {
    if (identity === null || !runs(identity)) continue;
    tell(`ending ${name} (pid ${identity.pid}), which nobody looks after any more ...`);
    await end(identity, stopMs);
  }
  return after;
}

function launchSupervisor(folder: RunFolder): ProcessIdentity {
  const { command, args } = nodeCommand(new URL('./supervise.ts', import.meta.url), [folder.root]);
  const log = openSync(folder.supervisorLog, 'a');
  try {
    const { PATH = '' } = process.env;
    const child = spawn(command, args, { detached: true, env: { PATH }, stdio: ['ignore', log, log] });
    child.once('error', () => undefined); // it is then gone before its first word, which is told
    child.unref();
    return identify(child.pid ?? 0) ?? { pid: child.pid ?? 0, startedAtTicks: -1 };
  } finally {
    closeSync(log);
  }
}

async function untilReady(folder: RunFolder, supervisor: ProcessIdentity, tell: Tell): Promise<PlanStatus> {
  const told = new Map<string, string>();
  const since = performance.now();
  let toldAt = since;
  for (let now = since; now - since <= UP_MS; now = performance.now()) {
    const alive = runs(supervisor);
    const status = readStatus(folder.status); // after the look at the supervisor: what it wrote last is not missed
    for (const process of status?.processes ?? []) {
      const word = wordOf(process);
      if (word === undefined || told.get(process.name) === word) continue;
      told.set(process.name, word);
      toldAt = now;
      tell(word);
    }
    if (status?.state === 'ready') return requireLiving(status);
    if (status?.state === 'failed') throw failureOf(status);
    if (!alive || (status === undefined && now - since > FIRST_WORD_MS)) {
      throw new StackError('stack_start_failed', `the supervisor ended early: see ${folder.supervisorLog}`);
    }
    if (now - toldAt > STILL_MS) {
      toldAt = now;
      tell(`still waiting for ${namesOf(status?.processes.filter(({ state }) => state === 'starting') ?? [])} ...`);
    }
    await delay(POLL_MS);
  }
  throw new StackError('stack_start_failed', `not ready within ${UP_MS} ms: see ${folder.logs}`);
}

/** A plan is ready once, but what keeps dying since is not. */
function requireLiving(status: PlanStatus): PlanStatus {
  const dead = status.processes.find(({ state }) => state === 'keeps dying');
  if (dead === undefined) return status;
  throw new StackError(
    'stack_start_failed',
    `${dead.name} keeps dying (${dead.detail ?? 'no reason known'}): see ${dead.logFile}, run \`down\`, then \`up\``,
  );
}

function wordOf({ name, state, url, process, detail }: ProcessStatus): string | undefined {
  if (state === 'starting') return `${name}: starting ...`;
  if (state === 'ready') return `${name}: ready, ${url} (pid ${process?.pid ?? 0})`;
  if (state === 'restarting') return `${name}: died (${detail ?? 'no reason known'}), is started again`;
  return undefined;
}

function namesOf(processes: readonly { readonly name: string }[]): string {
  return processes.map(({ name }) => name).join(', ') || 'the supervisor';
}
