import { gzipSync } from 'node:zlib';
import { bearer, DATA, eventOf, type Json, KEYS } from '../ingest/harness.ts';
import type { Random } from './random.ts';

/** A request to the door, as bytes. */
export interface DoorInput {
  readonly method: 'POST' | 'GET' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload: Buffer;
}

const TYPES = [...DATA.keys()];
const MEDIA = [
  'application/cloudevents+json',
  'application/json',
  'application/cloudevents-batch+json',
  'application/x-ndjson',
] as const;
const STRANGE_MEDIA = [
  '',
  'text/plain',
  'application/json; charset=utf-16',
  'application/',
  ';',
  'a/b; c=',
  'application/json;charset="utf-8"',
];
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'id',
  'type',
  'data',
  'subject',
  'time',
  'forwarded',
  'tags',
  '',
  '\ud800',
  'a\u0000b',
];
/** JSON texts that parsers, printers and walkers have fallen over. */
const TEXTS = [
  'null',
  'true',
  '0',
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '123456789012345678901234567890',
  '0.1',
  '""',
  '"__proto__"',
  '"\\ud800"',
  '"\\u0000"',
  '"\u2028"',
  '"a b"',
  `"${'x'.repeat(300)}"`,
  '"2026-13-01T00:00:00Z"',
  `"2026-05-04T10:00:00.${'9'.repeat(400)}Z"`,
  '"10000-01-01T00:00:00Z"',
  '[]',
  '{}',
  '[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]',
  '{"__proto__":{"x":1}}',
  '{"a":1,"a":2}',
  '"usage.gpu"',
  '"clock.tick"',
  '"prices.published"',
  '1777888800000',
  '"acme"',
];
/** What stands in a value's place until the value is text, since a JSON value cannot hold all that a JSON text can. */
const PLACE = '\u0001';

/** One request: valid to begin with, then changed none or a few times, in its structure, its bytes or its headers. */
export function doorInput(random: Random): DoorInput {
  if (random.chance(0.05)) return query(random);
  const media = random.pick(MEDIA);
  const body = Buffer.from(bodyText(random, media), 'utf8');
  const changed = random.chance(0.35) ? changeBytes(random, body) : body;
  return withHeaders(random, media, changed);
}

function bodyText(random: Random, media: (typeof MEDIA)[number]): string {
  if (media === 'application/cloudevents+json' || media === 'application/json') return eventText(random);
  const texts = Array.from({ length: random.below(8) }, () => eventText(random));
  if (media === 'application/cloudevents-batch+json') return `[${texts.join(random.pick([',', ' , ', ',\n']))}]`;
  return texts.map((text) => text + random.pick(['\n', '\r\n', '\n\n', '\n \t\n'])).join('');
}

function eventText(random: Random): string {
  const type = random.pick(TYPES);
  const event: Json = { ...eventOf(type, `e${random.below(1000)}`), data: { ...DATA.get(type) } };
  const texts: string[] = [];
  if (random.chance(0.5)) {
    const changes = 1 + random.below(3);
    for (let change = 0; change < changes; change += 1) changeMember(random, event, texts);
  }
  if (random.chance(0.1)) event.forwarded = true;
  const text = JSON.stringify(event).replaceAll(JSON.stringify(PLACE), () => texts.shift() ?? 'null');
  return random.chance(0.05)
    ? text.replace('{', `{"${random.pick(['id', 'type', '__proto__'])}":${random.pick(TEXTS)},`)
    : text;
}

function changeMember(random: Random, event: Json, texts: string[]): void {
  const inside = random.chance(0.6) && typeof event.data === 'object' && event.data !== null;
  const target = inside ? (event.data as Json) : event;
  const name = random.chance(0.75) ? random.pick(Object.keys(target).concat('extra')) : random.pick(NAMES);
  if (random.chance(0.3)) {
    delete target[name];
    return;
  }
  texts.push(random.pick(TEXTS));
  Object.defineProperty(target, name, { value: PLACE, enumerable: true, configurable: true, writable: true });
}

function changeBytes(random: Random, body: Buffer): Buffer {
  const at = random.below(body.length + 1);
  switch (random.below(7)) {
    case 0:
      return body.subarray(0, at);
    case 1:
      return Buffer.concat([body.subarray(0, at), random.bytes(1 + random.below(4)), body.subarray(at)]);
    case 2:
      return Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + random.below(8)))]);
    case 3:
      return random.bytes(random.below(64));
    case 4:
      return Buffer.concat([
        body.subarray(0, at),
        Buffer.from(random.pick(['[', '{', '"', '\\', ',', ']', '}', '\n', '\ufeff'])),
        body.subarray(at),
      ]);
    case 5:
      return Buffer.from(random.pick(['[', '{"a":', '[{"data":']).repeat(1 + random.below(400)));
    default: {
      const copy = Buffer.from(body);
      if (copy.length > 0) copy[random.below(copy.length)] = random.below(256);
      return copy;
    }
  }
}

function withHeaders(random: Random, media: string, body: Buffer): DoorInput {
  const key = random.pick(Object.keys(KEYS) as (keyof typeof KEYS)[]);
  const headers: Record<string, string> = { ...bearer(random.chance(0.6) ? 'operator' : key), 'content-type': media };
  let payload = body;
  if (random.chance(0.2)) {
    headers['content-encoding'] = random.chance(0.9)
      ? 'gzip'
      : random.pick(['br', 'GZIP ', 'gzip,gzip', 'identity', '']);
    if (random.chance(0.9)) payload = gzipSync(payload);
    if (random.chance(0.2)) payload = changeBytes(random, payload);
  }
  if (random.chance(0.05)) headers['content-type'] = random.pick([...STRANGE_MEDIA, ...MEDIA]);
  if (random.chance(0.04))
    headers.authorization = random.pick(['', 'Bearer', `Bearer ${KEYS.operator.key}0`, 'Basic x', 'Bearer tg_op_x']);
  if (random.chance(0.03))
    headers['content-length'] = random.pick(['0', '1', '-1', 'x', String(payload.length + 5), '99999999999999']);
  if (random.chance(0.05)) headers.prefer = random.pick(['return=minimal', 'respond-async, return=minimal', '=', ';;']);
  if (random.chance(0.02)) headers['ce-specversion'] = '1.0';
  const queries = [
    '?wait=applied',
    '?wait=applied&timeout_ms=1',
    '?wait=',
    '?x=1',
    '?__proto__=1',
    '?wait=applied&wait=applied',
    '?%',
    '?timeout_ms=-1',
  ];
  const url = `/v1/events${random.chance(0.1) ? random.pick(queries) : ''}`;
  const method = random.chance(0.01) ? random.pick(['PUT', 'DELETE'] as const) : 'POST';
  return { method, url, headers, payload };
}

function query(random: Random): DoorInput {
  const part = () =>
    random.pick(['acme', 'a%2Fb', '%zz', '%', '__proto__', '%00', '..', '', 'x'.repeat(300), '%F0%9F%98%80', '%ff']);
  const url = random.pick([
    () => `/v1/events/${part()}/${part()}`,
    () => `/v1/accounts/${part()}`,
    () => `/v1/accounts/${part()}/usage?from=${part()}`,
    () => `/v1/orders?account_id=${part()}&kind=cluster&after=${part()}`,
    () => `/${part()}/${part()}`,
  ])();
  return {
    method: 'GET',
    url,
    headers: bearer(random.pick(Object.keys(KEYS) as (keyof typeof KEYS)[])),
    payload: Buffer.alloc(0),
  };
}
