import { gzipSync } from 'node:zlib';
import { bearer, KEYS } from '../ingest/harness.ts';
import { type DoorInput, MEDIA } from './door-request.ts';
import { changeBytes } from './hostile-bytes.ts';
import type { Random } from './random.ts';

const STRANGE_MEDIA = [
  '',
  'text/plain',
  'application/json; charset=utf-16',
  'application/',
  ';',
  'a/b; c=',
  'application/json;charset="utf-8"',
];
/** Headers that say nothing to the door, or that a proxy or a tracer may have spoilt. */
const JUNK: readonly (readonly [string, string])[] = [
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'],
  ['traceparent', `ff-${'z'.repeat(5000)}`],
  ['tracestate', '=,=,;;'],
  ['baggage', '__proto__=1'],
  ['x-request-id', '%00'],
  ['x-forwarded-for', '::ffff:1.2.3.4, , unknown'],
  ['accept', '*/*;q=nan'],
  ['accept-encoding', 'br;q=1.0, gzip;q=0, *'],
  ['transfer-encoding', 'identity'],
  ['cookie', '='.repeat(4000)],
  ['if-none-match', '*'],
  ['range', 'bytes=-1--1'],
  ['__proto__', 'x'],
  ['constructor', 'x'],
];
const QUERIES = [
  '?wait=applied',
  '?wait=applied&timeout_ms=1',
  '?wait=',
  '?x=1',
  '?__proto__=1',
  '?wait=applied&wait=applied',
  '?wait[]=applied',
  '?%',
  '?%00=%00',
  '?timeout_ms=-1',
  '?wait=applied&timeout_ms=1e400',
  '?timeout_ms=99999999999999999999',
];

/** A post of events with this body: packed or not, and now and then with headers that are wrong, or no body's at all. */
export function withHeaders(random: Random, media: string, body: Buffer): DoorInput {
  const key = random.pick(Object.keys(KEYS) as (keyof typeof KEYS)[]);
  const headers: Record<string, string> = { ...bearer(random.chance(0.6) ? 'operator' : key), 'content-type': media };
  let payload = body;
  if (random.chance(0.2)) {
    headers['content-encoding'] = random.chance(0.9)
      ? 'gzip'
      : random.pick(['br', 'GZIP ', 'x-gzip', 'gzip,gzip', 'identity', 'deflate', '']);
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
  if (random.chance(0.1)) {
    const [name, value] = random.pick(JUNK);
    Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
  }
  const url = `/v1/events${random.chance(0.1) ? random.pick(QUERIES) : ''}`;
  const method = random.chance(0.01) ? random.pick(['PUT', 'DELETE'] as const) : 'POST';
  return { method, url, headers, payload };
}

/** What gzip makes much more of than the door bears: spaces, line ends, or nothing but the depth of JSON. */
export function bombInput(random: Random, inflatedBytesMax: number): DoorInput {
  const size = random.pick([inflatedBytesMax, inflatedBytesMax + 1, 40 * inflatedBytesMax]);
  const payload = gzipSync(Buffer.alloc(size, random.pick([' ', '\n', '[', '\0'])));
  const type = random.pick(['application/json', 'application/x-ndjson', 'application/cloudevents-batch+json']);
  const headers = { ...bearer('operator'), 'content-type': type, 'content-encoding': 'gzip' };
  return { method: 'POST', url: '/v1/events', headers, payload };
}
