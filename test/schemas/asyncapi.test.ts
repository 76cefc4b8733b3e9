import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser } from '@asyncapi/parser';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { topicSpecs } from '../../services/shared/runtime/topic-specs.ts';
import { AVRO_TOPICS, topicSchemas } from '../../services/shared/wire/avro-schemas.ts';
import { readRepoFile } from '../house/repo.ts';

const PATH = 'schemas/asyncapi.yaml';

function parser(): Parser {
  const made = new Parser();
  made.registerSchemaParser(AvroSchemaParser());
  return made;
}

describe('schemas/asyncapi.yaml', () => {
  let parsed: Awaited<ReturnType<Parser['parse']>>;

  beforeAll(async () => {
    parsed = await parser().parse(readRepoFile(PATH), { source: PATH });
  });

  test('is valid AsyncAPI 3, with every payload valid Avro', () => {
    const faults = parsed.diagnostics.filter(({ severity }) => severity <= 1);
    expect(faults.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
    expect(parsed.document?.version()).toBe('3.0.0');
  });

  test('describes every topic, and no other', () => {
    const addresses = parsed.document
      ?.channels()
      .all()
      .map((channel) => channel.address());
    expect(addresses?.toSorted()).toEqual([...AVRO_TOPICS].sort());
  });

  test('gives each topic the schema that is registered for it', async () => {
    const document: Described = parse(readRepoFile(PATH));
    for (const { topic, release } of await topicSchemas()) {
      const channel = Object.values(document.channels).find(({ address }) => address === topic);
      const reference =
        Object.values(channel?.messages ?? {})[0]
          ?.$ref.split('/')
          .at(-1) ?? '';
      const message = document.components.messages[reference];
      expect(message?.payload.schema.$ref).toBe(`./avro/${release.name}.avsc`);
      expect(channel?.bindings.kafka.topic).toBe(topic);
    }
  });

  test('tells how long each topic is kept, as they are made', () => {
    const document: Described = parse(readRepoFile(PATH));
    const told = Object.values(document.channels).map(({ bindings: { kafka } }) => [
      kafka.topic,
      kafka.topicConfiguration['retention.ms'],
      kafka.topicConfiguration['cleanup.policy'],
    ]);
    const made = topicSpecs({ partitions: 48, logTime: 'append', replicationFactor: 3 }).map((spec) => [
      spec.name,
      spec.retentionMs,
      ['delete'],
    ]);
    expect(told.toSorted()).toEqual(made.toSorted());
  });

  test('a payload that is no Avro is found', async () => {
    const broken = readRepoFile(PATH).replace('{ $ref: ./avro/operation.avsc }', '{ type: record, name: X }');
    const { diagnostics } = await parser().parse(broken, { source: PATH });
    expect(diagnostics.some(({ severity }) => severity === 0)).toBe(true);
  });
});

interface Described {
  readonly channels: Readonly<
    Record<
      string,
      {
        readonly address: string;
        readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
        readonly bindings: {
          readonly kafka: {
            readonly topic: string;
            readonly topicConfiguration: Readonly<Record<'retention.ms' | 'cleanup.policy', unknown>>;
          };
        };
      }
    >
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly payload: { readonly schema: { readonly $ref: string } } }>>;
  };
}
