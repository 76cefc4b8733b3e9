import avro from 'avsc';
import { describe, expect, test } from 'vitest';
import { avroType } from '../../../platform/registry/avro-type.ts';
import { TOPICS, type Topic } from '../../../services/shared/topics.ts';
import { SAMPLES_TOPIC, topicSchemas } from '../../../services/shared/wire/avro-schemas.ts';
import { WireError } from '../../../services/shared/wire/wire-format.ts';
import { randomFrom } from '../../histories/random.ts';
import { bytesOf, openWire } from './open.ts';

const { wire, registry } = await openWire();
type Sample = readonly [Topic, Buffer];
const EVENT =
  '{"specversion":"1.0","id":"n17:1777888800000","source":"agent/n17","type":"usage.gpu","subject":"acme","data":{"cluster_id":"c1","node_id":"n17","gpu_type":"h100","gpus":8,"start":"2026-05-04T10:00:00Z","end":1777888860000,"tags":{"team":"vision"}}}';
const OTHER = '{"specversion":"1.0","id":"t1","source":"ops","type":"clock.tick","data":{}}';
const WATERMARK = '{"kind":"watermark","partition":0,"clock":5,"next_offset":6}';
const RECORDS: readonly [Sample, ...Sample[]] = [
  [TOPICS.events, bytesOf(wire.encode(TOPICS.events, EVENT))],
  [TOPICS.events, bytesOf(wire.encode(TOPICS.events, OTHER))],
  [TOPICS.updates, bytesOf(wire.encode(TOPICS.updates, WATERMARK))],
];

/** What happens to hostile bytes: a value, or one of the named errors; never anything else. */
function outcome(decode: () => unknown): string {
  try {
    decode();
    return 'decoded';
  } catch (fault) {
    if (fault instanceof WireError) return fault.code;
    throw fault;
  }
}

