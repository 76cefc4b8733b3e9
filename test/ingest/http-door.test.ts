import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventSink } from '../../services/ingest/ports.ts';
import { partitionOf } from '../../services/shared/partition.ts';
import {
  bearer,
  eventOf,
  type Harness,
  harness,
  type Json,
  KEYS,
  NO_QUERIES,
  NO_VERDICTS,
  NOW,
  usage,
} from './harness.ts';

const BATCH = 'application/cloudevents-batch+json';
const LINES = 'application/x-ndjson';

const opened: Harness[] = [];
afterEach(async () => {
  for (const { door } of opened.splice(0)) await door.close();
});

function open(...args: Parameters<typeof harness>): Harness {
  const one = harness(...args);
  opened.push(one);
  return one;
}

/** Holds the event loop for longer than a second, so that not one delay is measured in it, and lets it go round once. */
async function stall(): Promise<void> {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  await setTimeout(0);
}

type Answer = Awaited<ReturnType<Harness['send']>>;

/** Of an answer what a client looks at first. */
function codeOf(answer: Answer): string {
  const { code } = answer.json<{ code?: string }>();
  if (answer.statusCode >= 400) expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  return code === undefined ? String(answer.statusCode) : `${answer.statusCode} ${code}`;
}

describe('POST /v1/events: what is sent', () => {
  it('takes one event in two media types, and says where it stands', async () => {
    const { send, sink } = open();
    for (const [at, type] of ['application/cloudevents+json', 'application/json; charset=UTF-8'].entries()) {
      const answer = await send(usage(`e${at}`), { type });
      expect(answer.statusCode).toBe(202);
      expect(answer.json()).toEqual({
        accepted: 1,
        rejected: 0,
        results: [
          { index: 0, id: `e${at}`, source: 'agent/1', status: 'accepted', position: { partition: 0, offset: at } },
        ],
      });
    }
    expect(sink.texts.map((text) => JSON.parse(text) as Json)).toMatchObject([{ id: 'e0' }, { id: 'e1' }]);
  });

  it('answers each event of a batch on its own, and keeps what it refused', async () => {
    const { send, sink } = open();
    const answer = await send([usage('a'), { id: 'b', source: 's' }, usage('c', {}, { gpus: 0 }), usage('d')], {
      type: BATCH,
    });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({
      accepted: 2,
      rejected: 2,
      results: [
        { index: 0, id: 'a', source: 'agent/1', status: 'accepted', position: { partition: 0, offset: 0 } },
        {
          index: 1,
          id: 'b',
          source: 's',
          status: 'rejected',
          reason: 'malformed',
          detail: 'specversion: must be "1.0"',
        },
        expect.objectContaining({ index: 2, id: 'c', status: 'rejected', reason: 'invalid_field' }),
        { index: 3, id: 'd', source: 'agent/1', status: 'accepted', position: { partition: 0, offset: 1 } },
      ],
    });
    expect(sink.appends).toBe(1);
    expect(sink.rejected).toEqual([
      {
        account: undefined,
        reason: 'malformed',
        detail: 'specversion: must be "1.0"',
        event: { encoding: 'json', text: '{"id":"b","source":"s"}' },
        truncated: false,
        sentBy: 'op',
        receivedAt: NOW,
      },
      expect.objectContaining({ account: 'acme', reason: 'invalid_field', sentBy: 'op' }),
    ]);
  });

  it('reads lines, each on its own, and skips blank ones', async () => {
    const { send, sink } = open();
    const body = `${JSON.stringify(usage('a'))}\r\n\n{"half":\n${JSON.stringify(usage('b'))}`;
    const answer = await send(body, { type: LINES });
    expect(answer.json()).toMatchObject({
      accepted: 2,
      rejected: 1,
      results: [{ index: 0 }, { index: 1, reason: 'malformed' }, {}],
    });
    expect(sink.rejected).toMatchObject([{ event: { encoding: 'text', text: '{"half":' } }]);
  });

  it('leaves out what was accepted for who prefers it', async () => {
    const { send } = open();
    const answer = await send([usage('a'), 1], { type: BATCH, headers: { prefer: 'return=minimal' } });
    expect(answer.json()).toMatchObject({ accepted: 1, rejected: 1, results: [{ index: 1 }] });
  });

  it('takes an empty batch and no lines for what they are', async () => {
    const { send, sink } = open();
    expect((await send([], { type: BATCH })).json()).toEqual({ accepted: 0, rejected: 0, results: [] });
    expect((await send('\n\n', { type: LINES })).json()).toEqual({ accepted: 0, rejected: 0, results: [] });
    expect(sink.appends).toBe(0);
  });

  it('E1: keeps the order of each account in its partition, sends prices to the first and ticks to all', async () => {
    const { send, sink } = open({}, {}, 4);
    const accounts = ['a', 'b', 'c', 'd', 'e'];
    const sent = Array.from({ length: 50 }, (_, at) => usage(`e${at}`, { subject: accounts[at % 5] }));
    const answer = await send([...sent, eventOf('prices.published', 'p'), eventOf('clock.tick', 't')], { type: BATCH });
    const { results } = answer.json<{ results: { id: string; position: { partition: number; offset: number } }[] }>();
    for (const { id, position } of results) {
      const record = JSON.parse(sink.logs[position.partition]?.[position.offset]?.text ?? '{}') as Json;
      expect(record.id).toBe(id);
    }
    for (const account of accounts) {
      const log = sink.logs[partitionOf(account, 4)] ?? [];
      const ids = log
        .filter((record) => record.account === account)
        .map((record) => (JSON.parse(record.text) as Json).id);
      expect(ids).toEqual(sent.filter((event) => event.subject === account).map((event) => event.id));
    }
    expect(sink.logs.map((log) => log.filter(({ text }) => text.includes('clock.tick')).length)).toEqual([1, 1, 1, 1]);
    expect(sink.logs.map((log) => log.filter(({ text }) => text.includes('prices.published')).length)).toEqual([
      1, 0, 0, 0,
    ]);
  });

  it('gives the log the time of the event where the log takes that', async () => {
    const { send, sink } = open({ logTime: 'event' });
    expect((await send(usage('e'))).statusCode).toBe(202);
    expect(sink.logs[0]?.[0]?.at).toBe(NOW + 60_000);
    expect(codeOf(await send(usage('e', { time: undefined })))).toBe('400 malformed');
  });

  it('unpacks gzip', async () => {
    const { send, sink } = open();
    const body = gzipSync(JSON.stringify([usage('a'), usage('b')]));
    expect((await send(body, { type: BATCH, headers: { 'content-encoding': 'gzip' } })).json()).toMatchObject({
      accepted: 2,
    });
    expect(sink.texts).toHaveLength(2);
  });
});

