import { describe, expect, test } from 'vitest';
import { TOPICS } from '../../../services/shared/topics.ts';
import { topicSchemas } from '../../../services/shared/wire/avro-schemas.ts';
import { openAvroWire } from '../../../services/shared/wire/avro-wire.ts';
import { lookUpSchemas, registerSchemas } from '../../../services/shared/wire/register-schemas.ts';
import { memoryRegistry } from '../../platform/registry/support/memory-registry.ts';
import { bytesOf, openWire } from './open.ts';

const TICK = '{"specversion":"1.0","id":"t1","source":"ops","type":"clock.tick","data":{}}';

/** A record of `metering.events` under the id of another schema. */
function under(id: number, good: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, good.subarray(5)]);
}

async function newestSchema(): Promise<{ readonly fields: readonly { readonly name: string }[] }> {
  const schemas = await topicSchemas();
  return JSON.parse(schemas.filter(({ topic }) => topic === TOPICS.events).at(-1)?.release.schema ?? '');
}

describe('the registry is asked for what is not ours, and for nothing else', () => {
  test('writing and reading our own records never asks it, and goes on while it is down', async () => {
    const { wire, registry } = await openWire();
    const before = registry.calls();
    registry.setDown(true);
    const value = bytesOf(wire.encode(TOPICS.events, TICK));
    expect(wire.learn(TOPICS.events, [value, value])).toBeUndefined();
    expect(wire.decode(TOPICS.events, value)).toBe(TICK);
    expect(registry.calls()).toBe(before);
  });

  test('records of a newer writer, and of an older one, are read', async () => {
    const { wire, registry } = await openWire();
    const schema = await newestSchema();
    const good = bytesOf(wire.encode(TOPICS.events, TICK));
    const more = { name: 'region', type: ['null', 'string'], default: null };
    const newer = JSON.stringify({ ...schema, fields: [...schema.fields, more] });
    const older = JSON.stringify({ ...schema, fields: schema.fields.filter(({ name }) => name !== 'usage_storage') });
    const newerId = await registry.register('metering.events-value', newer, 'FULL_TRANSITIVE');
    const olderId = await registry.register('metering.events-value', older, 'FULL_TRANSITIVE');
    const byNewer = under(newerId, Buffer.concat([good, Buffer.from('02046575', 'hex')])); // region "eu"
    const withoutStorage = Buffer.concat([
      good.subarray(0, good.indexOf('clock.tick') - 3),
      good.subarray(good.indexOf('clock.tick') - 2),
    ]);
    const byOlder = under(olderId, withoutStorage);
    await wire.learn(TOPICS.events, [byNewer, byOlder]);
    expect(wire.decode(TOPICS.events, byNewer)).toBe(TICK);
    expect(wire.decode(TOPICS.events, byOlder)).toBe(TICK);
    const asked = registry.calls();
    expect(wire.learn(TOPICS.events, [byNewer, byOlder, byNewer])).toBeUndefined();
    expect(registry.calls()).toBe(asked);
  });

  test('a record of an id that the registry does not know is poison; the others of its batch are read', async () => {
    const { wire, registry } = await openWire();
    const good = bytesOf(wire.encode(TOPICS.events, TICK));
    const newer = JSON.stringify({ ...(await newestSchema()), doc: 'newer' });
    const known = under(await registry.register('metering.events-value', newer, 'FULL_TRANSITIVE'), good);
    const poison = under(4711, good);
    await expect(wire.learn(TOPICS.events, [poison, known])).rejects.toMatchObject({ name: 'SchemaUnknown' });
    expect(wire.decode(TOPICS.events, known)).toBe(TICK);
    expect(() => wire.decode(TOPICS.events, poison)).toThrow(expect.objectContaining({ name: 'SchemaUnknown' }));
  });

  test('a record of another topic, put into this one, is poison', async () => {
    const { wire } = await openWire();
    const watermark = bytesOf(
      wire.encode(TOPICS.updates, '{"kind":"watermark","partition":0,"clock":5,"next_offset":6}'),
    );
    await expect(wire.learn(TOPICS.events, [watermark])).rejects.toMatchObject({ name: 'SchemaUnknown' });
  });

  test('while the registry is down a strange id is an outage, and is known once it is back', async () => {
    const { wire, registry } = await openWire();
    const good = bytesOf(wire.encode(TOPICS.events, TICK));
    const newer = JSON.stringify({ ...(await newestSchema()), doc: 'newer' });
    const value = under(await registry.register('metering.events-value', newer, 'FULL_TRANSITIVE'), good);
    registry.setDown(true);
    await expect(wire.learn(TOPICS.events, [value])).rejects.toMatchObject({ name: 'RegistryUnavailable' });
    registry.setDown(false);
    await wire.learn(TOPICS.events, [value]);
    expect(wire.decode(TOPICS.events, value)).toBe(TICK);
  });

  test('a registry that lost its schemas is an outage: no record is called poison, none read by another schema', async () => {
    const { wire, registry } = await openWire();
    const good = bytesOf(wire.encode(TOPICS.events, TICK));
    const strange = under(9, good);
    registry.forget();
    await expect(wire.learn(TOPICS.events, [strange])).rejects.toMatchObject({ name: 'RegistryUnavailable' });
    const newer = JSON.stringify({ ...(await newestSchema()), doc: 'newer' });
    await registry.register('metering.events-value', newer, 'FULL_TRANSITIVE');
    await registerSchemas(registry);
    // Id 1 is the newer schema's now; and our own id, 1 before, is another.
    await expect(wire.learn(TOPICS.events, [strange])).rejects.toMatchObject({ name: 'RegistryUnavailable' });
  });
});

describe('starting', () => {
  test('without registered schemas a service says which command registers them', async () => {
    const registry = memoryRegistry();
    await expect(openAvroWire({ registry })).rejects.toMatchObject({
      name: 'SchemasNotRegistered',
      message: expect.stringContaining('tollgate schemas register'),
    });
    expect((await lookUpSchemas(registry)).every(({ id }) => id === undefined)).toBe(true);
  });

  test('without a registry it says so', async () => {
    const registry = memoryRegistry();
    registry.setDown(true);
    await expect(openAvroWire({ registry })).rejects.toMatchObject({ name: 'RegistryUnavailable' });
  });

  test('registering again changes nothing, and a registry set up anew gives the same ids', async () => {
    const registry = memoryRegistry();
    const first = await registerSchemas(registry);
    expect(await registerSchemas(registry)).toEqual(first);
    expect(await lookUpSchemas(registry)).toEqual(first);
    registry.forget();
    expect(await registerSchemas(registry)).toEqual(first);
  });
});
