import { KafkaCluster } from '../kafka/cluster.ts';
import type { KafkaConnection } from '../kafka/connection.ts';
import { checkCode, KafkaFault } from '../kafka/faults.ts';
import { retrying } from '../kafka/retrying.ts';
import type { Wire } from '../kafka/wire.ts';
import { checkTopics } from './bounds.ts';
import { logRefusal } from './kafka-refusal.ts';
import { LogError, type LogTime, type TopicSpec } from './port.ts';

/** A topic as it is to be created. */
export interface KafkaTopicSpec extends TopicSpec {
  /** On how many brokers each record is kept. */
  readonly replicationFactor: number;
  /** How many of them must have a record before it is acknowledged. */
  readonly minInSyncReplicas: number;
  /** How long records are kept; -1 for ever. */
  readonly retentionMs: number;
  /** The largest record batch: an append is one batch. Default 20 MiB, enough for the log's own bounds. */
  readonly maxMessageBytes?: number;
}

/** A topic as it stands in the cluster. */
export interface KafkaTopic {
  readonly name: string;
  readonly partitions: number;
  readonly time: LogTime;
  readonly maxMessageBytes: number;
}

interface ConfigsAnswer {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly resourceName: string;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
  }[];
}

interface CreateAnswer {
  readonly topicErrors: readonly { readonly topic: string; readonly errorCode: number }[];
}

const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;
const TOPIC_RESOURCE = 2;
const CREATE_TIMEOUT_MS = 8_000;
const UNAVAILABLE_MS = 30_000;
/** The largest number that a broker takes for a time: for ever. */
const FOREVER_MS = '9223372036854775807';

/** Those of the named topics that exist, by name. Throws `LogUnavailable` if no broker answers for 30 s. */
export async function describeKafkaTopics(
  connection: KafkaConnection,
  names: readonly string[],
): Promise<ReadonlyMap<string, KafkaTopic>> {
  return withCluster(connection, names, (cluster) => describeTopics(cluster, names));
}

/**
 * A step of a release: creates the topics that do not exist and waits until each has its leaders. Repeatable. Throws
 * `LogTopicInvalid`, `LogTopicChanged` for one that exists with another number of partitions or kind of time, and
 * `LogUnavailable`. An existing topic's other settings are left as its operator has set them.
 */
export async function createKafkaTopics(connection: KafkaConnection, specs: readonly KafkaTopicSpec[]): Promise<void> {
  checkTopics(specs);
  const names = specs.map((spec) => spec.name);
  await withCluster(connection, names, async (cluster) => {
    const before = await describeTopics(cluster, names);
    const missing = specs.filter((spec) => !before.has(spec.name));
    if (missing.length > 0) await create(await cluster.controllerWire(), missing);
    await cluster.refresh();
    const after = await describeTopics(cluster, names);
    for (const spec of specs) {
      const topic = after.get(spec.name);
      if (topic === undefined) throw new KafkaFault('UNKNOWN_TOPIC_OR_PARTITION', true, spec.name);
      checkTopic(spec, topic);
      for (let partition = 0; partition < spec.partitions; partition += 1) cluster.leader(spec.name, partition);
    }
  });
}

/** Throws `LogTopicChanged` unless the topic is what a log expects. */
export function checkTopic(spec: TopicSpec, topic: KafkaTopic): void {
  const { name, partitions, time } = topic;
  if (partitions !== spec.partitions) {
    throw new LogError('LogTopicChanged', `topic ${name} has ${partitions} partitions, not ${spec.partitions}`);
  }
  if (time !== spec.time) {
    throw new LogError('LogTopicChanged', `topic ${name} has records of ${time} time, not ${spec.time} time`);
  }
}

/** The existing ones among `names`, of a cluster whose leaders are known. Throws `KafkaFault`. */
export async function describeTopics(
  cluster: KafkaCluster,
  names: readonly string[],
): Promise<ReadonlyMap<string, KafkaTopic>> {
  const existing = names.filter((name) => cluster.partitions(name) > 0);
  if (existing.length === 0) return new Map();
  const wire = await cluster.anyWire();
  const answer = await wire.ask<ConfigsAnswer>('DescribeConfigs', {
    resources: existing.map((name) => ({
      type: TOPIC_RESOURCE,
      name,
      configNames: ['message.timestamp.type', 'max.message.bytes'],
    })),
  });
  return new Map(
    answer.resources.map(({ errorCode, resourceName, configEntries }) => {
      checkCode(errorCode, `settings of ${resourceName}`);
      const settings = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]));
      const topic: KafkaTopic = {
        name: resourceName,
        partitions: cluster.partitions(resourceName),
        time: settings.get('message.timestamp.type') === 'LogAppendTime' ? 'append' : 'event',
        maxMessageBytes: Number(settings.get('max.message.bytes') ?? 0),
      };
      return [resourceName, topic];
    }),
  );
}

async function create(wire: Wire, specs: readonly KafkaTopicSpec[]): Promise<void> {
  const answer = await wire.ask<CreateAnswer>('CreateTopics', {
    topics: specs.map((spec) => ({
      topic: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: spec.replicationFactor,
      configEntries: Object.entries(settingsOf(spec)).map(([name, value]) => ({ name, value })),
    })),
    timeout: CREATE_TIMEOUT_MS,
  });
  for (const { topic, errorCode } of answer.topicErrors) {
    if (errorCode !== TOPIC_ALREADY_EXISTS) checkCode(errorCode, `creation of ${topic}`);
  }
}

const TOPIC_ALREADY_EXISTS = 36;

function settingsOf(spec: KafkaTopicSpec): Record<string, string> {
  const common = {
    'cleanup.policy': 'delete',
    'compression.type': 'uncompressed', // what others compress is stored plain, so that this client can read it
    'max.message.bytes': String(spec.maxMessageBytes ?? MAX_MESSAGE_BYTES),
    'min.insync.replicas': String(spec.minInSyncReplicas),
    'retention.bytes': '-1',
    'retention.ms': String(spec.retentionMs),
    'unclean.leader.election.enable': 'false',
  };
  if (spec.time === 'append') return { ...common, 'message.timestamp.type': 'LogAppendTime' };
  return {
    ...common,
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.after.max.ms': FOREVER_MS,
    'message.timestamp.before.max.ms': FOREVER_MS,
    'segment.ms': FOREVER_MS, // times that leap would begin a segment at each leap
  };
}

async function withCluster<Result>(
  connection: KafkaConnection,
  names: readonly string[],
  work: (cluster: KafkaCluster) => Promise<Result>,
): Promise<Result> {
  const cluster = new KafkaCluster(connection, names);
  const what = `topics ${names.join(', ')}`;
  try {
    return await retrying({ cluster, logger: connection.logger, what, unavailableMs: UNAVAILABLE_MS }, async () => {
      await cluster.refresh();
      return work(cluster);
    });
  } catch (error) {
    throw error instanceof KafkaFault ? logRefusal('LogUnavailable', what, error) : error;
  } finally {
    cluster.close();
  }
}