describe('POST /v1/events: what is refused', () => {
  it('400: an event that is refused, with its reason, and it is kept', async () => {
    const { send, sink } = open();
    expect(codeOf(await send({}))).toBe('400 malformed');
    expect(codeOf(await send(eventOf('no.such')))).toBe('400 unknown_type');
    expect(codeOf(await send(usage('e', {}, { gpu: 1 })))).toBe('400 invalid_field');
    expect(sink.rejected.map(({ reason }) => reason)).toEqual(['malformed', 'unknown_type', 'invalid_field']);
    expect(sink.texts).toEqual([]);
  });

  it('400: a body that is no JSON, or no UTF-8, and it is kept', async () => {
    const { send, sink } = open();
    expect(codeOf(await send('{"a":'))).toBe('400 malformed');
    expect(codeOf(await send(Buffer.from([0x22, 0xff, 0x22])))).toBe('400 malformed');
    expect(codeOf(await send('{}', { type: BATCH }))).toBe('400 malformed');
    expect(codeOf(await send(''))).toBe('400 malformed');
    expect(sink.rejected.map(({ event }) => event)).toEqual([
      { encoding: 'text', text: '{"a":' },
      { encoding: 'base64', text: Buffer.from([0x22, 0xff, 0x22]).toString('base64') },
      { encoding: 'text', text: '{}' },
      { encoding: 'text', text: '' },
    ]);
  });

  it('among lines, one that is no UTF-8 is refused by itself, and its bytes are kept', async () => {
    const { send, sink } = open();
    const bad = Buffer.from([0x7b, 0xc3, 0x28, 0x7d]);
    const line = Buffer.from(JSON.stringify(usage('a')));
    const body = Buffer.concat([line, Buffer.from('\n'), bad, Buffer.from('\n \n'), line]);
    expect((await send(body, { type: LINES })).json()).toMatchObject({ accepted: 2, rejected: 1 });
    expect(sink.rejected).toMatchObject([
      { event: { encoding: 'base64', text: bad.toString('base64') }, detail: 'event: not UTF-8' },
    ]);
  });

  it('E4: keeps exactly what was sent, also what a JSON parser would change', async () => {
    const { send, sink } = open();
    const sent =
      '{"specversion":"1.0",\n  "id":"x","id":"y","n":1e400,\r\n"b":12345678901234567890,"__proto__":{"a":1}}';
    await send(sent);
    await send(`[ ${sent} ]`, { type: BATCH });
    const kept = '{"specversion":"1.0",   "id":"x","id":"y","n":1e400, "b":12345678901234567890,"__proto__":{"a":1}}';
    expect(sink.rejected.map(({ event }) => event)).toEqual([
      { encoding: 'json', text: kept },
      { encoding: 'json', text: kept },
    ]);
  });

  it('keeps the beginning of what is longer than any event may be, and says so', async () => {
    const { send, sink } = open({ recordCharsMax: 1024 });
    expect(codeOf(await send({ id: 'x', junk: 'j'.repeat(5000) }))).toBe('400 malformed');
    expect(sink.rejected).toMatchObject([{ truncated: true, event: { encoding: 'text' } }]);
    expect(sink.rejected[0]?.event.text).toHaveLength(1024);
  });

  it('400: a query that is not one of this route', async () => {
    const { send } = open();
    for (const query of ['?wiat=applied', '?wait=yes', '?timeout_ms=0', '?timeout_ms=x']) {
      expect([query, codeOf(await send(usage('e'), { query }))]).toEqual([query, '400 bad_request']);
    }
  });

  it('400: what says gzip and is none, or is cut short', async () => {
    const { send } = open();
    const headers = { 'content-encoding': 'gzip' };
    const packed = gzipSync(JSON.stringify(usage('e')));
    for (const body of [Buffer.from('{}'), packed.subarray(0, packed.length - 9), Buffer.alloc(0)]) {
      expect(codeOf(await send(body, { headers }))).toBe('400 bad_request');
    }
  });

  it('401: no key, a wrong one, one that has expired; and says how to do better', async () => {
    const { door } = open();
    const headers = { 'content-type': 'application/json' };
    const tries = [
      '',
      'Bearer',
      'Bearer x',
      'Basic b3A6',
      `Bearer ${KEYS.operator.key}x`,
      `bearer ${KEYS.operator.key.slice(0, -1)}_`,
    ];
    for (const authorization of tries) {
      const answer = await door.inject({
        method: 'POST',
        url: '/v1/events',
        headers: { ...headers, authorization },
        payload: '{}',
      });
      expect(codeOf(answer)).toBe('401 unauthenticated');
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="tollgate"');
    }
    const bare = await door.inject({ method: 'POST', url: '/v1/events', payload: '{}', headers });
    expect(codeOf(bare)).toBe('401 unauthenticated');
  });

  it('403: what this key may not send; kept, with who sent it', async () => {
    const { send, sink } = open();
    expect(codeOf(await send(eventOf('credits.granted'), { key: 'agent' }))).toBe('403 forbidden');
    expect(codeOf(await send(usage('e', { subject: 'other' }), { key: 'agent' }))).toBe('403 forbidden');
    expect(codeOf(await send(usage('e'), { key: 'controlPlane' }))).toBe('403 forbidden');
    expect(codeOf(await send(eventOf('clock.tick'), { key: 'agentOfAll' }))).toBe('403 forbidden');
    expect(
      (await send([usage('a'), usage('b', { subject: 'other' })], { key: 'agent', type: BATCH })).json(),
    ).toMatchObject({
      accepted: 1,
      rejected: 1,
      results: [{ status: 'accepted' }, { status: 'rejected', reason: 'forbidden' }],
    });
    expect(sink.rejected.map(({ reason, sentBy }) => `${reason} ${sentBy}`)).toEqual([
      'forbidden agent-1',
      'forbidden agent-1',
      'forbidden cp',
      'forbidden fleet',
      'forbidden agent-1',
    ]);
  });

  it('404: no such route or method', async () => {
    const { get, door } = open();
    expect(codeOf(await get('/v2/events'))).toBe('404 not_found');
    expect(codeOf(await door.inject({ method: 'PUT', url: '/v1/events', headers: bearer('operator') }))).toBe(
      '404 not_found',
    );
  });

  it('413: a body, an unpacked body or a batch that is too large; nothing of it is let in', async () => {
    const { send, sink } = open({
      bodyBytesMax: 10_000,
      inflatedBytesMax: 20_000,
      batchEventsMax: 5,
      jsonValuesMax: 2000,
    });
    const bomb = gzipSync(Buffer.alloc(5_000_000, ' '));
    expect(bomb.length).toBeLessThan(10_000);
    expect(codeOf(await send(' '.repeat(10_001)))).toBe('413 body_too_large');
    expect(codeOf(await send(bomb, { headers: { 'content-encoding': 'gzip' } }))).toBe('413 body_too_large');
    expect(codeOf(await send(Array(6).fill(usage('e')), { type: BATCH }))).toBe('413 body_too_large');
    expect(codeOf(await send(Array(6).fill('{}').join('\n'), { type: LINES }))).toBe('413 body_too_large');
    expect(codeOf(await send(`[[${'0,'.repeat(2000)}0]]`, { type: BATCH }))).toBe('413 body_too_large');
    expect((await send('\n'.repeat(10_000), { type: LINES })).json()).toMatchObject({ accepted: 0, rejected: 0 });
    expect(codeOf(await send(Buffer.from('\xff\n'.repeat(6), 'latin1'), { type: LINES }))).toBe('413 body_too_large');
    expect(sink.texts).toEqual([]);
    expect(sink.rejected).toEqual([]);
  });

  it('415: another media type, charset, encoding, or the binary mode', async () => {
    const { send, door } = open();
    const types = [
      'text/plain',
      'application/xml',
      'application/cloudevents+avro',
      'application/json; charset=latin1',
      'json',
      'a/b/c',
    ];
    for (const type of types)
      expect([type, codeOf(await send('{}', { type }))]).toEqual([type, '415 unsupported_media_type']);
    const bare = await door.inject({
      method: 'POST',
      url: '/v1/events',
      headers: bearer('operator'),
      payload: Buffer.from('{}'),
    });
    expect(codeOf(bare)).toBe('415 unsupported_media_type');
    const none = await door.inject({ method: 'POST', url: '/v1/events', headers: bearer('operator') });
    expect(codeOf(none)).toBe('415 unsupported_media_type');
    for (const encoding of ['br', 'deflate', 'gzip, gzip', 'zstd']) {
      const answer = await send('{}', { headers: { 'content-encoding': encoding } });
      expect(codeOf(answer)).toBe('415 unsupported_media_type');
      expect(answer.headers['accept-encoding']).toBe('gzip');
    }
    const binary = await send('{}', { type: 'application/json', headers: { 'ce-specversion': '1.0', 'ce-id': 'x' } });
    expect(codeOf(binary)).toBe('415 unsupported_media_type');
  });

  it('429: more requests than a key may send; other keys are not touched', async () => {
    const { send } = open({ requestsPerKeyMax: 2, rateWindowMs: 3_600_000 });
    expect((await send(usage('a'))).statusCode).toBe(202);
    expect((await send(usage('b'))).statusCode).toBe(202);
    const third = await send(usage('c'));
    expect(codeOf(third)).toBe('429 rate_limited');
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await send(usage('d'), { key: 'agent' })).statusCode).toBe(202);
  });

  it('429: the log says that its backlog is full, of events or of refusals', async () => {
    const busy = { kind: 'busy', retryAfterMs: 2500 } as const;
    for (const sink of [busySink({ append: busy }), busySink({ reject: busy })]) {
      const { send } = open({}, { sink });
      const answer = await send([usage('a'), 1], { type: BATCH });
      expect(codeOf(answer)).toBe('429 log_busy');
      expect(answer.headers['retry-after']).toBe('3');
    }
  });

  it('429: more bytes under way than the process has room for; then there is room again', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sink = busySink({});
    const slow: EventSink = {
      partitions: 1,
      append: async (...args) => {
        await gate;
        return await sink.append(...args);
      },
      reject: async (...args) => await sink.reject(...args),
    };
    const { send, metrics } = open({ inFlightBytesMax: 1024 }, { sink: slow });
    const first = send(usage('a', {}, { tags: { a: 'x'.repeat(60) } }));
    // The first holds its room once its headers are in; it keeps it until the gate opens.
    await expect.poll(() => inFlight(metrics)).toBeGreaterThan(0);
    const second = await send(Array(10).fill(usage('b')), { type: BATCH });
    expect(codeOf(second)).toBe('429 door_busy');
    expect(second.headers['retry-after']).toBe('1');
    release();
    expect((await first).statusCode).toBe(202);
    expect((await send(usage('c'))).statusCode).toBe(202);
    await expect.poll(() => inFlight(metrics)).toBe(0);
  });

  it('503: the log fails; no event is said to be accepted', async () => {
    const failing: EventSink = {
      partitions: 1,
      append: () => Promise.reject(new Error('disk gone')),
      reject: () => Promise.reject(new Error('disk gone')),
    };
    const { send } = open({}, { sink: failing });
    expect(codeOf(await send(usage('a')))).toBe('503 log_failed');
    expect(codeOf(await send(1))).toBe('503 log_failed');
    expect((await send(usage('a'))).body).not.toContain('disk gone');
  });

  it('503: not ready, with the reasons', async () => {
    const { send } = open({}, { readiness: () => ({ ready: false, reasons: ['log: opening'] }) });
    const answer = await send(usage('a'));
    expect(codeOf(answer)).toBe('503 not_ready');
    expect(answer.json()).toMatchObject({ detail: 'log: opening' });
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('503: the process stalls for longer than it may; who looks after it is answered', async () => {
    const { door, send, get } = open({ eventLoopDelayMsMax: 10 });
    await door.ready();
    await stall();
    const answer = await send(usage('a'));
    expect(codeOf(answer)).toBe('503 overloaded');
    expect(answer.headers['retry-after']).toBe('1');
    expect((await get('/livez')).statusCode).toBe(200);
  });

  it('a stall that is shorter than it may be turns nobody away', async () => {
    const { door, send } = open({ eventLoopDelayMsMax: 600_000 });
    await door.ready();
    await stall();
    expect(codeOf(await send(usage('a')))).toBe('202');
  });

  it('500: a fault that nobody foresaw is told to nobody', async () => {
    const broken = { ...NO_QUERIES, account: () => Promise.reject(new Error('secret inside')) };
    const { get } = open({}, { queries: broken });
    const answer = await get('/v1/accounts/a');
    expect(codeOf(answer)).toBe('500 internal');
    expect(answer.body).not.toContain('secret');
  });
});

