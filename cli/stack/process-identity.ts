import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process beyond doubt: pids are used again, a pid together with its start is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the kernel's ticks since the machine's start. */
  readonly startedAtTicks: number;
}

/** The identity of a process that runs now; undefined once it is gone or only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the name before the last `)` may hold anything; state is the 3rd field, the start the 22nd
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startedAt] = [fields[0], fields[19]];
    if (state === undefined || startedAt === undefined || state === 'Z' || state === 'X') return undefined;
    return { pid, startedAtTicks: Number(startedAt) };
  } catch {
    return undefined; // there is no such process
  }
}

/** Whether that very process runs. */
export function runs({ pid, startedAtTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startedAtTicks === startedAtTicks;
}

/** Sends a signal to that very process; one that is gone, and another of its pid, is left alone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!runs(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // it ended in between
  }
}

/** Waits until that process is gone. @returns false if it still runs after `waitMs` */
export async function gone(identity: ProcessIdentity, waitMs: number): Promise<boolean> {
  for (let waitedMs = 0; runs(identity); waitedMs += POLL_MS) {
    if (waitedMs >= waitMs) return false;
    await delay(POLL_MS);
  }
  return true;
}

const POLL_MS = 20;
