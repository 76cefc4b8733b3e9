import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../services/shared/duration.ts';
import {
  formatInstant,
  LAST_INSTANT,
  monthEnd,
  monthOf,
  monthStart,
  parseInstant,
} from '../../services/shared/time.ts';

const SEED = 20260504;

describe('U1: instants', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00.000Z', 0],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1969-12-31T23:00:00-01:00', 0],
    ['2026-05-04T10:00:00.1Z', Date.UTC(2026, 4, 4, 10, 0, 0, 100)],
    ['2026-05-04T10:00:00.1239999Z', Date.UTC(2026, 4, 4, 10, 0, 0, 123)],
    ['2026-05-04t10:00:00z', Date.UTC(2026, 4, 4, 10)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['9999-12-31T23:59:59.999Z', LAST_INSTANT],
    [0, 0],
    [LAST_INSTANT, LAST_INSTANT],
  ])('U1: %j is %d ms', (given, at) => {
    expect(parseInstant(given)).toBe(at);
  });

  test.each([
    '',
    '2026-05-04',
    '2026-05-04 10:00:00Z',
    '2026-05-04T10:00:00',
    '2026-05-04T24:00:00Z',
    '2026-05-04T10:60:00Z',
    '2026-05-04T10:00:60Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-01T00:00:00.000Z',
    '2026-05-00T00:00:00.000Z',
    '2026-05-04T10:00:00+24:00',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59.999-00:01',
    '+010000-01-01T00:00:00Z',
    -1,
    0.5,
    LAST_INSTANT + 1,
    Number.NaN,
    '0',
    null,
    {},
  ])('U1: %j is no instant', (given) => {
    expect(parseInstant(given)).toBeUndefined();
  });

  test(`U1: what is written is RFC 3339 with milliseconds and Z, and read back (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAST_INSTANT }), (at) => {
        const text = formatInstant(at);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(Date.parse(text)).toBe(at);
        expect(parseInstant(text)).toBe(at);
        expect(monthOf(at)).toBe(text.slice(0, 7));
        expect(monthStart(monthOf(at)) <= at && at < monthEnd(monthOf(at))).toBe(true);
      }),
      { seed: SEED },
    );
  });

  test('R8: months follow one another without a gap', () => {
    for (const [month, next] of [
      ['2026-12', '2027-01'],
      ['2024-02', '2024-03'],
      ['2026-02', '2026-03'],
    ] as const) {
      expect(monthEnd(month)).toBe(monthStart(next));
    }
  });
});

describe('N1: durations', () => {
  test.each([
    ['30s', 30_000],
    ['15m', 900_000],
    ['72h', 259_200_000],
    ['14d', 1_209_600_000],
    ['36500d', 3_153_600_000_000],
    ['999999s', 999_999_000],
  ])('N1: %s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '5', 'm', '1.5h', '-1h', '1 h', '1w', '36501d', '1000000s', '0x1s', 60, null])(
    'N1: %j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});
