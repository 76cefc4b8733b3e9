import { join } from 'node:path';
import { StackError } from './errors.ts';
import { type KeptProcess, keepProcess, type RestartBounds, type SupervisorLogger } from './kept-process.ts';
import type { Plan } from './plan.ts';
import { identify } from './process-identity.ts';
import { type PlanStatus, writeJsonFile } from './status.ts';

export interface SupervisorOptions {
  readonly plan: Plan;
  /** Rewritten, whole, at every change. */
  readonly statusFile: string;
  /** Folder of `NAME.log` of each process. */
  readonly logs: string;
  /** Stops everything once aborted. */
  readonly stopping: AbortSignal;
  readonly logger: SupervisorLogger;
  /** How long each start may take, ms (default 120,000). */
  readonly readyMs?: number;
  readonly bounds?: Partial<RestartBounds>;
}

const READY_MS = 120_000;
const BOUNDS: RestartBounds = { failuresMax: 20, livedMs: 3_000, delayMs: 100, delayMaxMs: 5_000 };

/**
 * Runs a plan: starts it stage by stage, starts again what dies, and stops all in reverse once told to, or if something
 * does not come up the first time. Each change is in the status file before anything else happens.
 * @returns `stopped` when it was told to, `failed` when it did not come up: the status says why
 */
export async function supervise(options: SupervisorOptions): Promise<'stopped' | 'failed'> {
  const { plan, logs, stopping, logger } = options;
  let state: PlanStatus['state'] = 'starting';
  let failure: PlanStatus['failure'] = null;
  const supervisor = identify(process.pid) ?? { pid: process.pid, startedAtTicks: -1 };
  const write = (): void => {
    const processes = stages.flat().map((kept) => kept.status());
    writeJsonFile(options.statusFile, { supervisor, state, failure, processes } satisfies PlanStatus);
  };
  const enter = (next: PlanStatus['state']): void => {
    state = next;
    logger.info({ state }, 'plan');
    write();
  };
  const stages: readonly (readonly KeptProcess[])[] = plan.map((stage) =>
    stage.map((planned) =>
      keepProcess(planned, {
        ...{ logFile: join(logs, `${planned.name}.log`), readyMs: options.readyMs ?? READY_MS },
        ...{ bounds: { ...BOUNDS, ...options.bounds }, changed: write, logger },
      }),
    ),
  );
  enter('starting');
  const aborted = whenAborted(stopping);
  try {
    for (const stage of stages) {
      if (!stopping.aborted) await Promise.race([startAll(stage), aborted.promise]);
    }
    if (!stopping.aborted) enter('ready');
    await aborted.promise;
  } catch (fault) {
    if (!(fault instanceof StackError)) throw fault;
    failure = { code: fault.code, detail: fault.detail };
    logger.error({ err: fault }, 'did not come up');
  } finally {
    aborted.release();
    enter('stopping');
    for (const stage of stages.toReversed()) await Promise.all(stage.map((kept) => kept.stop()));
    enter(failure === null ? 'stopped' : 'failed');
  }
  return failure === null ? 'stopped' : 'failed';
}

/** @throws the first fault, once all have been tried */
async function startAll(stage: readonly KeptProcess[]): Promise<void> {
  const results = await Promise.allSettled(stage.map((kept) => kept.start()));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Resolves once told to stop; keeps the process alive until then, also when nothing else does. */
function whenAborted(signal: AbortSignal): { readonly promise: Promise<void>; readonly release: () => void } {
  const alive = setInterval(() => undefined, 60_000);
  const promise = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return { promise, release: () => clearInterval(alive) };
}
