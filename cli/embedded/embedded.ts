import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { LogTime } from '../../platform/log/port.ts';
import { doorConfig } from '../../services/ingest/config.ts';
import { createKeyRing } from '../../services/ingest/keys.ts';
import { startDoor } from '../../services/ingest/server.ts';
import { tickMetrics } from '../../services/ingest/tick-metrics.ts';
import { startTicks } from '../../services/ingest/ticks.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import { doorBackend } from './door-backend.ts';
import { announceRunning, instanceKeys, instancePaths, operatorKey, retractRunning } from './instance.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { openStores, type Stores } from './stores.ts';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** 0: any free one. */
  readonly port: number;
  readonly logTime: LogTime;
  readonly logger: Logger;
  /** The wall clock, integer ms. */
  readonly now: () => number;
  /** Called once with what made a part of it stop; the process should end with it. */
  readonly onFailed: (fault: unknown) => void;
}

/** Everything in one process, running. */
export interface Embedded {
  readonly url: string;
  readonly operatorKey: string;
  readonly stores: Stores;
  readonly pipeline: Pipeline;
  /** Turns requests away, finishes what is under way, and closes everything, in reverse. */
  stop(): Promise<void>;
}

const TICK_MS = 10_000;

/** Starts the whole pipeline in this process, on loopback: door, log, rater, warehouse, enforcer, ticks. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { logger, now, onFailed, logTime } = options;
  const paths = instancePaths(options.dataDir);
  const keys = instanceKeys(paths);
  const releases = new Releases();
  const metrics = new Registry();
  try {
    const stores = await openStores({ paths, logTime, now, logger, onEngineFailed: onFailed });
    releases.add(() => stores.close());
    const live = logTime === 'append';
    const pipeline = await startPipeline({ stores, live, now, logger, metrics, onFailed });
    releases.add(() => pipeline.stop());
    const backend = doorBackend(pipeline, stores, now);
    const { sink } = backend;
    if (live) {
      await sink.append(0, [{ account: undefined, at: undefined, text: firstTick(now()) }]);
      const ticks = startTicks(
        {
          sink,
          clock: now,
          after: (delayMs, run) => {
            const timer = setTimeout(run, delayMs);
            return () => clearTimeout(timer);
          },
          observer: tickMetrics(metrics, logger),
        },
        TICK_MS,
      );
      releases.add(() => ticks.stop());
    }
    let stopping = false;
    const door = await startDoor(
      {
        ...backend,
        keys: createKeyRing(keys),
        clock: now,
        logger,
        trail: logger,
        metrics,
        readiness: () => ({ ready: !stopping, reasons: stopping ? ['stopping'] : [] }),
      },
      doorConfig.parse({ port: options.port, logTime }),
    );
    releases.add(() => door.stop());
    announceRunning(paths, { pid: process.pid, url: door.url, warehouse_url: stores.warehouseUrl });
    releases.add(() => retractRunning(paths));
    return {
      url: door.url,
      operatorKey: operatorKey(paths),
      stores,
      pipeline,
      stop: () => {
        stopping = true;
        return releases.release();
      },
    };
  } catch (fault) {
    await releases.release().catch((second: unknown) => logger.error({ err: second }, 'closing after a failed start'));
    throw fault;
  }
}

/** A restart after hours down has time come to now at once, and not with the first tick ten seconds later. */
function firstTick(now: number): string {
  return `{"specversion":"1.0","id":"start:${now}","source":"tollgate/ingest","type":"clock.tick","data":{}}`;
}
