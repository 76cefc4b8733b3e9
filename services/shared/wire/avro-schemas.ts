import { fileURLToPath } from 'node:url';
import { type Release, readReleases } from '../../../platform/registry/releases.ts';
import { TOPICS, type Topic } from '../topics.ts';

/** What agents produce straight to Kafka; only ingest reads it. */
export const SAMPLES_TOPIC = 'telemetry.samples';

/** A topic whose records are Avro. */
export type AvroTopic = Topic | typeof SAMPLES_TOPIC;

/** Which schema of schemas/avro the records of a topic have. */
const SCHEMA_NAMES: Readonly<Record<AvroTopic, string>> = {
  [TOPICS.events]: 'metering-event',
  [TOPICS.rejected]: 'rejected-event',
  [TOPICS.updates]: 'balance-update',
  [TOPICS.alerts]: 'control-command',
  [TOPICS.compute]: 'control-command',
  [TOPICS.storage]: 'control-command',
  [TOPICS.operations]: 'operation',
  [SAMPLES_TOPIC]: 'usage-sample',
};

/** Every topic whose records are Avro. */
export const AVRO_TOPICS: readonly AvroTopic[] = [...Object.values(TOPICS), SAMPLES_TOPIC];

/** Every version may read every other: topics are replayed, and read by programs that are not ours. */
export const COMPATIBILITY = 'FULL_TRANSITIVE';

/** The folder of the released versions; the same from the sources and from dist/. */
const RELEASED = fileURLToPath(new URL('../../../schemas/avro/released', import.meta.url));

/** The registry's subject of a topic's values (Confluent's TopicNameStrategy). */
export function subjectOf(topic: AvroTopic): string {
  return `${topic}-value`;
}

/** One version of a topic's schema. */
export interface TopicSchema {
  readonly topic: AvroTopic;
  readonly subject: string;
  readonly release: Release;
}

/** Every released version of every topic's schema, in the order in which they are registered. */
export async function topicSchemas(): Promise<readonly TopicSchema[]> {
  const releases = await readReleases(RELEASED);
  return releases.flatMap((release) =>
    AVRO_TOPICS.filter((topic) => SCHEMA_NAMES[topic] === release.name).map((topic) => {
      return { topic, subject: subjectOf(topic), release };
    }),
  );
}