describe('POST /v1/events?wait=applied', () => {
  it('tells what became of each event that was let in', async () => {
    const asked: unknown[] = [];
    const { send } = open(
      {},
      {
        verdicts: {
          ...NO_VERDICTS,
          wait: async (positions, timeoutMs) => {
            asked.push(positions, timeoutMs);
            return [{ status: 'applied' }, { status: 'rejected', reason: 'no_price', detail: 'h100 has none' }];
          },
        },
      },
    );
    const answer = await send([usage('a'), 1, usage('b')], { type: BATCH, query: '?wait=applied&timeout_ms=1234' });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({
      results: [
        { verdict: { status: 'applied' } },
        { status: 'rejected' },
        { verdict: { status: 'rejected', reason: 'no_price', detail: 'h100 has none' } },
      ],
    });
    expect(asked).toEqual([
      [
        { partition: 0, offset: 0 },
        { partition: 0, offset: 1 },
      ],
      1234,
    ]);
  });

  it('waits no longer than it may, and is pending without room to wait', async () => {
    const waits: number[] = [];
    const verdicts = {
      ...NO_VERDICTS,
      wait: async (_positions: unknown, timeoutMs: number) => {
        waits.push(timeoutMs);
        return [];
      },
    };
    const { send } = open({ waitMsMax: 5000, waitMs: 100 }, { verdicts });
    await send(usage('a'), { query: '?wait=applied' });
    const answer = await send(usage('a'), { query: '?wait=applied&timeout_ms=999999' });
    expect(waits).toEqual([100, 5000]);
    expect(answer.json()).toMatchObject({ results: [{ verdict: { status: 'pending' } }] });
  });
});

