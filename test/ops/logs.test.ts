import { setImmediate } from 'node:timers/promises';
import type { Level } from 'pino';
import { describe, expect, test } from 'vitest';
import { openMemoryLog } from '../../platform/log/memory-log.ts';
import { openMemoryState } from '../../platform/state/memory-state.ts';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { eventSink } from '../../services/ingest/backend/event-sink.ts';
import { createDoor } from '../../services/ingest/door.ts';
import { Rater } from '../../services/rater/rater.ts';
import { jsonLogger } from '../../services/shared/runtime/logger.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { bearer, configWith, depsWith, NOW, usage } from '../ingest/harness.ts';

interface Line {
  readonly service: string;
  readonly msg: string;
  readonly event?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly event_offset?: number;
  readonly [field: string]: unknown;
}

const never = (_ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** The three services on stores in memory, and all that they log. */
class Pipeline {
  readonly texts: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #door: ReturnType<typeof createDoor>;
  readonly #rater: Rater;
  readonly #enforcer: Enforcer;

  constructor(level: Level) {
    const loggerOf = (service: string) =>
      jsonLogger({ level, base: { service } }, { write: (text) => void this.texts.push(text) });
    const topics = Object.values(TOPICS).map((name) => ({
      name,
      partitions: 1,
      time: name === TOPICS.events ? ('event' as const) : ('append' as const),
    }));
    const log = openMemoryLog({ topics, now: () => NOW });
    const shared = { log, wire: JSON_WIRE, state: openMemoryState(), now: () => NOW, sleep: never };
    const sink = eventSink(log, JSON_WIRE);
    const [ingest, rater, enforcer] = [loggerOf('ingest'), loggerOf('rater'), loggerOf('enforcer')];
    this.#door = createDoor(depsWith(sink, { logger: ingest, trail: ingest }), configWith({ logTime: 'event' }));
    this.#rater = new Rater(
      {
        ...{ ...shared, logger: rater, trail: rater },
        rows: { insertBlock: async () => undefined, countRows: async () => 0 },
        observer: { folded: () => undefined, committed: () => undefined, booked: () => undefined },
      },
      {
        ...{ partition: 0, partitions: 1, groupRecordsMax: 1, groupMs: 1, runRecordsMax: 100, runBytesMax: 1 << 20 },
        ...{ accountsMax: 100, clockJumpMaxMs: undefined },
      },
    );
    this.#enforcer = new Enforcer(
      {
        ...{ ...shared, logger: enforcer, trail: enforcer },
        rows: { insertBlock: async () => undefined },
        observer: { issued: () => undefined, committed: () => undefined, outbox: () => undefined },
      },
      {
        ...{ partition: 0, live: false, past: false, runRecordsMax: 100, runBytesMax: 1 << 20 },
        ...{ wallClockMs: 1000, checkpointRecordsMax: 100 },
      },
    );
  }

  async start(): Promise<void> {
    await this.#rater.start();
    await this.#enforcer.start();
    this.#running.push(this.#rater.run(this.#stop.signal), this.#enforcer.run(this.#stop.signal));
  }

  async send(...events: readonly object[]): Promise<void> {
    const headers = { ...bearer('operator'), 'content-type': 'application/cloudevents-batch+json' };
    const answer = await this.#door.inject({
      method: 'POST',
      url: '/v1/events',
      headers,
      payload: JSON.stringify(events),
    });
    expect(answer.statusCode).toBe(202);
    for (let turn = 0; turn < 200; turn += 1) await setImmediate();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.#door.close();
  }

  get lines(): readonly Line[] {
    return this.texts.map((text): Line => JSON.parse(text));
  }
}

function act(id: string, type: string, data: object, more: object = {}): object {
  const envelope = { specversion: '1.0', id, source: 'ops', type, subject: 'acme', time: '2026-05-04T09:00:00.000Z' };
  return { ...envelope, ...more, data };
}

