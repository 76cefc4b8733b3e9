import type { KafkaTopicSpec } from '../../../platform/log/kafka-topics.ts';
import type { LogTime } from '../../../platform/log/port.ts';
import { DAY_MS } from '../time.ts';
import { TOPICS, type Topic } from '../topics.ts';
import { SAMPLES_TOPIC } from '../wire/avro-schemas.ts';

export interface TopicsOptions {
  /** Chosen once, and large: E1 ties an account to one. */
  readonly partitions: number;
  readonly logTime: LogTime;
  /** On how many brokers each record is kept; at least 3 where a broker may die with its disk. */
  readonly replicationFactor: number;
}

const FOR_EVER = -1;

/**
 * How long records are kept. The log of events proves every bill, and that of operations who held what. `balance.updates` must
 * outlast any outage of the enforcer, `control.*` any of a consumer.
 */
const RETENTION_MS: Readonly<Record<Topic | typeof SAMPLES_TOPIC, number>> = {
  [SAMPLES_TOPIC]: 7 * DAY_MS,
  [TOPICS.events]: FOR_EVER,
  [TOPICS.rejected]: 90 * DAY_MS,
  [TOPICS.updates]: 60 * DAY_MS,
  [TOPICS.alerts]: 30 * DAY_MS,
  [TOPICS.compute]: 30 * DAY_MS,
  [TOPICS.storage]: 30 * DAY_MS,
  [TOPICS.operations]: FOR_EVER,
};

/** All topics of a cluster. An acknowledged record is on all brokers but one, if there are several. */
export function topicSpecs({ partitions, logTime, replicationFactor }: TopicsOptions): readonly KafkaTopicSpec[] {
  return Object.entries(RETENTION_MS).map(([name, retentionMs]) => ({
    ...{ name, partitions, replicationFactor, retentionMs },
    time: name === TOPICS.events ? logTime : 'append',
    minInSyncReplicas: Math.max(1, replicationFactor - 1),
  }));
}