describe('GET /v1/events/{source}/{id}', () => {
  const fates = [
    {
      account: 'acme',
      position: { partition: 0, offset: 3 },
      verdict: { status: 'rejected', reason: 'no_price', detail: 'none' },
    },
    { account: 'acme', position: { partition: 0, offset: 9 }, verdict: { status: 'applied' } },
    { account: 'other', position: { partition: 0, offset: 11 }, verdict: { status: 'duplicate' } },
  ] as const;
  const asked: string[][] = [];
  const verdicts = {
    ...NO_VERDICTS,
    of: async (source: string, id: string) => {
      asked.push([source, id]);
      return id === 'known' ? fates : [];
    },
  };

  it('E3: tells of each time that it came, oldest first', async () => {
    const { get } = open({}, { verdicts });
    const answer = await get('/v1/events/https%3A%2F%2Fa%2Fb%3Fc%20%C3%A9/known');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      source: 'https://a/b?c é',
      id: 'known',
      status: 'duplicate',
      events: fates.map(({ account, position, verdict }) => ({ account_id: account, position, verdict })),
    });
    expect(asked.at(-1)).toEqual(['https://a/b?c é', 'known']);
  });

  it('shows a key its own accounts only', async () => {
    const { get } = open({}, { verdicts });
    expect((await get('/v1/events/s/known', 'agent')).json()).toMatchObject({ status: 'applied', events: [{}, {}] });
    expect(codeOf(await get('/v1/events/s/unknown', 'agent'))).toBe('404 not_found');
  });

  it('takes any source, and refuses what is no id', async () => {
    const { get } = open({}, { verdicts });
    const source = '\ud83d\ude00'.repeat(128);
    expect((await get(`/v1/events/${encodeURIComponent(source)}/known`)).json()).toMatchObject({ source });
    expect((await get('/v1/events/__proto__/known')).statusCode).toBe(200);
    expect(codeOf(await get('/v1/events/s/a%20b'))).toBe('400 bad_request');
    expect(codeOf(await get('/v1/events/%zz/a'))).toBe('400 bad_request');
    expect(codeOf(await get(`/v1/events/${'x'.repeat(5000)}/a`))).toMatch(/^4\d\d/);
  });
});