const HISTORY = [
  act(
    'p1',
    'prices.published',
    { effective_from: '2026-05-01T00:00:00.000Z', gpu_hour: { h100: '2.00' } },
    { subject: undefined },
  ),
  act('a1', 'account.opened', {}),
  act('g1', 'credits.granted', { grant_id: 'g1', amount: '0.10', kind: 'paid' }),
];

async function logsOf(level: Level): Promise<Pipeline> {
  const pipeline = new Pipeline(level);
  await pipeline.start();
  await pipeline.send(...HISTORY);
  await pipeline.send(usage('s1'), usage('bad', {}, { gpus: -1 }));
  await pipeline.stop();
  return pipeline;
}

describe('logs', () => {
  test('one sample is followed by its id from the door to the commands that came of it', async () => {
    const { lines } = await logsOf('debug');
    const taken = lines.find(({ service, event }) => service === 'ingest' && event === 'agent/1/s1');
    expect(taken).toMatchObject({ msg: 'event taken', account: 'acme', partition: 0, offset: 3 });
    const rated = lines.find(({ service, event }) => service === 'rater' && event === 'agent/1/s1');
    expect(rated).toMatchObject({ msg: 'event rated', account: 'acme', outcome: 'applied', partition: 0, offset: 3 });
    expect(rated).toMatchObject({
      lines: ['c/acme/c1/n1/1777888800000/0'],
      updates: [{ account: 'acme', sequence: 3 }],
    });
    expect(rated?.entries).toHaveLength(1);
    const followed = lines.filter(({ service, event_offset }) => service === 'enforcer' && event_offset === 3);
    expect(followed[0]).toMatchObject({ msg: 'update comes', account: 'acme', sequence: 3, standing: 'exhausted' });
    expect(followed.slice(1)).toContainEqual(
      expect.objectContaining({ msg: 'command issued', command: 'alert', alert: 'credits_exhausted', account: 'acme' }),
    );
    expect(lines.find(({ event }) => event === 'agent/1/bad')).toMatchObject({
      msg: 'event refused',
      reason: 'invalid_field',
    });
  });

  test('nothing is told of single events unless it is asked for', async () => {
    const { lines } = await logsOf('info');
    expect(lines.filter(({ msg }) => /^(event|update|command) /.test(msg))).toEqual([]);
    expect(lines.map(({ msg }) => msg)).toContain('rater started');
  });

  test('no key and no body of an event is in any line', async () => {
    const { texts } = await logsOf('trace');
    const all = texts.join('');
    expect(all).not.toContain(bearer('operator').authorization.slice('Bearer '.length));
    expect(all).not.toMatch(/gpu_type|"h100"|"0\.10"/);
  });

  test('a secret that comes along is left out, by the name of its field or in the words of a fault', () => {
    const said: string[] = [];
    const logger = jsonLogger({ level: 'info', base: null }, { write: (text) => void said.push(text) });
    const fault = Object.assign(new Error('http://tollgate:hunter2@clickhouse:8123 refused'), {
      command: { name: 'auth', args: ['tollgate', 'hunter2'] },
      config: { headers: { Authorization: 'Basic aHVudGVyMg==' } },
    });
    logger.error({ err: fault }, 'cannot connect');
    logger.warn({ headers: { authorization: 'Bearer hunter2' }, sasl: { password: 'hunter2' } }, 'kafka');
    logger.info({ settings: { TOLLGATE_REDIS_PASSWORD: 'hunter2', TOLLGATE_REDIS_PREFIX: 'tollgate' } }, 'read');
    logger.info('asked with Authorization: Bearer hunter2, see redis://:hunter2@127.0.0.1:6379/0');
    expect(said.join('')).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(said.join('')).toContain('"TOLLGATE_REDIS_PREFIX":"tollgate"');
    expect(JSON.parse(said[0] ?? '')).toMatchObject({ err: { message: 'http://[secret]@clickhouse:8123 refused' } });
  });
});
