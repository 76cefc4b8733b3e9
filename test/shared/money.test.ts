import { Decimal } from 'decimal.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../services/rater/core/quantities.ts';
import { formatAmount, formatPrice, parseAmount, parsePrice, readAmount } from '../../services/shared/money.ts';

const SEED = 20260504;
const exact = Decimal.clone({ precision: 80 });

describe('U2: amounts', () => {
  test.each([
    ['0', 0n],
    ['12', 12_000_000_000n],
    ['12.5', 12_500_000_000n],
    ['0.000000001', 1n],
    ['999999999999.999999999', 999_999_999_999_999_999_999n],
    ['000000000012', 12_000_000_000n],
  ])('U2: %s USD is %s nanos', (text, nanos) => {
    expect(parseAmount(text)).toBe(nanos);
  });

  test.each([
    '',
    '-1',
    '+1',
    '1e3',
    '1.',
    '.5',
    ' 1',
    '1 ',
    '1,5',
    '0x10',
    '1234567890123',
    '1.1234567890',
    'NaN',
    '１２',
    12,
    null,
    undefined,
    {},
    ['12'],
  ])('U2: %j is no amount', (value) => {
    expect(parseAmount(value)).toBeUndefined();
  });

  test(`U2: an amount written and read is the same, as decimal.js writes it (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 28n), max: 10n ** 28n }), (nanos) => {
        expect(formatAmount(nanos)).toBe(
          new exact(nanos.toString())
            .div('1e9')
            .toFixed(9)
            .replace(/^-(0\.0+)$/, '$1'),
        );
        expect(readAmount(formatAmount(nanos))).toBe(nanos);
      }),
      { seed: SEED },
    );
  });

  test('U2: what is no written amount is not read as one', () => {
    for (const text of ['1', '1.5', '1.0000000000', '--1.000000000', '']) expect(() => readAmount(text)).toThrow();
  });
});

describe('U3: prices', () => {
  test.each([
    ['3.49', 3_490_000n, '3.490000'],
    ['0', 0n, '0.000000'],
    ['0.000001', 1n, '0.000001'],
    ['999999999999.999999', 999_999_999_999_999_999n, '999999999999.999999'],
  ])('U3: %s is %s millionths, written as %s', (text, micros, written) => {
    expect(parsePrice(text)).toBe(micros);
    expect(formatPrice(micros)).toBe(written);
  });

  test.each(['0.0000001', '1234567890123', '-1', '3.', 3.49])('U3: %j is no price', (value) => {
    expect(parsePrice(value)).toBeUndefined();
  });
});

test(`U4: q GPU-ms at m millionths cost q*m/3600 nanos, q GiB-ms q*m/2628000, rounded down (seed ${SEED})`, () => {
  const quantity = fc.bigInt({ min: 0n, max: 10n ** 21n });
  const price = fc.bigInt({ min: 0n, max: 10n ** 18n });
  fc.assert(
    fc.property(quantity, price, (q, m) => {
      const usd = new exact(m.toString()).div('1e6').times(q.toString());
      const hours = usd.div(3_600_000).times('1e9').floor();
      const months = usd.div(3_600_000).div(730).times('1e9').floor();
      expect(costOf(q, m, 'gpu_hour')).toBe(BigInt(hours.toFixed(0)));
      expect(costOf(q, m, 'gib_month')).toBe(BigInt(months.toFixed(0)));
    }),
    { seed: SEED },
  );
});
