import { gzipSync } from 'node:zlib';
import { bearer, KEYS } from '../ingest/harness.ts';
import type { DoorInput } from './door-request.ts';
import { changeBytes } from './hostile-bytes.ts';
import { spoilStructure } from './hostile-line.ts';
import type { Random } from './random.ts';

const PARTS = [
  ...['acme', 'a%2Fb', '%zz', '%', '__proto__', 'constructor', '%00', '..', '%2e%2e', '', 'x'.repeat(300), '%ff', '*'],
  ...['%F0%9F%98%80', '%ed%a0%80', ';a=b', 'a?b', '%23', '+', '%0d%0aX:%20y', 'y'.repeat(5000)],
];

/** A question, with a path and a query that are in order or not. */
export function queryInput(random: Random): DoorInput {
  const part = () => random.pick(PARTS);
  const url = random.pick([
    () => `/v1/events/${part()}/${part()}`,
    () => `/v1/accounts/${part()}`,
    () => `/v1/accounts/${part()}/usage?from=${part()}`,
    () => `/v1/accounts/acme/usage?from=2026-05-04T10:00:00Z&to=${part()}&${part()}=${part()}`,
    () => `/v1/orders?account_id=${part()}&kind=cluster&after=${part()}`,
    () => `/v1/enforcement?limit=${random.pick(['0', '1', '-1', '1e400', 'NaN', part()])}&after=${part()}`,
    () => `/${part()}/${part()}`,
  ])();
  const method = random.chance(0.1) ? random.pick(['PUT', 'DELETE', 'POST'] as const) : 'GET';
  return { method, url, headers: bearer(anyKey(random)), payload: Buffer.alloc(0) };
}

/** An operator's act, or what somebody else would like to be one. */
export function actInput(random: Random): DoorInput {
  const account = random.chance(0.5) ? { account_id: random.pick(['acme', '__proto__', 'none', '', 'a/b']) } : {};
  let text = JSON.stringify({ ...account, reason: random.pick(['because', ' ', 'x'.repeat(501), '\ud800', '']) });
  if (random.chance(0.4)) text = spoilStructure(text, random);
  let payload = random.chance(0.3) ? changeBytes(random, Buffer.from(text)) : Buffer.from(text);
  const headers: Record<string, string> = { ...bearer(anyKey(random)), 'content-type': 'application/json' };
  if (random.chance(0.2)) {
    headers['content-encoding'] = 'gzip';
    payload = gzipSync(payload);
  }
  return { method: 'POST', url: `/v1/enforcement/${random.pick(['hold', 'release'])}`, headers, payload };
}

function anyKey(random: Random): keyof typeof KEYS {
  return random.pick(Object.keys(KEYS) as (keyof typeof KEYS)[]);
}
