import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { openKafkaLog } from '../../platform/log/kafka-log.ts';
import { LogError } from '../../platform/log/port.ts';
import { clusterRegistry, kafkaConnection } from '../../services/shared/runtime/connect.ts';
import type { ClusterSettings } from '../../services/shared/runtime/variables.ts';
import { SAMPLES_TOPIC, topicSchemas } from '../../services/shared/wire/avro-schemas.ts';
import { AvroTopicCodec } from '../../services/shared/wire/avro-topic.ts';
import type * as Avro from '../../services/shared/wire/avro-types.ts';
import type { Random } from '../histories/random.ts';

/** An agent that speaks Kafka. */
export interface SampleProducer {
  /** Resolves once Kafka has all of them; sends again for as long as it has not. @returns how many were sent again */
  send(samples: readonly Avro.UsageSample[]): Promise<number>;
  close(): Promise<void>;
}

const RETRY_MS = 200;
const TRIES_MAX = 1_000;

/** Opens `telemetry.samples` for writing. */
export async function openSamples(
  settings: ClusterSettings,
  partitions: number,
  random: Random,
): Promise<SampleProducer> {
  const logger = pino({ level: 'silent' });
  const log = await openKafkaLog({
    connection: kafkaConnection(settings, 'tollgate-soak', logger),
    topics: [{ name: SAMPLES_TOPIC, partitions, time: 'append' }],
    bounds: { recordBytesMax: 64 << 10, batchRecordsMax: 1000, batchBytesMax: 256 << 10 },
  });
  const schemas = (await topicSchemas()).filter(({ topic }) => topic === SAMPLES_TOPIC);
  const codec = await AvroTopicCodec.open<Avro.UsageSample>(clusterRegistry(settings), schemas);
  return {
    async send(samples) {
      const records = samples.map((sample) => ({ key: sample.account_id, value: codec.encode(sample) }));
      const partition = random.int(0, partitions - 1);
      for (let tries = 1; ; tries += 1) {
        try {
          await log.append(SAMPLES_TOPIC, partition, records);
          return (tries - 1) * samples.length;
        } catch (fault) {
          // its outcome may be unknown: the same again is billed once
          if (!(fault instanceof LogError) || tries >= TRIES_MAX) throw fault;
          await delay(RETRY_MS);
        }
      }
    },
    close: () => log.close(),
  };
}
