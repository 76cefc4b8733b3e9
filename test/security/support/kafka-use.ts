import { KafkaCluster } from '../../../platform/kafka/cluster.ts';
import type { KafkaConnection } from '../../../platform/kafka/connection.ts';
import { ProduceCourier } from '../../../platform/kafka/courier.ts';
import { fetchRecords } from '../../../platform/kafka/fetch.ts';
import { encodeBatch, packRecords } from '../../../platform/kafka/record-batch.ts';
import { openKafkaLog } from '../../../platform/log/kafka-log.ts';
import { joinGroup } from '../../../platform/log/kafka-membership.ts';
import { describeKafkaTopics } from '../../../platform/log/kafka-topics.ts';
import type { EventLog } from '../../../platform/log/port.ts';
import { openClusterLog } from '../../../services/shared/runtime/connect.ts';
import type { KafkaUse } from '../../../services/shared/runtime/kafka-acls.ts';
import { TOPICS } from '../../../services/shared/topics.ts';
import { SAMPLES_TOPIC } from '../../../services/shared/wire/avro-schemas.ts';

const LIMITS = { recordsMax: 10, bytesMax: 10_000 };
const RECORD = { key: 'k', value: 'v' };
const NO_PRODUCER = { producerId: -1n, epoch: -1, sequence: -1 };

/** Does to partition 0 of the topics what a client of that use does to all, by the functions that it does it by. */
export async function useKafka(connection: KafkaConnection, use: KafkaUse): Promise<void> {
  if (use.looksAt.length === 0) return useAsOthersDo(connection, use);
  await withLog((await openClusterLog(connection)).log, use, Object.values(TOPICS));
  if (use.looksAt.includes(SAMPLES_TOPIC)) await withLog(await openSamples(connection), use, [SAMPLES_TOPIC]);
  await joinAndLeave(connection, use);
}

async function withLog(log: EventLog, use: KafkaUse, topics: readonly string[]): Promise<void> {
  try {
    for (const topic of use.writes.filter((name) => topics.includes(name))) await log.append(topic, 0, [RECORD]);
    for (const topic of use.reads.filter((name) => topics.includes(name))) await readOne(log, topic);
  } finally {
    await log.close();
  }
}

export async function readOne(log: EventLog, topic: string): Promise<void> {
  await log.read(topic, 0, await log.startOffset(topic, 0), LIMITS);
}

async function openSamples(connection: KafkaConnection): Promise<EventLog> {
  const found = (await describeKafkaTopics(connection, [SAMPLES_TOPIC])).get(SAMPLES_TOPIC);
  if (found === undefined) throw new Error(`${SAMPLES_TOPIC} does not exist`);
  const { partitions, time } = found;
  const bounds = { recordBytesMax: 64 << 10, batchRecordsMax: 1000, batchBytesMax: 256 << 10 };
  return openKafkaLog({ connection, topics: [{ name: SAMPLES_TOPIC, partitions, time }], bounds });
}

export async function joinAndLeave(connection: KafkaConnection, { reads, group }: KafkaUse): Promise<void> {
  if (group === undefined) return;
  const failed: Error[] = [];
  const membership = await joinGroup({
    ...{ connection, groupId: group, topics: reads, sessionTimeoutMs: 6_000 },
    ...{ onAssigned: () => {}, onFailed: (fault) => void failed.push(fault) },
  });
  await membership.leave();
  if (failed[0] !== undefined) throw failed[0];
}

/** Any other client of Kafka: it knows nothing of a log. */
async function useAsOthersDo(connection: KafkaConnection, use: KafkaUse): Promise<void> {
  const cluster = new KafkaCluster(connection, [...use.writes, ...use.reads]);
  const courier = new ProduceCourier(cluster, 1_000);
  try {
    await cluster.refresh();
    const batch = encodeBatch([packRecords([RECORD], false)], NO_PRODUCER);
    for (const topic of use.writes) await courier.send(topic, 0, batch);
    for (const topic of use.reads) {
      const wire = await cluster.leaderWire(topic, 0);
      await fetchRecords(wire, { topic, partition: 0, offset: 0, waitMs: 0, bytesMax: 10_000 });
    }
  } finally {
    courier.close();
    cluster.close();
  }
  await joinAndLeave(connection, use);
}
