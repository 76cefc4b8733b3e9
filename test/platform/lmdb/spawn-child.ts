import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  /** The next line that it says; undefined once it has ended. */
  next(): Promise<string | undefined>;
  /** Kills it with SIGKILL and gives the lines that it had said and nobody had read. */
  kill(): Promise<string[]>;
}

/** Starts test/platform/lmdb/child.ts. `limitBlocks` bounds the size of the files that it can write (1 KiB blocks). */
export function spawnChild(directory: string, batchRecords: number, limitBlocks?: number): Child {
  const command = [process.execPath, '--import', 'tsx', CHILD, directory, String(batchRecords)];
  const limited = ['-c', `trap '' XFSZ; ulimit -f ${limitBlocks}; exec "$@"`, 'sh', ...command];
  const child =
    limitBlocks === undefined
      ? spawn(process.execPath, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
      : spawn('bash', limited, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.resume();
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    return done === true ? undefined : value;
  };
  return {
    process: child,
    next,
    kill: async () => {
      child.kill('SIGKILL');
      const rest: string[] = [];
      for (let line = await next(); line !== undefined; line = await next()) rest.push(line);
      await ended;
      return rest;
    },
  };
}
