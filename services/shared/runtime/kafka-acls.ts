import { TOPICS } from '../topics.ts';
import { type AvroTopic, SAMPLES_TOPIC } from '../wire/avro-schemas.ts';

/** Names of `kafka-acls.sh`. Read and Write hold Describe, which is therefore given only where neither is. */
export type KafkaOperation = 'Create' | 'Describe' | 'DescribeConfigs' | 'Read' | 'Write';

/** One thing that a client of Kafka must be allowed, by name to the letter. */
export interface KafkaAcl {
  readonly operation: KafkaOperation;
  readonly resource: 'group' | 'topic';
  readonly name: string;
}

/** What a client does with the topics. */
export interface KafkaUse {
  readonly reads: readonly AvroTopic[];
  readonly writes: readonly AvroTopic[];
  /** Topics whose partitions and settings it asks for when it starts. */
  readonly looksAt: readonly AvroTopic[];
  readonly creates: readonly AvroTopic[];
  readonly group?: string;
}

const LOG = Object.values(TOPICS);
const CONTROL = [TOPICS.alerts, TOPICS.compute, TOPICS.storage] as const;
const NOTHING = { reads: [], writes: [], looksAt: [], creates: [] } as const;

/**
 * Who does what, by the name that the client logs in by. Nobody but ingest and rater writes to the log of events, nobody but
 * the enforcer gives commands.
 */
export const KAFKA_USES = {
  'tollgate-ingest': {
    ...NOTHING,
    reads: [SAMPLES_TOPIC],
    writes: [TOPICS.events, TOPICS.rejected, TOPICS.operations],
    looksAt: [...LOG, SAMPLES_TOPIC],
    group: 'tollgate-ingest',
  },
  'tollgate-rater': {
    ...NOTHING,
    reads: [TOPICS.events],
    writes: [TOPICS.events, TOPICS.updates, TOPICS.rejected], // events: prices go on to the other partitions
    looksAt: LOG,
    group: 'tollgate-rater',
  },
  'tollgate-enforcer': {
    ...NOTHING,
    reads: [TOPICS.updates, TOPICS.operations, ...CONTROL],
    writes: CONTROL,
    looksAt: LOG,
    group: 'tollgate-enforcer',
  },
  /** `export`, `verify`, `log dump`, `tail`, `redrive`, `warehouse rebuild`. */
  'tollgate-reader': { ...NOTHING, reads: LOG, looksAt: LOG },
  /** `topics create`. */
  'tollgate-topics': { ...NOTHING, looksAt: [...LOG, SAMPLES_TOPIC], creates: [...LOG, SAMPLES_TOPIC] },
  'tollgate-agent': { ...NOTHING, writes: [SAMPLES_TOPIC] },
  'tollgate-consumer': { ...NOTHING, reads: CONTROL, group: 'tollgate-consumer' },
} as const satisfies Readonly<Record<string, KafkaUse>>;

export type KafkaClientName = keyof typeof KAFKA_USES;

/** What a use of the topics needs, and no more: without any one of these something of it fails. */
export function kafkaAcls({ reads, writes, looksAt, creates, group }: KafkaUse): readonly KafkaAcl[] {
  const used = new Set<AvroTopic>([...reads, ...writes]);
  const on = (operation: KafkaOperation, names: readonly string[]) =>
    names.map((name): KafkaAcl => ({ operation, resource: 'topic', name }));
  return [
    ...on('Read', reads),
    ...on('Write', writes),
    ...on(
      'Describe',
      looksAt.filter((topic) => !used.has(topic)),
    ),
    ...on('DescribeConfigs', looksAt),
    ...on('Create', creates),
    ...(group === undefined ? [] : [{ operation: 'Read', resource: 'group', name: group } as const]),
  ];
}
