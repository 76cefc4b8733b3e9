import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { KafkaConnection } from '../../../platform/kafka/connection.ts';
import { openKafkaLog, openKafkaLogReader } from '../../../platform/log/kafka-log.ts';
import { describeKafkaTopics } from '../../../platform/log/kafka-topics.ts';
import type { EventLog, LogReader, LogTime, TopicSpec } from '../../../platform/log/port.ts';
import { confluentRegistry } from '../../../platform/registry/confluent-registry.ts';
import type { StateStore } from '../../../platform/state/port.ts';
import { openRedisState } from '../../../platform/state/redis-state.ts';
import { createWarehouseClient, type WarehouseClient } from '../../../platform/warehouse/client.ts';
import { TOPICS } from '../topics.ts';
import { type AvroWire, openAvroWire } from '../wire/avro-wire.ts';
import type { CLICKHOUSE, KAFKA, REDIS, REGISTRY } from './variables.ts';

type Read<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

export type KafkaSettings = Read<typeof KAFKA>;
export type RegistrySettings = Read<typeof REGISTRY>;
export type RedisSettings = Read<typeof REDIS>;
export type ClickHouseSettings = Read<typeof CLICKHOUSE>;

/** A topic that the pipeline needs is not there. */
export class TopicsMissing extends Error {
  override readonly name = 'TopicsMissing';
}

/** How Kafka is reached. @throws Error for a file that cannot be read, or a login without who */
export function kafkaConnection(settings: KafkaSettings, clientId: string, logger: Logger): KafkaConnection {
  const brokers = settings.TOLLGATE_KAFKA_BROKERS.map(({ host, port }) => `${host}:${port}`);
  const mechanism = settings.TOLLGATE_KAFKA_SASL_MECHANISM;
  const { TOLLGATE_KAFKA_USERNAME: username, TOLLGATE_KAFKA_PASSWORD: password } = settings;
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    throw new Error('TOLLGATE_KAFKA_SASL_MECHANISM needs TOLLGATE_KAFKA_USERNAME and TOLLGATE_KAFKA_PASSWORD');
  }
  const login =
    mechanism === undefined || username === undefined || password === undefined
      ? {}
      : { sasl: { mechanism, username, password } };
  const tls = {
    ...file('ca', settings.TOLLGATE_KAFKA_TLS_CA),
    ...file('cert', settings.TOLLGATE_KAFKA_TLS_CERT),
    ...file('key', settings.TOLLGATE_KAFKA_TLS_KEY),
  };
  return { brokers, clientId, logger, ...login, ...(settings.TOLLGATE_KAFKA_TLS ? { tls } : {}) };
}

/** The log and what it is: partitions and time are Kafka's word, so that no two services can differ. */
export interface ClusterLog {
  readonly log: EventLog;
  readonly partitions: number;
  readonly time: LogTime;
}

/** Opens the log on the topics that exist. @throws TopicsMissing, LogError */
export async function openClusterLog(connection: KafkaConnection): Promise<ClusterLog> {
  const { topics, partitions, time } = await existingTopics(connection);
  return { log: await openKafkaLog({ connection, topics }), partitions, time };
}

/** The same for who only reads. @throws TopicsMissing, LogError */
export async function openClusterLogReader(
  connection: KafkaConnection,
): Promise<{ readonly log: LogReader; readonly partitions: number }> {
  const { topics, partitions } = await existingTopics(connection);
  return { log: await openKafkaLogReader({ connection, topics }), partitions };
}

async function existingTopics(
  connection: KafkaConnection,
): Promise<Pick<ClusterLog, 'partitions' | 'time'> & { readonly topics: readonly TopicSpec[] }> {
  const names = Object.values(TOPICS);
  const found = await describeKafkaTopics(connection, names);
  const missing = names.filter((name) => !found.has(name));
  const events = found.get(TOPICS.events);
  if (events === undefined || missing.length > 0) {
    throw new TopicsMissing(`topics that do not exist: ${missing.join(', ')}; create them: tollgate topics create`);
  }
  const { partitions, time } = events;
  const topics = names.map((name): TopicSpec => ({ name, partitions, time: name === TOPICS.events ? time : 'append' }));
  return { topics, partitions, time };
}

