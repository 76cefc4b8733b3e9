import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const LOCK_FILE = 'instance.lock';

/** Who holds a data directory. `started` tells a process from a later one with the same pid. */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly host: string;
  readonly nonce: string;
}

/** Another process that is alive uses the data directory. */
export class DataDirectoryLockedError extends Error {
  override readonly name = 'DataDirectoryLocked';

  constructor(directory: string, holder: Pick<Holder, 'pid' | 'host'>) {
    super(
      `the data directory ${directory} is in use by process ${holder.pid} on ${holder.host}: stop that process, choose ` +
        `another directory, or, if it is gone for certain, remove ${join(directory, LOCK_FILE)}`,
    );
  }
}

/**
 * Takes the directory's lock, a file that names its holder. A lock whose holder is dead, after a kill -9 or a crash of
 * the machine, is taken over. `exclusively` runs its argument while no other process runs one on the same directory:
 * without that, two could find the same stale lock and both take it. Returns what gives the lock back. Throws
 * `DataDirectoryLockedError`.
 */
export function takeInstanceLock(directory: string, exclusively: (action: () => void) => void): () => void {
  const path = join(directory, LOCK_FILE);
  const mine: Holder = {
    pid: process.pid,
    started: startOf(process.pid),
    host: hostname(),
    nonce: randomUUID(),
  };
  exclusively(() => {
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) throw new DataDirectoryLockedError(directory, holder);
    writeFileSync(`${path}.new`, `${JSON.stringify(mine)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  });
  return () =>
    exclusively(() => {
      if (readHolder(path)?.nonce === mine.nonce) rmSync(path, { force: true });
    });
}

/** Undefined for no lock, and for one that no holder wrote whole: it is renamed into place, so it is whole or not ours. */
function readHolder(path: string): Holder | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { pid, started, host, nonce } = parsed as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { pid, started: String(started), host: String(host), nonce: String(nonce) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether the holder still runs. One on another host cannot be asked, so it counts as alive. */
function isAlive(holder: Holder): boolean {
  return holder.host !== hostname() || (holder.started !== '' && startOf(holder.pid) === holder.started);
}

/** `<boot>/<start>` of a process, stable as long as it lives; '' if there is no such process. */
function startOf(pid: number): string {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces
      if (fields[0] === 'Z' || fields[0] === 'X') return '';
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19] ?? ''}`;
    } catch {
      return '';
    }
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return '';
  }
  if (process.platform === 'win32') return `host/${pid}`;
  return `host/${execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()}`;
}
