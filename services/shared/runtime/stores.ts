import type { KafkaConnection } from '../../../platform/kafka/connection.ts';
import { joinGroup } from '../../../platform/log/kafka-membership.ts';
import type { ReadOffset } from '../../../platform/log/membership.ts';
import type { EventLog } from '../../../platform/log/port.ts';
import type { StateStore } from '../../../platform/state/port.ts';
import type { WarehouseClient } from '../../../platform/warehouse/client.ts';
import type { AvroWire } from '../wire/avro-wire.ts';
import {
  type ClickHouseSettings,
  type ClusterLog,
  clusterWarehouse,
  type KafkaSettings,
  kafkaConnection,
  openClusterLog,
  openClusterState,
  openClusterWire,
  type RedisSettings,
  type RegistrySettings,
} from './connect.ts';
import { consumerLag, LAG_TIMEOUT_MS } from './consumer-lag.ts';
import { GROUP_OFFSETS_MS, tellGroup } from './group-offsets.ts';
import type { PartitionMetrics } from './partition-metrics.ts';
import type { ServiceContext } from './service.ts';
import { measuredState } from './state-metrics.ts';
import { tracedLog, tracedState } from './tracing.ts';

/** The stores of a service, open. */
export interface ServiceStores extends ClusterLog {
  readonly connection: KafkaConnection;
  readonly wire: AvroWire;
  readonly state: StateStore;
  readonly warehouse: WarehouseClient;
}

type StoreSettings = KafkaSettings & RegistrySettings & RedisSettings & ClickHouseSettings;

/**
 * Opens log, wire, state and warehouse as every service has them: traced, measured, and closed when it stops.
 * @param clientId what brokers call the service
 * @throws TopicsMissing, SchemasNotRegistered, LogError, WireError, RedisError
 */
export async function openServiceStores(
  clientId: string,
  { settings, logger, metrics, tracer, releases }: ServiceContext<StoreSettings>,
): Promise<ServiceStores> {
  const connection = kafkaConnection(settings, clientId, logger);
  const { log: untraced, partitions, time } = await openClusterLog(connection);
  const log = tracedLog(untraced, tracer);
  releases.add(() => log.close());
  const wire = await openClusterWire(settings);
  const state = measuredState(tracedState(await openClusterState(settings, logger), tracer), metrics);
  releases.add(() => state.close());
  const warehouse = clusterWarehouse(settings);
  releases.add(() => warehouse.close());
  return { connection, log, partitions, time, wire, state, warehouse };
}

export interface Sharing {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  /** Number i of each goes to the same member. */
  readonly topics: readonly string[];
  /** What is read of them, and how far each partition is that this process works on. */
  readonly reading: {
    readonly topic: string;
    readonly log: Pick<EventLog, 'endOffset'>;
    readonly offsets: () => Iterable<ReadOffset>;
  };
  readonly owned: PartitionMetrics;
  readonly workers: { assign(partitions: ReadonlySet<number>): void };
}

/**
 * Joins the group and works on what it gives; leaves it when the service stops. How far it is behind goes to its metrics and
 * to the group. Rejects as `joinGroup`.
 */
export async function sharePartitions(
  { settings, logger, metrics, releases, onFailed }: ServiceContext<{ readonly TOLLGATE_SESSION_TIMEOUT_MS: number }>,
  { reading, owned, workers, ...group }: Sharing,
): Promise<void> {
  const { topic, log, offsets } = reading;
  consumerLag(metrics, LAG_TIMEOUT_MS).follow(topic, log, offsets);
  const membership = await joinGroup({
    ...group,
    sessionTimeoutMs: settings.TOLLGATE_SESSION_TIMEOUT_MS,
    onAssigned: (assigned) => {
      logger.info({ partitions: [...assigned] }, 'assigned');
      owned.assigned();
      workers.assign(assigned);
    },
    onFailed,
  });
  releases.add(() => membership.leave());
  releases.add(tellGroup(membership, topic, offsets, GROUP_OFFSETS_MS));
}
