import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addRelease } from '../../../cli/commands/release.ts';
import { confluentRegistry } from '../../../platform/registry/confluent-registry.ts';
import type { SchemaRegistry } from '../../../platform/registry/port.ts';
import { TOPICS } from '../../../services/shared/topics.ts';
import { topicSchemas } from '../../../services/shared/wire/avro-schemas.ts';
import { type AvroWire, openAvroWire } from '../../../services/shared/wire/avro-wire.ts';
import { lookUpSchemas, registerSchemas } from '../../../services/shared/wire/register-schemas.ts';
import { describeOnStack, startRegistry, type WithUrl } from '../../integration/support/components.ts';
import { bytesOf } from '../../shared/wire/open.ts';

const TICK = '{"specversion":"1.0","id":"t1","source":"ops","type":"clock.tick","data":{}}';
const EVENTS = 'metering.events-value';
const START_MS = 180_000;

describeOnStack('a real schema registry', () => {
  let server: WithUrl;
  let registry: SchemaRegistry;
  let wire: AvroWire;

  beforeAll(async () => {
    server = await startRegistry();
    registry = confluentRegistry({ url: server.url, attemptsMax: 2, pauseMs: 10 });
  }, START_MS);
  afterAll(() => server.stop());

  /** `tollgate schemas ...` on this registry: what it printed, or how it failed. */
  async function schemas(...args: readonly string[]): Promise<string> {
    const stdout = new PassThrough();
    const program = new Command().exitOverride();
    const { stdin, stderr } = process;
    const settings = { key: undefined, logLevel: 'silent' };
    const environment = { TOLLGATE_REGISTRY_URL: server.url };
    const interruption = () => new AbortController().signal;
    addRelease(program, { ...{ stdin, stdout, stderr, settings, environment, interruption }, now: () => 0 });
    const said = program.parseAsync(['schemas', ...args], { from: 'user' });
    return said.then(
      () => String(stdout.read()),
      (fault: unknown) => String(fault),
    );
  }

  test('before the release step a service says what to do', async () => {
    expect(await schemas('check')).toContain('8 of 8 schemas are not registered');
    await expect(openAvroWire({ registry })).rejects.toMatchObject({ name: 'SchemasNotRegistered' });
  });

  test('the release step registers every topic, and again changes nothing', async () => {
    const told = await schemas('register');
    expect(told).toMatch(/^metering\.events-value +release 1 +id \d+\n/);
    expect(await schemas('check')).toBe(told);
    const first = await registerSchemas(registry);
    expect(await registerSchemas(registry)).toEqual(first);
    expect(await lookUpSchemas(registry)).toEqual(first);
    wire = await openAvroWire({ registry });
    expect(wire.decode(TOPICS.events, bytesOf(wire.encode(TOPICS.events, TICK)))).toBe(TICK);
  });

  test.each([
    ['a new field without default', [{ name: 'more', type: 'string' }]],
    ['a field of another type', [{ name: 'id', type: 'long' }]],
  ])('%s is refused', async (_, fields) => {
    const schema = await newest();
    const names = fields.map(({ name }) => name);
    const changed = [...schema.fields.filter(({ name }) => !names.includes(name)), ...fields];
    const register = registry.register(EVENTS, JSON.stringify({ ...schema, fields: changed }), 'FULL_TRANSITIVE');
    await expect(register).rejects.toMatchObject({ name: 'SchemaIncompatible' });
  });

  test('a field that went may not come back as something else: every version counts, not the latest only', async () => {
    const schemas = await topicSchemas();
    const operation: Schema = JSON.parse(
      schemas.find(({ topic }) => topic === TOPICS.operations)?.release.schema ?? '',
    );
    const put = (doc: string, ...more: readonly unknown[]) => {
      const schema = JSON.stringify({ ...operation, doc, fields: [...operation.fields, ...more] });
      return registry.register('control.operations-value', schema, 'FULL_TRANSITIVE');
    };
    await put('with it', { name: 'note', type: ['null', 'string'], default: null });
    await put('without it');
    const again = put('with another', { name: 'note', type: ['null', 'long'], default: null });
    await expect(again).rejects.toMatchObject({ name: 'SchemaIncompatible' });
  });

  test('a subject that somebody holds to another level is told of', async () => {
    const schema = '{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}';
    await registry.register('other-value', schema, 'FULL_TRANSITIVE');
    const body = JSON.stringify({ compatibility: 'NONE' });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${server.url}/config/other-value`, { method: 'PUT', headers, body });
    await expect(registry.register('other-value', schema, 'FULL_TRANSITIVE')).rejects.toMatchObject({
      name: 'LevelDiffers',
    });
  });

  test(
    'our own records go on while it is killed; a strange id is an outage, and is read once it is back',
    async () => {
      const schema = await newest();
      const id = await registry.register(EVENTS, JSON.stringify({ ...schema, doc: 'newer' }), 'FULL_TRANSITIVE');
      const strange = bytesOf(wire.encode(TOPICS.events, TICK));
      strange.writeInt32BE(id, 1);
      await server.kill();
      const own = bytesOf(wire.encode(TOPICS.events, TICK));
      expect(wire.learn(TOPICS.events, [own])).toBeUndefined();
      expect(wire.decode(TOPICS.events, own)).toBe(TICK);
      await expect(wire.learn(TOPICS.events, [strange])).rejects.toMatchObject({ name: 'RegistryUnavailable' });
      await server.restart();
      await wire.learn(TOPICS.events, [strange]);
      expect(wire.decode(TOPICS.events, strange)).toBe(TICK);
    },
    START_MS,
  );

  test(
    'a restarted one has the same schemas under the same ids',
    async () => {
      const before = await lookUpSchemas(registry);
      await server.restart();
      expect(await lookUpSchemas(registry)).toEqual(before);
      expect(before.every(({ id }) => id !== undefined)).toBe(true);
    },
    START_MS,
  );

  test('an id that nobody gave is poison', async () => {
    const poison = bytesOf(wire.encode(TOPICS.events, TICK));
    poison.writeInt32BE(2_000_000, 1);
    await expect(wire.learn(TOPICS.events, [poison])).rejects.toMatchObject({ name: 'SchemaUnknown' });
  });
});

interface Schema {
  readonly fields: readonly { readonly name: string }[];
}

async function newest(): Promise<Schema> {
  const schemas = await topicSchemas();
  return JSON.parse(schemas.filter(({ topic }) => topic === TOPICS.events).at(-1)?.release.schema ?? '');
}
