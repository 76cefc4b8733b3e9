import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accept } from '../../../services/ingest/core/accept.ts';
import type { Command } from '../../../services/shared/contracts/command.ts';
import { commandLine } from '../../../services/shared/contracts/command-line.ts';
import { forwardedText } from '../../../services/shared/contracts/event-record.ts';
import { operationText } from '../../../services/shared/contracts/operation.ts';
import { parseEvent } from '../../../services/shared/contracts/parse-event.ts';
import { LAST_INSTANT } from '../../../services/shared/time.ts';
import { TOPICS, type Topic } from '../../../services/shared/topics.ts';
import { bytesOf, openWire } from './open.ts';

const { wire } = await openWire();
const OPERATOR = { keyId: 'op', role: 'operator', accounts: 'all' } as const;
const RULES = { logTime: 'append', recordCharsMax: 1 << 20 } as const;
const TIME = 1_777_888_800_000;

/** Any text, halves of surrogate pairs and `__proto__` too. */
const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('__proto__', '7', '07', 'ä\ud800', '\udfff', '"\\\n', '😀'),
);
const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/);
const at = fc.oneof(
  fc.integer({ min: 0, max: LAST_INSTANT }),
  fc.integer({ min: 0, max: 2e9 }).map((s) => s * 1000),
);
const time = at.chain((ms) => {
  const iso = new Date(ms).toISOString();
  return fc.constantFrom<string | number>(
    ms,
    iso,
    iso.replace('.000Z', 'Z'),
    iso.replace('Z', '+00:00'),
    iso.toLowerCase(),
  );
});
const tags = fc.dictionary(fc.oneof(id, anyText), anyText, { maxKeys: 17 });
const usage = fc
  .record(
    {
      cluster_id: id,
      node_id: id,
      gpu_type: id,
      gpus: fc.integer({ min: -1, max: 1026 }),
      start: time,
      end: time,
      tags,
    },
    { requiredKeys: ['cluster_id', 'node_id', 'gpu_type', 'gpus', 'start', 'end'] },
  )
  .chain((data) => fc.constantFrom(data, reversed(data), { ...data, more: 1 }));
const storage = fc.record(
  { volume_id: id, size_gib: fc.integer({ min: 0, max: 2 ** 40 + 1 }), start: time, end: time, tags },
  { requiredKeys: ['volume_id', 'size_gib', 'start', 'end'] },
);
const sentEvent = fc.oneof(
  fc.record({ type: fc.constant('usage.gpu'), data: usage }),
  fc.record({ type: fc.constant('usage.storage'), data: storage }),
  fc.record({ type: fc.constantFrom('usage.gpu', 'policy.set', 'clock.tick', 'no.such'), data: fc.jsonValue() }),
);

function reversed(data: object): object {
  return Object.fromEntries(Object.entries(data).reverse());
}

function comesBack(topic: Topic, text: string): Buffer {
  const encoded = bytesOf(wire.encode(topic, text));
  expect(wire.decode(topic, encoded)).toBe(text);
  return encoded;
}

function eventComesBack(text: string): void {
  const decoded = wire.decodeEvent(comesBack(TOPICS.events, text), TIME);
  expect(decoded.text()).toBe(text);
  expect(plain(decoded.event)).toEqual(plain(parseEvent(JSON.parse(text), TIME)));
}

/** With what a getter gives as a member of its own, and maps as pairs, whose order counts. */
function plain(event: ReturnType<typeof parseEvent>): unknown {
  if ('reason' in event) return event;
  const { id, source, subject, time, forwarded, data } = event.envelope;
  const pairs = 'tags' in event.body && event.body.tags !== undefined ? [...event.body.tags] : undefined;
  return { envelope: { id, source, subject, time, forwarded, data }, body: event.body, pairs };
}

