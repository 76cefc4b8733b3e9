import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { avroType } from '../../platform/registry/avro-type.ts';
import { avroTypes } from '../../scripts/avro-types.mjs';
import { AVRO_TOPICS, topicSchemas } from '../../services/shared/wire/avro-schemas.ts';
import { readRepoFile } from '../house/repo.ts';

interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
}

const CURRENT = readdirSync('schemas/avro').filter((file) => file.endsWith('.avsc'));
const RELEASED = readdirSync('schemas/avro/released').sort();

/** What is between two versions of a schema that every topic here forbids; empty if each reads what the other wrote. */
function breaks(one: string, other: string): string[] {
  const types = [avroType(one), avroType(other)] as const;
  return [types, types.toReversed()].flatMap(([reader, writer]) => {
    try {
      reader?.createResolver(writer ?? reader);
      return [];
    } catch (fault) {
      return [String(fault)];
    }
  });
}

function versionsOf(file: string): string[] {
  return RELEASED.filter((name) => name.slice(5) === file).map((name) => readRepoFile(`schemas/avro/released/${name}`));
}

describe('schemas of the topics', () => {
  test.each(CURRENT)('%s is the newest one released, and reads and is read by every one before it', (file) => {
    const current = readRepoFile(`schemas/avro/${file}`);
    const versions = versionsOf(file);
    expect(current, 'a change is released as schemas/avro/released/NNNN-name.avsc').toBe(versions.at(-1));
    expect(versions.flatMap((version) => breaks(current, version))).toEqual([]);
  });

  test('every released schema is some topic’s, and every topic has one', async () => {
    const schemas = await topicSchemas();
    expect(new Set(schemas.map(({ topic }) => topic))).toEqual(new Set(AVRO_TOPICS));
    expect(new Set(schemas.map(({ release }) => release.number)).size).toBe(RELEASED.length);
  });

  test('the types that the code uses are those of the schemas', () => {
    expect(avroTypes(), 'run node scripts/avro-types.mjs').toBe(readRepoFile('services/shared/wire/avro-types.ts'));
  });
});

describe('a change that would break readers or writers of another version is found', () => {
  const schema: { readonly fields: Field[] } = JSON.parse(readRepoFile('schemas/avro/operation.avsc'));
  const changed = (change: (fields: Field[]) => unknown) =>
    breaks(JSON.stringify(schema), JSON.stringify({ ...schema, fields: change(structuredClone(schema.fields)) }));

  test.each([
    ['a new field without default', (fields) => [...fields, { name: 'more', type: 'string' }]],
    ['a field without default that goes', (fields) => fields.filter(({ name }) => name !== 'why')],
    ['another type', (fields) => fields.map((field) => (field.name === 'why' ? { ...field, type: 'int' } : field))],
    [
      'a field that may be null from now on',
      (fields) => fields.map((field) => (field.name === 'why' ? { ...field, type: ['null', 'string'] } : field)),
    ],
    ['another name', (fields) => fields.map((field) => (field.name === 'why' ? { ...field, name: 'reason' } : field))],
  ] as [string, Parameters<typeof changed>[0]][])('%s', (_, change) => {
    expect(changed(change)).not.toEqual([]);
  });

  test('money in another unit', () => {
    const money = (scale: number) =>
      `{"type":"record","name":"R","fields":[{"name":"usd","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":${scale}}}]}`;
    expect(breaks(money(9), money(9))).toEqual([]);
    expect(breaks(money(9), money(6))).not.toEqual([]);
  });

  test('a new field with a default is none', () => {
    expect(changed((fields) => [...fields, { name: 'more', type: ['null', 'string'], default: null }])).toEqual([]);
  });
});