/** Opens the wire format by the registry's schemas. @throws WireError `RegistryUnavailable`, SchemasNotRegistered */
export function openClusterWire(settings: RegistrySettings): Promise<AvroWire> {
  return openAvroWire({ registry: clusterRegistry(settings) });
}

/** The registry's client. @throws Error for a file that cannot be read */
export function clusterRegistry(settings: RegistrySettings): ReturnType<typeof confluentRegistry> {
  const { TOLLGATE_REGISTRY_URL: url } = settings;
  const { TOLLGATE_REGISTRY_USERNAME: username, TOLLGATE_REGISTRY_PASSWORD: password } = settings;
  const auth = username === undefined ? {} : { auth: { username, password: password ?? '' } };
  return confluentRegistry({ url, ...auth, ...authority(url, 'TOLLGATE_REGISTRY_TLS_CA', settings) });
}

/** Opens the state store. @throws RedisError, Error for a file that cannot be read */
export function openClusterState(settings: RedisSettings, logger: Logger): Promise<StateStore> {
  const { TOLLGATE_REDIS_USERNAME: username, TOLLGATE_REDIS_PASSWORD: password } = settings;
  const tls = {
    ...file('ca', settings.TOLLGATE_REDIS_TLS_CA),
    ...file('cert', settings.TOLLGATE_REDIS_TLS_CERT),
    ...file('key', settings.TOLLGATE_REDIS_TLS_KEY),
  };
  return openRedisState({
    nodes: settings.TOLLGATE_REDIS_NODES,
    cluster: settings.TOLLGATE_REDIS_CLUSTER,
    database: settings.TOLLGATE_REDIS_DATABASE,
    prefix: settings.TOLLGATE_REDIS_PREFIX,
    commandTimeoutMs: settings.TOLLGATE_REDIS_TIMEOUT_MS,
    allowUnsafe: settings.TOLLGATE_REDIS_ALLOW_UNSAFE,
    logger,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(settings.TOLLGATE_REDIS_TLS ? { tls } : {}),
  });
}

/** The warehouse's client; it connects when it is asked something. @throws Error for a file that cannot be read */
export function clusterWarehouse(
  settings: ClickHouseSettings,
  options: { requestTimeoutMs?: number } = {},
): WarehouseClient {
  return createWarehouseClient({
    url: settings.TOLLGATE_CLICKHOUSE_URL,
    ...authority(settings.TOLLGATE_CLICKHOUSE_URL, 'TOLLGATE_CLICKHOUSE_TLS_CA', settings),
    database: settings.TOLLGATE_CLICKHOUSE_DATABASE,
    username: settings.TOLLGATE_CLICKHOUSE_USERNAME,
    password: settings.TOLLGATE_CLICKHOUSE_PASSWORD,
    quorum: settings.TOLLGATE_CLICKHOUSE_CLUSTER !== undefined,
    ...options,
  });
}

/** @throws Error for a file that cannot be read, or a URL by which nothing would be encrypted */
function authority<Name extends string>(
  url: string,
  name: Name,
  settings: { readonly [Variable in Name]?: string | undefined },
): { readonly ca?: string } {
  const path = settings[name];
  if (path !== undefined && !url.startsWith('https:')) throw new Error(`${name} needs a URL of https, not ${url}`);
  return file('ca', path);
}

function file<Name extends string>(name: Name, path: string | undefined): { readonly [Member in Name]?: string } {
  return path === undefined ? {} : ({ [name]: readFileSync(path, 'utf8') } as { readonly [Member in Name]: string });
}