describe('what the door tells of itself', () => {
  it('/livez and /readyz need no key', async () => {
    const { door } = open();
    expect((await door.inject('/livez')).json()).toEqual({ status: 'live' });
    expect((await door.inject('/readyz')).json()).toEqual({ status: 'ready', reasons: [] });
    const notReady = open({}, { readiness: () => ({ ready: false, reasons: ['a', 'b'] }) });
    const answer = await notReady.door.inject('/readyz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'not_ready', reasons: ['a', 'b'] }]);
  });

  it('/metrics counts events by outcome and reason, and names no account', async () => {
    const { door, send } = open();
    await send([usage('a'), usage('b'), 1], { type: BATCH });
    await send({});
    const { body } = await door.inject('/metrics');
    expect(body).toContain('tollgate_ingest_events_total{outcome="accepted",reason=""} 2');
    expect(body).toContain('tollgate_ingest_events_total{outcome="rejected",reason="malformed"} 2');
    expect(body).toContain('tollgate_ingest_problems_total{code="malformed"} 1');
    expect(body).not.toContain('acme');
  });

  it('never logs a key', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const { send, door } = open({}, { logger });
    await send(usage('a'));
    await send('{');
    await door.inject({
      method: 'POST',
      url: '/v1/events',
      headers: { authorization: `Bearer ${KEYS.operator.key}z` },
    });
    expect(lines.length).toBeGreaterThan(2);
    const secret = KEYS.operator.key.split('_')[2] ?? '?';
    expect(lines.join('')).not.toContain(secret);
  });
});

function busySink(given: {
  append?: Awaited<ReturnType<EventSink['append']>>;
  reject?: Awaited<ReturnType<EventSink['reject']>>;
}): EventSink {
  return {
    partitions: 1,
    append: async () => given.append ?? { kind: 'appended', firstOffset: 0 },
    reject: async () => given.reject ?? { kind: 'kept' },
  };
}

async function inFlight(metrics: Harness['metrics']): Promise<number> {
  const text = await metrics.getSingleMetricAsString('tollgate_ingest_in_flight_bytes');
  return Number(/^tollgate_ingest_in_flight_bytes (\d+)$/m.exec(text)?.[1] ?? -1);
}
