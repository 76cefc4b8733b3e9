import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import {
  clusterWarehouse,
  kafkaConnection,
  openClusterLogReader,
  openClusterState,
  openClusterWire,
} from '../../services/shared/runtime/connect.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import type { ClusterSettings } from '../../services/shared/runtime/variables.ts';
import { type Access, QUERY_MS, type Reading } from './port.ts';
import { untilProcessed } from './processed.ts';

const LOOK_MS = 100;
/** Longer than another process takes to take a partition over and to rate its first group. */
const QUIET_MS = 120_000;

/** Opens log and state of a cluster, beside its services. @throws LogError, WireError, SchemasNotRegistered, RedisError, TopicsMissing */
export async function openClusterReading(settings: ClusterSettings): Promise<Reading> {
  const logger = pino({ level: 'silent' });
  const releases = new Releases();
  try {
    const { log, partitions } = await openClusterLogReader(kafkaConnection(settings, 'tollgate-command', logger));
    releases.add(() => log.close());
    const wire = await openClusterWire(settings);
    const state = await openClusterState(settings, logger);
    releases.add(() => state.close());
    return { log, wire, state, partitions, close: () => releases.release() };
  } catch (fault) {
    await releases.release().catch(() => undefined);
    throw fault;
  }
}

/** Opens all of a cluster. What is in its log is processed by its own services, which may be stopped. */
export async function openClusterAccess(settings: ClusterSettings): Promise<Access> {
  const reading = await openClusterReading(settings);
  const warehouse = clusterWarehouse(settings, { requestTimeoutMs: QUERY_MS });
  return {
    ...reading,
    warehouse,
    processed: (partition, offset, progress = () => undefined) =>
      untilProcessed({
        ...{ state: reading.state, partition, offset, progress },
        pause: () => delay(LOOK_MS),
        quietLooksMax: QUIET_MS / LOOK_MS,
      }),
    close: async () => {
      await warehouse.close();
      await reading.close();
    },
  };
}
