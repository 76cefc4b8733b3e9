import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { LmdbEnvironment } from '../../platform/lmdb/environment.ts';
import { openLmdbLogReader } from '../../platform/log/lmdb-log-reader.ts';
import type { LogReader } from '../../platform/log/port.ts';
import { openLmdbStateReader } from '../../platform/state/lmdb-state.ts';
import type { StateReader } from '../../platform/state/port.ts';
import { createWarehouseClient, type WarehouseClient } from '../../platform/warehouse/client.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { CommandFailed } from '../failure.ts';
import { type InstancePaths, instancePaths, type RunningInstance, runningInstance } from './instance.ts';
import { startPipeline } from './pipeline.ts';
import { openStores } from './stores.ts';

/** The log and the state of an instance, read beside whatever runs on it. */
export interface Reading {
  readonly log: LogReader;
  readonly state: StateReader;
  close(): Promise<void>;
}

/** An instance, running or stopped, of which everything can be read. */
export interface Access extends Reading {
  /** Made for long reads. */
  readonly warehouse: WarehouseClient;
  /** Resolves once all before this offset of the log was rated, enforced and checkpointed. @throws CommandFailed */
  processed(offset: number): Promise<void>;
}

export interface AccessOptions {
  readonly dataDir: string;
  readonly now: () => number;
  readonly logger: Logger;
}

const PARTITION = 0;
const POLL_MS = 50;
/** The longest that one query of an export may take. */
const QUERY_MS = 6 * 3_600_000;
const ALIVE_MS = 5000;

/** Opens log and state read-only. @throws DataDirectoryInvalidError if the folder holds no instance */
export async function openReading(dataDir: string): Promise<Reading> {
  const environment = await LmdbEnvironment.open({ directory: instancePaths(dataDir).lmdb, readOnly: true });
  const log = openLmdbLogReader(environment);
  const state = openLmdbStateReader(environment);
  return { log, state, close: () => environment.close() };
}

/**
 * Opens an instance: beside the process that runs it, or, if none does, by running rater and enforcer in this one, without
 * door, ticks or wall clock, until what is in the log was processed.
 * @throws DataDirectoryInvalidError, DataDirectoryLockedError if a process holds the folder that cannot be asked
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const paths = instancePaths(options.dataDir);
  const reading = await openReading(options.dataDir);
  try {
    const running = await answeringInstance(options.dataDir);
    if (running !== undefined) return besideRunning(paths, running, reading);
  } catch (fault) {
    await reading.close();
    throw fault;
  }
  await reading.close();
  return ofStopped(paths, options);
}

/**
 * The instance that runs on a folder and whose door stands where it said; a killed one leaves its note behind, and its pid may
 * be another's.
 */
export async function answeringInstance(dataDir: string): Promise<RunningInstance | undefined> {
  const running = runningInstance(instancePaths(dataDir));
  if (running === undefined) return undefined;
  try {
    const answer = await fetch(`${running.url}/livez`, { signal: AbortSignal.timeout(ALIVE_MS) });
    await answer.text();
    return answer.ok ? running : undefined;
  } catch {
    return undefined;
  }
}

function besideRunning(paths: InstancePaths, running: RunningInstance, reading: Reading): Access {
  const warehouse = createWarehouseClient({ url: running.warehouse_url, requestTimeoutMs: QUERY_MS });
  return {
    ...reading,
    warehouse,
    processed: async (offset) => {
      while (!(await isProcessed(reading.state, offset))) {
        if (runningInstance(paths)?.pid !== running.pid) {
          throw new CommandFailed(
            `process ${running.pid} on ${paths.root} ended before it had processed its log: run this again`,
          );
        }
        await delay(POLL_MS);
      }
    },
    close: async () => {
      await warehouse.close();
      await reading.close();
    },
  };
}

/** How many records of the log the account's state does not know yet. */
export async function recordsBehind({ log, state }: Pick<Reading, 'log' | 'state'>): Promise<number> {
  const { checkpoint } = await state.peek(`rater/${PARTITION}`, []);
  return (await log.endOffset(TOPICS.events, PARTITION)) - (checkpoint?.nextOffset ?? 0);
}

/** Effects first, checkpoint last: what stands before the checkpoints is in the warehouse, once the outbox is empty. */
async function isProcessed(state: StateReader, offset: number): Promise<boolean> {
  const rater = await state.peek(`rater/${PARTITION}`, []);
  if ((rater.checkpoint?.nextOffset ?? 0) < offset) return false;
  const enforcer = await state.peek(`enforcer/${PARTITION}`, ['partition', 'outbox']);
  if (enforcer.hashes.has('outbox')) return false;
  return Number(enforcer.hashes.get('partition')?.get('events') ?? 0) >= offset;
}

async function ofStopped(paths: InstancePaths, { now, logger }: AccessOptions): Promise<Access> {
  const releases = new Releases();
  const failed = new AbortController();
  const onFailed = (fault: unknown): void => failed.abort(fault);
  try {
    const stores = await openStores({ paths, logTime: 'append', now, logger, onEngineFailed: onFailed });
    releases.add(() => stores.close());
    const warehouse = createWarehouseClient({ url: stores.warehouseUrl, requestTimeoutMs: QUERY_MS });
    releases.add(() => warehouse.close());
    const pipeline = await startPipeline({ stores, live: false, now, logger, metrics: new Registry(), onFailed });
    releases.add(() => pipeline.stop());
    return {
      log: stores.log,
      state: stores.state,
      warehouse,
      processed: async (offset) => {
        while (!pipeline.isDone(offset)) {
          failed.signal.throwIfAborted();
          await delay(POLL_MS);
        }
      },
      close: () => releases.release(),
    };
  } catch (fault) {
    await releases.release().catch(() => undefined);
    throw fault;
  }
}
