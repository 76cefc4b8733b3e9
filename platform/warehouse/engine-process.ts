import { type ChildProcess, fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { EngineLimits } from './engine-http.ts';
import type { EngineMessage, EngineServerConfig } from './engine-messages.ts';
import { WarehouseError } from './errors.ts';
import type { WarehouseLogger } from './logger.ts';

export type EngineOptions = {
  /** Made if absent. One process at a time can have it open. */
  readonly dataDir: string;
  /** Default: a free one, which is kept over restarts. */
  readonly port?: number;
  readonly logger: WarehouseLogger;
  /** Called once, when the engine kept dying and is given up; the owner should end the process with this error. */
  readonly onFailed: (error: WarehouseError) => void;
  /** How long a start may take, ms (default 60,000). */
  readonly startTimeoutMs?: number;
  /** How long to wait for a predecessor's lock on the directory, ms (default 15,000). */
  readonly lockWaitMs?: number;
  readonly limits?: Partial<EngineLimits>;
  readonly restarts?: Partial<RestartBounds>;
};

export type RestartBounds = {
  /** Starts in a row that may fail after the first success (default 6). */
  readonly failedStartsMax: number;
  /** Deaths that are borne within windowMs (default 200 in 300,000 ms). */
  readonly deathsMax: number;
  readonly windowMs: number;
  /** The pause before a restart, ms, doubled for each failed start up to delayMaxMs (default 50 to 5,000). */
  readonly delayMs: number;
  readonly delayMaxMs: number;
};

export type Engine = {
  /** `http://127.0.0.1:PORT`, the same for as long as the engine lives, restarts included. */
  readonly url: string;
  /** The present child's; undefined between a death and the next start. */
  pid(): number | undefined;
  /** How often it was started again after a death. */
  restarts(): number;
  /** Lets what runs finish (bounded), ends the child, and resolves once it is gone. May be called more than once. */
  stop(): Promise<void>;
};

const LIMITS: EngineLimits = {
  bodyBytesMax: 64 * 1024 * 1024,
  bodiesBytesMax: 256 * 1024 * 1024,
  runningMax: 4,
  waitingMax: 64,
  stallMs: 600_000,
};
const RESTARTS: RestartBounds = {
  failedStartsMax: 6,
  deathsMax: 200,
  windowMs: 300_000,
  delayMs: 50,
  delayMaxMs: 5_000,
};
const START_TIMEOUT_MS = 60_000;
const LOCK_WAIT_MS = 15_000;
const STOP_TIMEOUT_MS = 15_000;
const LAST_LINES = 20;
const LINE_LENGTH_MAX = 4_000;

/**
 * Starts the ClickHouse engine as a child process and keeps it running: starting -> ready -> (died -> starting)* ->
 * stopped | failed. It comes back on the same port, so clients only have to try again.
 * @throws WarehouseError `warehouse_directory_in_use`, `warehouse_start_failed` if it does not come up the first time
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const bounds: RestartBounds = { ...RESTARTS, ...options.restarts };
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const launch = (port: number) =>
    launchChild(
      {
        dataDir,
        port,
        lockWaitMs: options.lockWaitMs ?? LOCK_WAIT_MS,
        limits: { ...LIMITS, ...options.limits },
      },
      options.startTimeoutMs ?? START_TIMEOUT_MS,
      options.logger,
    );

  let current: Running | undefined = await launch(options.port ?? 0);
  const { port } = current;
  const stopping = new AbortController();
  let restarts = 0;

  async function supervise(): Promise<void> {
    const deaths: number[] = [];
    let failedStarts = 0;
    while (!stopping.signal.aborted) {
      if (current !== undefined) {
        const how = await current.exited;
        current = undefined;
        if (stopping.signal.aborted) return;
        const now = performance.now();
        deaths.push(now);
        while (deaths[0] !== undefined && deaths[0] < now - bounds.windowMs) deaths.shift();
        options.logger.warn({ how, deaths: deaths.length }, 'warehouse engine died, starting it again');
        if (deaths.length > bounds.deathsMax) return giveUp(`${deaths.length} deaths within ${bounds.windowMs} ms`);
      }
      const pause = Math.min(bounds.delayMs * 2 ** failedStarts, bounds.delayMaxMs);
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        current = await launch(port);
        failedStarts = 0;
        restarts++;
      } catch (error) {
        failedStarts++;
        options.logger.error({ err: error, failedStarts }, 'warehouse engine did not come up');
        if (failedStarts >= bounds.failedStartsMax) return giveUp(`${failedStarts} failed starts in a row`, error);
      }
    }
  }

  function giveUp(detail: string, cause?: unknown): void {
    const error = new WarehouseError('warehouse_restarts_exhausted', detail, cause);
    options.logger.error({ err: error }, 'warehouse engine is given up');
    options.onFailed(error);
  }

  const supervised = supervise();
  options.logger.info({ port, pid: current.pid, dataDir }, 'warehouse engine is ready');
  return {
    url: `http://127.0.0.1:${port}`,
    pid: () => current?.pid,
    restarts: () => restarts,
    async stop() {
      stopping.abort();
      await current?.stop();
      await supervised;
      // a start that was under way when stop was called
      await current?.stop();
    },
  };
}

/** How the engine's process is started: by `fork` it ends with its parent, by `spawn` it stands alone. */
export type EngineCommand = {
  /** Node's own arguments, to come before `file`. */
  readonly execArgv: readonly string[];
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
};

/** The command of the engine's process; limits that are left out are those of `startEngine`. */
export function engineCommand(
  config: Omit<EngineServerConfig, 'limits' | 'lockWaitMs'> & Partial<EngineServerConfig>,
): EngineCommand {
  const whole: EngineServerConfig = { limits: LIMITS, lockWaitMs: LOCK_WAIT_MS, ...config };
  return {
    execArgv: loaderArguments(),
    file: serverFile(),
    args: [JSON.stringify(whole)],
    // nothing of the parent's environment: the engine needs none of it, and must not see its secrets
    env: { TZ: 'UTC', UV_THREADPOOL_SIZE: String(whole.limits.runningMax + 4) },
  };
}

type Running = {
  readonly port: number;
  readonly pid: number;
  /** Resolves with how it ended; never rejects. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
};

async function launchChild(config: EngineServerConfig, timeoutMs: number, logger: WarehouseLogger): Promise<Running> {
  const { file, execArgv, args, env } = engineCommand(config);
  const child = fork(file, args, { execArgv: [...execArgv], env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const lastLines = followOutput(child, logger);
  const exited = new Promise<string>((done) => {
    child.once('exit', (code, signal) => done(signal === null ? `exit code ${code}` : signal));
    child.once('error', (error) => done(error.message));
  });
  const port = await ready(child, exited, timeoutMs, lastLines).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await exited;
    throw error;
  });
  return { port, pid: child.pid ?? 0, exited, stop: () => stopChild(child, exited) };
}

function ready(
  child: ChildProcess,
  exited: Promise<string>,
  timeoutMs: number,
  lastLines: readonly string[],
): Promise<number> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => {
      fail(new WarehouseError('warehouse_start_failed', `not ready within ${timeoutMs} ms: ${lastLines.join(' | ')}`));
    }, timeoutMs);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    child.on('message', (message: EngineMessage) => {
      if (message.kind === 'ready') settle(() => done(message.port));
      if (message.kind === 'directory-in-use') {
        const detail = `${message.message}: ${lastLines.at(-1) ?? ''}`;
        settle(() => fail(new WarehouseError('warehouse_directory_in_use', detail)));
      }
    });
    void exited.then((how) =>
      settle(() => fail(new WarehouseError('warehouse_start_failed', `${how}: ${lastLines.join(' | ')}`))),
    );
  });
}

async function stopChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  if (child.connected) child.send({ kind: 'stop' } satisfies EngineMessage, () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

/** Hands the child's lines to the logger; keeps the last ones for the error of a start that fails. */
function followOutput(child: ChildProcess, logger: WarehouseLogger): readonly string[] {
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (text) => {
      const line = text.slice(0, LINE_LENGTH_MAX);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
      logger.warn({ line }, 'warehouse engine says');
    });
  }
  return last;
}

/** The child's file is beside this one, compiled or not as this one is. */
function serverFile(): string {
  return fileURLToPath(new URL(isTypeScript() ? './engine-server.ts' : './engine-server.js', import.meta.url));
}

function loaderArguments(): string[] {
  if (!isTypeScript()) return [];
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
}

function isTypeScript(): boolean {
  return import.meta.url.endsWith('.ts');
}
