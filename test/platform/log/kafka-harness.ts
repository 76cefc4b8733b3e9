import type { KafkaConnection } from '../../../platform/kafka/connection.ts';
import { type KafkaLogOptions, openKafkaLog } from '../../../platform/log/kafka-log.ts';
import { createKafkaTopics, describeKafkaTopics, type KafkaTopicSpec } from '../../../platform/log/kafka-topics.ts';
import type { EventLog, TopicSpec } from '../../../platform/log/port.ts';
import type { LogHarness } from '../../contracts/log-contract.ts';

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** How the tests reach a broker on this machine. */
export function connectionTo(bootstrap: string): KafkaConnection {
  return { brokers: [bootstrap], clientId: 'tollgate-test', logger: QUIET };
}

/** A topic of one replica that keeps its records for ever. */
export function onOneBroker(spec: TopicSpec): KafkaTopicSpec {
  return { ...spec, replicationFactor: 1, minInSyncReplicas: 1, retentionMs: -1 };
}

/** A log whose topics exist, made if they do not. */
export async function openWithTopics(options: KafkaLogOptions): Promise<EventLog> {
  await createKafkaTopics(options.connection, options.topics.map(onOneBroker));
  return openKafkaLog(options);
}

let harnesses = 0;

/** The log on a broker; each harness has topics of its own. A cut is a clean end; what a kill does has tests of its own. */
export async function kafkaHarness(bootstrap: string): Promise<LogHarness> {
  harnesses += 1;
  const connection = connectionTo(bootstrap);
  const prefix = `h${harnesses}-`;
  const opened: EventLog[] = [];
  const cut = async () => {
    for (const log of opened.splice(0)) await log.close();
  };
  return {
    open: async ({ topics, bounds }) => {
      const own = topics.map((topic) => ({ ...topic, name: topic.name === '' ? '' : `${prefix}${topic.name}` }));
      const valid = own.filter(({ name, partitions }) => /^[\w-]+$/.test(name) && partitions > 0);
      const existing = await describeKafkaTopics(
        connection,
        valid.map(({ name }) => name),
      );
      const missing = valid.filter(({ name }) => !existing.has(name));
      await createKafkaTopics(connection, missing.map(onOneBroker));
      const log = withPrefix(
        await openKafkaLog({ connection, topics: own, ...(bounds === undefined ? {} : { bounds }) }),
        prefix,
      );
      opened.push(log);
      return log;
    },
    cut,
    dispose: cut,
  };
}

function withPrefix(log: EventLog, prefix: string): EventLog {
  return {
    partitions: (topic) => log.partitions(prefix + topic),
    append: (topic, partition, records) => log.append(prefix + topic, partition, records),
    read: (topic, partition, offset, limits) => log.read(prefix + topic, partition, offset, limits),
    waitFor: (topic, partition, offset, signal) => log.waitFor(prefix + topic, partition, offset, signal),
    startOffset: (topic, partition) => log.startOffset(prefix + topic, partition),
    endOffset: (topic, partition) => log.endOffset(prefix + topic, partition),
    trimBefore: (topic, partition, offset) => log.trimBefore(prefix + topic, partition, offset),
    close: () => log.close(),
  };
}
