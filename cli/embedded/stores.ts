import type { Logger } from 'pino';
import { LmdbEnvironment } from '../../platform/lmdb/environment.ts';
import { openLmdbLog } from '../../platform/log/lmdb-log.ts';
import type { EventLog, LogTime, TopicSpec } from '../../platform/log/port.ts';
import { openLmdbState } from '../../platform/state/lmdb-state.ts';
import type { StateStore } from '../../platform/state/port.ts';
import { createWarehouseClient, type WarehouseClient } from '../../platform/warehouse/client.ts';
import { startEngine } from '../../platform/warehouse/engine-process.ts';
import type { WarehouseError } from '../../platform/warehouse/errors.ts';
import { migrate, readMigrations } from '../../platform/warehouse/migrations.ts';
import { createWarehouseWriter, type WarehouseWriter } from '../../platform/warehouse/writer.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { migrationsFolder } from '../cluster/prepare.ts';
import type { InstancePaths } from './instance.ts';

/** The stores of one instance, open. */
export interface Stores {
  readonly log: EventLog;
  readonly state: StateStore;
  readonly warehouse: WarehouseClient;
  readonly warehouseUrl: string;
  readonly writer: WarehouseWriter;
  /** Of the present engine's process; undefined between a death and the next start. */
  readonly enginePid: () => number | undefined;
  close(): Promise<void>;
}

export interface StoresOptions {
  readonly paths: InstancePaths;
  readonly logTime: LogTime;
  readonly now: () => number;
  readonly logger: Logger;
  /** Called once if the warehouse's engine kept dying and was given up. */
  readonly onEngineFailed: (fault: WarehouseError) => void;
}

/** The door's own bound is far below; but an update tells of all reservations of its account, and may be long. */
const RECORD_BYTES_MAX = 16 << 20;

/** The embedded log has one partition: one machine, one core of rater. */
export const PARTITIONS = 1;

/** Opens log, state and warehouse of an instance. What was opened before a failure is closed again. */
export async function openStores(options: StoresOptions): Promise<Stores> {
  const releases = new Releases();
  try {
    const environment = await LmdbEnvironment.open({ directory: options.paths.lmdb });
    releases.add(() => environment.close());
    const log = await openLmdbLog({
      environment,
      topics: topics(options.logTime),
      now: options.now,
      bounds: { recordBytesMax: RECORD_BYTES_MAX },
    });
    releases.add(() => log.close());
    const state = openLmdbState(environment);
    releases.add(() => state.close());
    const engine = await startEngine({
      dataDir: options.paths.warehouse,
      logger: options.logger,
      onFailed: options.onEngineFailed,
    });
    releases.add(() => engine.stop());
    const warehouse = createWarehouseClient({ url: engine.url });
    releases.add(() => warehouse.close());
    await migrate(warehouse, await readMigrations(migrationsFolder()));
    const writer = createWarehouseWriter({ client: warehouse });
    return {
      ...{ log, state, warehouse, writer },
      warehouseUrl: engine.url,
      enginePid: () => engine.pid(),
      close: () => releases.release(),
    };
  } catch (fault) {
    await releases.release();
    throw fault;
  }
}

function topics(logTime: LogTime): readonly TopicSpec[] {
  return Object.values(TOPICS).map((name) => ({
    name,
    partitions: PARTITIONS,
    time: name === TOPICS.events ? logTime : 'append',
  }));
}
