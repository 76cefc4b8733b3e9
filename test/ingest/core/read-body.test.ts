import { describe, expect, it } from 'vitest';
import { type BodyForm, type BodyLimits, type EventsRead, readBody } from '../../../services/ingest/core/read-body.ts';

const LIMITS: BodyLimits = { eventsMax: 3, depthMax: 4, valuesMax: 100 };
const DEEP = `${'['.repeat(5)}${']'.repeat(5)}`;

function events(form: BodyForm, text: string): EventsRead {
  const read = readBody(form, text, LIMITS);
  if (read.kind !== 'events') throw new Error(`${read.kind}: ${read.detail}`);
  return read;
}

function fault(form: BodyForm, text: string): string {
  return readBody(form, text, LIMITS).kind;
}

describe('readBody', () => {
  it('reads one event, and refuses the body if it is no JSON or too deep', () => {
    expect(events('single', ' {"a":1}\n').items).toEqual([{ kind: 'value', value: { a: 1 } }]);
    for (const text of ['', '{', '{}{}', DEEP, '\ufeff{}', "{'a':1}"])
      expect([text, fault('single', text)]).toEqual([text, 'not_json']);
  });

  it('reads a batch, and refuses it whole if it is no JSON array', () => {
    expect(events('batch', '[]').items).toEqual([]);
    expect(events('batch', '[1,{"a":[2]}]').items).toHaveLength(2);
    for (const text of ['', '{}', '1', '[', '[1,]', '[1,}', 'null'])
      expect([text, fault('batch', text)]).toEqual([text, 'not_json']);
  });

  it('reads lines, skips blank ones, and lets each be wrong by itself', () => {
    const read = events('lines', '\n{"a":1}\r\n  \n{"a":\n\t\n[2]');
    expect(read.items.map((item) => item.kind)).toEqual(['value', 'fault', 'value']);
    expect([0, 1, 2].map((index) => read.sent(index))).toEqual(['{"a":1}\r', '{"a":', '[2]']);
    expect(events('lines', '').items).toEqual([]);
  });

  it('lets one event of a batch be too deep by itself, and knows the text of each', () => {
    const read = events('batch', ` [ {"a": 1} , ${DEEP}, [2,"]"] ] `);
    expect(read.items.map((item) => item.kind)).toEqual(['value', 'fault', 'value']);
    expect([0, 1, 2].map((index) => read.sent(index))).toEqual(['{"a": 1}', DEEP, '[2,"]"]']);
    expect(fault('batch', `[{"a":,${DEEP}]`)).toBe('not_json');
    expect(fault('batch', `[1,${DEEP}`)).toBe('not_json');
    expect(fault('batch', `[1,[[[[["\\x"]]]]]]`)).toBe('not_json');
    expect(fault('batch', `[${'['.repeat(99)}${']'.repeat(99)}]`)).toBe('too_many_values');
  });

  it('knows the exact text of an event in a batch', () => {
    const read = events('batch', '[{"a":1e400, "a":2},\n 10000000000000000001]');
    expect([read.sent(0), read.sent(1)]).toEqual(['{"a":1e400, "a":2}', '10000000000000000001']);
  });

  it('is bounded by events and by values', () => {
    expect(events('batch', '[1,2,3]').items).toHaveLength(3);
    expect(fault('batch', '[1,2,3,4]')).toBe('too_many_events');
    expect(fault('lines', '1\n2\n3\n4')).toBe('too_many_events');
    expect(fault('batch', `[[${'0,'.repeat(100)}0]]`)).toBe('too_many_values');
    expect(fault('lines', `[${'0,'.repeat(60)}0]\n[${'0,'.repeat(60)}0]`)).toBe('too_many_values');
    expect(fault('single', `[${'0,'.repeat(100)}0]`)).toBe('too_many_values');
  });
});
