import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, type ProcessIdentity, runs } from './process-identity.ts';

export interface LockOptions {
  /** How long to wait for the process that holds it, ms. */
  readonly waitMs: number;
  /** Called once if another process holds it. */
  readonly onWait: () => void;
  /** What is thrown when the wait was in vain. */
  readonly fault: () => Error;
}

/**
 * A file that only one process can create, holding who it is; one left behind by a process that is gone is removed.
 * Two that remove the same one at once may both have it: what it guards must bear that, if only by failing.
 * @returns gives it back
 */
export async function takeLock(path: string, { waitMs, onWait, fault }: LockOptions): Promise<() => void> {
  const mine = `${path}.${process.pid}`;
  for (let waitedMs = 0; waitedMs <= waitMs; waitedMs += POLL_MS) {
    writeFileSync(mine, JSON.stringify(identify(process.pid)));
    try {
      linkSync(mine, path); // creates it together with its content, or fails
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const holder = holderOf(path);
    if (holder !== undefined && !runs(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (waitedMs === 0) onWait();
    await delay(POLL_MS);
  }
  throw fault();
}

const POLL_MS = 200;

function holderOf(path: string): ProcessIdentity | undefined {
  try {
    const held: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof held !== 'object' || held === null || !('pid' in held) || !('startedAtTicks' in held)) return undefined;
    return { pid: Number(held.pid), startedAtTicks: Number(held.startedAtTicks) };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined; // given back in between
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
