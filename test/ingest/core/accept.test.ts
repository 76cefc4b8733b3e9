import { describe, expect, it } from 'vitest';
import { type AcceptRules, accept } from '../../../services/ingest/core/accept.ts';
import { ROLES, type Role } from '../../../services/ingest/core/permissions.ts';
import { DATA, eventOf, type Json, sender, usage } from '../harness.ts';

const RULES: AcceptRules = { logTime: 'append', recordCharsMax: 100_000 };
const OPERATOR = sender('operator');

function recordOf(value: unknown, rules = RULES): string {
  const verdict = accept(value, OPERATOR, rules);
  if (verdict.kind === 'refused') throw new Error(`${verdict.reason}: ${verdict.detail}`);
  return verdict.text;
}

function reasonOf(value: unknown, from = OPERATOR, rules = RULES): string {
  const verdict = accept(value, from, rules);
  return verdict.kind === 'refused' ? verdict.reason : 'accepted';
}

describe('the record of an accepted event', () => {
  it('E: has the members of the envelope in one order, without time and without others', () => {
    const sent = { time: 'yesterday', extra: 1, data: { cluster_id: 'c1' }, subject: 'a', type: 'cluster.provisioned' };
    expect(recordOf({ ...sent, source: 's', id: 'i', specversion: '1.0' })).toBe(
      '{"specversion":"1.0","id":"i","source":"s","type":"cluster.provisioned","subject":"a","data":{"cluster_id":"c1"}}',
    );
  });

  it('E: has no subject where the event concerns all accounts, and {} where data is absent', () => {
    const tick = { specversion: '1.0', id: 'i', source: 's', type: 'clock.tick' };
    expect(recordOf(tick)).toBe('{"specversion":"1.0","id":"i","source":"s","type":"clock.tick","data":{}}');
  });

  it('E1: never says forwarded, whatever was sent', () => {
    for (const forwarded of [true, false, 'true', 1]) {
      expect(recordOf(eventOf('prices.published', 'p1', { forwarded }))).not.toContain('forwarded');
    }
  });

  it('E3: holds data as it was sent, in its order', () => {
    const data =
      '{"start":1777888800000,"volume_id":"v","tags":{"10":"x","2":"y\\ud83d\\ude00"},"end":"2026-05-05T00:00:00+02:00","size_gib":1}';
    const sent = `{"specversion":"1.0","id":"i","source":"s","type":"usage.storage","subject":"a","data":${data}}`;
    const kept: unknown = JSON.parse(recordOf(JSON.parse(sent)));
    expect(kept).toEqual(JSON.parse(sent));
  });

  it('E: carries a source of any characters', () => {
    for (const source of ['https://a/b?c#d', '"\\\u0000\n', '\u2028', '\ud83d\ude00', '__proto__', ' ']) {
      const kept: unknown = JSON.parse(recordOf(usage('i', { source })));
      expect(kept).toMatchObject({ source });
    }
  });

  it('E: holds ids and gpu types named like members of every object', () => {
    const prices = JSON.parse('{"__proto__":"1","constructor":"2","toString":"3"}') as Json;
    const event = eventOf('prices.published', '__proto__', { data: { effective_from: 0, gpu_hour: prices } });
    expect(recordOf(event)).toContain('"gpu_hour":{"__proto__":"1","constructor":"2","toString":"3"}');
    expect(reasonOf(usage('constructor', { subject: '__proto__' }, { cluster_id: '__proto__' }))).toBe('accepted');
  });

  it('is bounded: past record_chars_max it is malformed', () => {
    const text = recordOf(usage('i'));
    expect(reasonOf(usage('i'), OPERATOR, { ...RULES, recordCharsMax: text.length })).toBe('accepted');
    expect(reasonOf(usage('i'), OPERATOR, { ...RULES, recordCharsMax: text.length - 1 })).toBe('malformed');
  });

  it('U1: has its own time where the log takes that, and must then have one', () => {
    const own: AcceptRules = { ...RULES, logTime: 'event' };
    expect(accept(usage('i'), OPERATOR, own)).toMatchObject({ kind: 'accepted', at: 1_777_888_860_000 });
    expect(accept(usage('i'), OPERATOR, RULES)).toMatchObject({ kind: 'accepted', at: undefined });
    expect(reasonOf(usage('i', { time: undefined }), OPERATOR, own)).toBe('malformed');
    expect(reasonOf(usage('i', { time: undefined }), OPERATOR, RULES)).toBe('accepted');
  });
});