describe('bytes that nobody should have written', () => {
  test('ten thousand spoilt records are decoded or refused by name', () => {
    const random = randomFrom(20_260_504);
    const counts = new Map<string, number>();
    for (let round = 0; round < 10_000; round += 1) {
      const [topic, good] = random.pick(RECORDS);
      const spoilt = Buffer.from(good);
      const kind = random.int(0, 3);
      for (let times = random.int(1, 4); times > 0; times -= 1)
        spoilt[random.int(5, spoilt.length - 1)] = random.int(0, 255);
      const cut = kind === 0 ? spoilt.subarray(0, random.int(0, spoilt.length - 1)) : spoilt;
      const value = kind === 1 ? Buffer.concat([spoilt, Buffer.alloc(random.int(1, 9), random.int(0, 255))]) : cut;
      for (const found of [
        outcome(() => wire.decode(topic, value)),
        outcome(() => wire.decodeEvent(value, 5).event),
        outcome(() => wire.readSample(value)),
      ]) {
        counts.set(found, (counts.get(found) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].sort()).toEqual(['RecordUndecodable', 'SchemaUnknown', 'decoded']);
  });

  test('every cut of a record, and every byte too many, is refused', () => {
    for (const [topic, good] of RECORDS) {
      for (let length = 0; length < good.length; length += 1) {
        expect(outcome(() => wire.decode(topic, good.subarray(0, length)))).toBe('RecordUndecodable');
      }
      expect(outcome(() => wire.decode(topic, Buffer.concat([good, Buffer.from([0])])))).toBe('RecordUndecodable');
    }
  });

  test('text, as another service would write it, is refused', () => {
    expect(outcome(() => wire.decodeEvent(Buffer.from(EVENT), 5))).toBe('RecordUndecodable');
  });

  test('a count of 2^40 tags in a few bytes takes neither the memory nor the time', () => {
    const head = RECORDS[0]?.[1].subarray(0, 5) ?? Buffer.alloc(0);
    const strings = Buffer.from('0261026100', 'hex'); // id, source, no subject
    const gpu = Buffer.from('00' + '02' + '0263026e0268' + '10' + '00' + '00' + '04' + '04' + '02', 'hex');
    const claim = Buffer.from('808080808080808001', 'hex');
    expect(outcome(() => wire.decode(TOPICS.events, Buffer.concat([head, strings, gpu, claim])))).toBe(
      'RecordUndecodable',
    );
  });

  test('a block that is to be skipped cannot lead back to where it began', async () => {
    const [events] = await topicSchemas();
    const schema: { readonly fields: readonly unknown[] } = JSON.parse(events?.release.schema ?? '{}');
    const fields = [{ name: 'more', type: { type: 'array', items: 'long' } }, ...schema.fields];
    const longer = { ...schema, fields };
    const id = await registry.register('other-value', JSON.stringify(longer), 'FULL_TRANSITIVE');
    const head = Buffer.alloc(5);
    head.writeInt32BE(id, 1);
    const good = RECORDS[1]?.[1].subarray(5) ?? Buffer.alloc(0);
    await wire.learn(TOPICS.events, [head]);
    expect(wire.decode(TOPICS.events, Buffer.concat([head, Buffer.from('04020600', 'hex'), good]))).toBe(OTHER);
    // -1 items in -3 bytes, again and again
    expect(outcome(() => wire.decode(TOPICS.events, Buffer.concat([head, Buffer.from('0105', 'hex'), good])))).toBe(
      'RecordUndecodable',
    );
    expect(
      outcome(() => wire.decode(TOPICS.events, Buffer.concat([head, Buffer.from('808080808080808001', 'hex'), good]))),
    ).toBe('RecordUndecodable');
  });

  test('data that is no JSON, or more than one value, never reaches the text of an event', async () => {
    const [events] = await topicSchemas();
    const type = avroType(events?.release.schema ?? '');
    const empty = {
      id: 'a',
      source: 's',
      subject: null,
      forwarded: false,
      usage_gpu: null,
      usage_storage: null,
      other: null,
    };
    const head = RECORDS[0]?.[1].subarray(0, 5) ?? Buffer.alloc(0);
    for (const data of ['', '{', '{},"forwarded":true', '{}}{']) {
      const value = Buffer.concat([head, type.toBuffer({ ...empty, other: { type: 'clock.tick', data } })]);
      expect(outcome(() => wire.decode(TOPICS.events, value))).toBe('RecordUndecodable');
      expect(outcome(() => wire.decodeEvent(value, 5))).toBe('RecordUndecodable');
    }
    const nothing = Buffer.concat([head, type.toBuffer(empty)]);
    expect(outcome(() => wire.decodeEvent(nothing, 5))).toBe('RecordUndecodable');
  });
});

describe('samples of agents', () => {
  test('a sample written with the published schema alone becomes the event that the door takes', async () => {
    const found = (await topicSchemas()).find(({ topic }) => topic === SAMPLES_TOPIC);
    const schema = found?.release.schema ?? '';
    const head = Buffer.alloc(5);
    head.writeInt32BE((await registry.idOf(found?.subject ?? '', schema)) ?? 0, 1);
    const type = avro.Type.forSchema(JSON.parse(schema));
    const sample = {
      id: 's1',
      source: 'agent',
      account_id: 'acme',
      start: 1000,
      end: 2000,
      gpu: { cluster_id: 'c', node_id: 'n', gpu_type: 'h100', gpus: 8 },
    };
    const data = { cluster_id: 'c', node_id: 'n', gpu_type: 'h100', gpus: 8, start: 1000, end: 2000 };
    const event = { specversion: '1.0', id: 's1', source: 'agent', time: 2000, type: 'usage.gpu', subject: 'acme' };
    const read = (value: unknown) => wire.readSample(Buffer.concat([head, type.toBuffer(value)]));
    expect(read(sample)).toEqual({ ...event, data });
    const tags = [
      { name: '__proto__', value: 'x' },
      { name: 'team', value: 'vision' },
    ];
    expect(JSON.stringify(read({ ...sample, tags }))).toBe(
      JSON.stringify({ ...event, data: { ...data, tags: JSON.parse('{"__proto__":"x","team":"vision"}') } }),
    );
    const storage = { volume_id: 'v', size_gib: 2 ** 40 };
    expect(read({ ...sample, gpu: null, storage })).toEqual({
      ...event,
      type: 'usage.storage',
      data: { ...storage, start: 1000, end: 2000 },
    });
    expect(outcome(() => read({ ...sample, storage }))).toBe('RecordUndecodable');
    expect(outcome(() => read({ ...sample, gpu: null }))).toBe('RecordUndecodable');
    expect(outcome(() => read({ ...sample, tags: [...tags, ...tags] }))).toBe('RecordUndecodable');
  });
});
