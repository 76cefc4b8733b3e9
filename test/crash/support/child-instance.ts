import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const READY_MS = 60_000;
const LAST_LINES = 40;

/** A pipeline in a process of its own, as `tollgate start` runs it. */
export interface ChildInstance {
  readonly url: string;
  readonly pid: number;
  /** The ClickHouse engine's process, a child of it; undefined while there is none. */
  enginePid(): number | undefined;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
  /** What it said last on stderr. */
  readonly lastLines: readonly string[];
  kill(signal: NodeJS.Signals): void;
}

/** Starts `tollgate start` and resolves once it is ready. @throws Error with its last lines if it ends before */
export async function startChild(data: string, args: readonly string[]): Promise<ChildInstance> {
  const child = spawnTollgate(['start', '--no-demo', '--data', data, '--port', '0', ...args]);
  const lastLines = keepLines(child);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const url = await Promise.race([
    readyUrl(child),
    exited.then((how) => Promise.reject(new Error(`tollgate start ended (${how}):\n${lastLines.join('\n')}`))),
    delay(READY_MS, undefined, { ref: false }).then(() =>
      Promise.reject(new Error(`tollgate start was not ready in ${READY_MS} ms:\n${lastLines.join('\n')}`)),
    ),
  ]);
  const pid = child.pid ?? 0;
  return { url, pid, enginePid: () => engineOf(pid), exited, lastLines, kill: (signal) => child.kill(signal) };
}

/** Runs a `tollgate` command to its end. */
export async function runTollgate(
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawnTollgate(args);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number>((resolve) => child.once('close', (exitCode) => resolve(exitCode ?? -1)));
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}

function spawnTollgate(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the instance has no stdout');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return url;
  }
  return new Promise(() => undefined);
}

function keepLines(child: ChildProcess): readonly string[] {
  const last: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
    });
  }
  return last;
}

/** Linux only, as the engine itself: the process whose parent this one is and that runs the engine's server. */
function engineOf(parent: number): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(join('/proc', entry, 'stat'), 'utf8');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(ppid) !== parent || state === 'Z') continue;
      if (readFileSync(join('/proc', entry, 'cmdline'), 'utf8').includes('engine-server')) return Number(entry);
    } catch {
      // it ended while it was looked at
    }
  }
  return undefined;
}