describe('what is refused', () => {
  it('E4: malformed comes before unknown_type, and that before invalid_field', () => {
    expect(reasonOf({ ...eventOf('nothing'), id: '' })).toBe('malformed');
    expect(reasonOf(eventOf('nothing', 'e', { data: 5 }))).toBe('unknown_type');
    expect(reasonOf({ ...usage('e'), data: { wrong: 1 } })).toBe('invalid_field');
  });

  it('E4: is malformed if it is no envelope', () => {
    for (const value of [null, 1, '', 'x', true, [], [usage('e')], {}, { ...usage('e'), specversion: '0.3' }]) {
      expect(reasonOf(value)).toBe('malformed');
    }
    for (const subject of [undefined, null, 5, '', 'a b', 'a'.repeat(129)]) {
      expect(reasonOf(usage('e', { subject }))).toBe('malformed');
    }
    expect(reasonOf(eventOf('prices.published', 'e', { subject: 'acme' }))).toBe('malformed');
  });

  it('E4: holds no half of a surrogate pair, which no log can keep', () => {
    expect(reasonOf(usage('e', { source: '\ud800' }))).toBe('malformed');
    expect(reasonOf(usage('e', {}, { tags: { a: '\udc00' } }))).toBe('invalid_field');
  });

  it('E4: leaves to the rater what only the log can tell: intervals, times, accounts', () => {
    const at = '2026-05-04T10:00:00.000Z';
    expect(reasonOf(usage('e', {}, { start: at, end: at }))).toBe('accepted');
    expect(reasonOf(usage('e', {}, { start: at, end: '2026-05-04T09:00:00.000Z' }))).toBe('accepted');
    expect(reasonOf(usage('e', {}, { start: 0, end: 253_402_300_799_999 }))).toBe('accepted');
    expect(reasonOf(usage('e', { subject: 'never-opened' }))).toBe('accepted');
  });

  it('bounds what it says', () => {
    const verdict = accept(usage('e', {}, { ['x'.repeat(100_000)]: 1 }), OPERATOR, RULES);
    expect(verdict.kind === 'refused' && verdict.detail.length).toBeLessThan(600);
  });

  it('says who it was as far as that can be read', () => {
    expect(accept({ id: 'i', source: 's', subject: 'a' }, OPERATOR, RULES)).toMatchObject({
      id: 'i',
      source: 's',
      account: 'a',
    });
    expect(accept({ id: 5, source: {}, subject: ' ' }, OPERATOR, RULES)).toMatchObject({
      id: undefined,
      source: undefined,
      account: undefined,
    });
  });
});

describe('who may send what', () => {
  const MAY: Readonly<Record<Role, (type: string) => boolean>> = {
    agent: (type) => type.startsWith('usage.'),
    'control-plane': (type) => /^(cluster|volume)\./.test(type),
    operator: () => true,
  };

  for (const role of ROLES) {
    it(`E: ${role} sends its types and no others`, () => {
      for (const type of DATA.keys()) {
        expect([type, reasonOf(eventOf(type), sender(role))]).toEqual([
          type,
          MAY[role](type) ? 'accepted' : 'forbidden',
        ]);
      }
    });
  }

  it('E: a key for some accounts sends for these only', () => {
    const mine = sender('agent', ['acme', '__proto__']);
    expect(reasonOf(usage('e'), mine)).toBe('accepted');
    expect(reasonOf(usage('e', { subject: '__proto__' }), mine)).toBe('accepted');
    for (const subject of ['acme2', 'constructor', 'ACME'])
      expect(reasonOf(usage('e', { subject }), mine)).toBe('forbidden');
  });

  it('E: what concerns all accounts takes a key for all of them', () => {
    for (const type of ['prices.published', 'clock.tick']) {
      expect(reasonOf(eventOf(type), sender('operator', ['acme']))).toBe('forbidden');
    }
    expect(reasonOf(eventOf('policy.set'), sender('operator', ['acme']))).toBe('accepted');
  });

  it('tells who may not send a type that, and not what is wrong with its data', () => {
    expect(reasonOf(eventOf('credits.granted', 'e', { data: {} }), sender('agent'))).toBe('forbidden');
    expect(reasonOf({ ...usage('e', { subject: 'other' }), data: {} }, sender('agent', ['acme']))).toBe('forbidden');
    expect(reasonOf({ ...usage('e'), data: {} }, sender('agent', ['acme']))).toBe('invalid_field');
  });
});