describe('what is in the log comes back to the letter, however it was sent', () => {
  test('events that the door lets in, usage in every form of time and order', () => {
    fc.assert(
      fc.property(sentEvent, id, anyText, id, ({ type, data }, eventId, source, subject) => {
        const about = type === 'clock.tick' ? {} : { subject };
        const value = JSON.parse(JSON.stringify({ specversion: '1.0', id: eventId, source, type, ...about, data }));
        const accepted = accept(value, OPERATOR, RULES);
        if (accepted.kind === 'accepted') eventComesBack(accepted.text);
      }),
      { numRuns: 1000 },
    );
  });

  test('usage as most agents send it is typed, and takes a third of the bytes', () => {
    const text = (start: string, end: string, rest: string) =>
      `{"specversion":"1.0","id":"n17:1777888800000","source":"agent/n17","type":"usage.gpu","subject":"acme","data":{"cluster_id":"c1","node_id":"n17","gpu_type":"h100","gpus":8,"start":${start},"end":${end}${rest}}}`;
    for (const [start, end] of [
      ['"2026-05-04T10:00:00Z"', '"2026-05-04T10:01:00Z"'],
      ['"2026-05-04T10:00:00.000Z"', '1777888860000'],
    ] as const) {
      const line = text(start, end, ',"tags":{"team":"vision","b":"ä","__proto__":"x"}');
      eventComesBack(line);
      expect(bytesOf(wire.encode(TOPICS.events, line)).length).toBeLessThan(line.length / 2);
    }
  });

  test('text that only looks like an event of the log is not written', () => {
    for (const text of ['{}', '[]', '{"specversion":"1.0","id":"a"}']) {
      expect(() => wire.encode(TOPICS.events, text)).toThrow('no record of metering.events');
    }
    expect(() => wire.encode(TOPICS.updates, '{"kind":"watermark","partition":0}')).toThrow();
  });

  test('E1: prices that are passed on', () => {
    const data = '{"effective_from":"2026-05-04T10:00:00Z","gpu_hour":{"9090":"1.5","h100":"2.49"}}';
    const price = `{"specversion":"1.0","id":"p1","source":"ops","type":"prices.published","data":${data}}`;
    eventComesBack(price);
    eventComesBack(forwardedText(price));
  });

  test('K: commands with every member, whatever the names of gpu types are', () => {
    const subject = fc.record({ kind: fc.constantFrom('account', 'cluster', 'volume'), id }) as fc.Arbitrary<
      Command['resource']
    >;
    const amount = fc.bigInt({ min: -(10n ** 36n), max: 10n ** 36n });
    const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
    const count = fc.nat();
    const action = fc.record({
      resource: subject,
      command: fc.constant('pause' as const),
      scope: fc.constant('burst' as const),
      gpus: optional(count),
      at,
    });
    const detail = fc.record(
      {
        actions: fc.array(action, { maxLength: 3 }),
        paused: fc.array(id, { maxLength: 3 }),
        resumesAtNanos: amount,
        thresholdMs: count,
        burnRateNanos: amount,
        endsAt: at,
        follows: fc.constantFrom('decommission' as const, 'nothing' as const),
        burstGpus: count,
        burstCostNanos: amount,
        expiresAt: at,
        overdueCommand: fc.constant('revoke' as const),
        overdueAttempt: count,
        why: fc.constantFrom('input_stale' as const, 'brake' as const),
      },
      { requiredKeys: [] },
    );
    const command: fc.Arbitrary<Command> = fc.record({
      commandId: id,
      command: fc.constantFrom('alert', 'pause', 'decommission'),
      alert: optional(fc.constantFrom('credits_low' as const, 'action_reminder' as const)),
      accountId: id,
      resource: subject,
      scope: optional(fc.constantFrom('cluster' as const, 'burst' as const)),
      gpus: optional(count),
      keep: optional(
        fc
          .array(fc.tuple(fc.oneof(id, fc.constantFrom('9', '10', '__proto__')), count), { maxLength: 4 })
          .map((pairs) => new Map(pairs)),
      ),
      reason: fc.constantFrom('credits_exhausted', 'reserved'),
      noticeId: optional(id),
      episode: optional(count),
      sequence: count,
      attempt: count,
      issuedAt: at,
      balanceNanos: amount,
      audience: fc.constantFrom('customer', 'operator'),
      detail: optional(detail),
    });
    fc.assert(
      fc.property(command, (one) => void comesBack(TOPICS.compute, commandLine(one))),
      { numRuns: 500 },
    );
  });

  test('E4: rejections of both kinds, with any text', () => {
    const event = fc.record({ encoding: fc.constantFrom('json', 'text', 'base64'), text: anyText });
    fc.assert(
      fc.property(anyText, event, fc.nat(), fc.boolean(), at, (detail, sent, offset, truncated, receivedAt) => {
        const origin = { partition: 3, offset };
        comesBack(TOPICS.rejected, JSON.stringify({ reason: 'malformed', detail, origin, event: sent }));
        const door = { sent_by: 'key', received_at: new Date(receivedAt).toISOString() };
        comesBack(
          TOPICS.rejected,
          JSON.stringify({ reason: 'forbidden', detail, origin: door, truncated, event: sent }),
        );
      }),
    );
  });

  test('N11: what an operator does, with any reason', () => {
    fc.assert(
      fc.property(anyText, fc.option(id, { nil: undefined }), at, (why, accountId, when) => {
        const target = accountId === undefined ? 'all' : { accountId };
        comesBack(TOPICS.operations, operationText({ act: 'hold', target, by: 'op', why, actId: 'a1', at: when }));
      }),
    );
  });
});
