import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { LmdbEnvironment } from '../../platform/lmdb/environment.ts';
import { openLmdbLogReader } from '../../platform/log/lmdb-log-reader.ts';
import { openLmdbStateReader } from '../../platform/state/lmdb-state.ts';
import { createWarehouseClient } from '../../platform/warehouse/client.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { answers } from '../access/answers.ts';
import { type Access, QUERY_MS, type Reading } from '../access/port.ts';
import { isProcessed, processedIn } from '../access/processed.ts';
import { CommandFailed } from '../failure.ts';
import { type InstancePaths, instancePaths, type RunningInstance, runningInstance } from './instance.ts';
import { startPipeline } from './pipeline.ts';
import { openStores, PARTITIONS } from './stores.ts';

interface AccessOptions {
  readonly dataDir: string;
  readonly now: () => number;
  readonly logger: Logger;
}

const POLL_MS = 50;

/** Opens log and state of an instance read-only. @throws DataDirectoryInvalidError if the folder holds no instance */
export async function openEmbeddedReading(dataDir: string): Promise<Reading> {
  const environment = await LmdbEnvironment.open({ directory: instancePaths(dataDir).lmdb, readOnly: true });
  const log = openLmdbLogReader(environment);
  const state = openLmdbStateReader(environment);
  return { log, wire: JSON_WIRE, state, partitions: PARTITIONS, close: () => environment.close() };
}

/**
 * Opens an instance: beside the process that runs it, or, if none does, by running rater and enforcer in this one, without
 * door, ticks or wall clock, until what is in the log was processed.
 * @throws DataDirectoryInvalidError, DataDirectoryLockedError if a process holds the folder that cannot be asked
 */
export async function openEmbeddedAccess(options: AccessOptions): Promise<Access> {
  const paths = instancePaths(options.dataDir);
  const reading = await openEmbeddedReading(options.dataDir);
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
  return running !== undefined && (await answers(running.url)) ? running : undefined;
}

function besideRunning(paths: InstancePaths, running: RunningInstance, reading: Reading): Access {
  const warehouse = createWarehouseClient({ url: running.warehouse_url, requestTimeoutMs: QUERY_MS });
  return {
    ...reading,
    warehouse,
    processed: async (partition, offset) => {
      while (!isProcessed(await processedIn(reading.state, partition), offset)) {
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
      wire: JSON_WIRE,
      state: stores.state,
      partitions: PARTITIONS,
      warehouse,
      processed: async (_partition, offset) => {
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
