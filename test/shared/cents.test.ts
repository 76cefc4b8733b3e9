import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centsOf, formatCents, roundToCents } from '../../services/shared/cents.ts';

const CENT = 10_000_000n;

describe('F2: in whole cents an invoice adds up', () => {
  test.each([
    { what: 'no line', amounts: [], cents: [], total: 0n },
    { what: 'whole cents stay', amounts: [5n * CENT, 0n], cents: [5n, 0n], total: 5n },
    { what: 'half a cent goes away from zero', amounts: [CENT / 2n], cents: [1n], total: 1n },
    { what: 'a nano below half does not', amounts: [CENT / 2n - 1n], cents: [0n], total: 0n },
    {
      what: 'three thirds make the cent, the first line has it',
      amounts: [CENT / 3n, CENT / 3n, CENT / 3n + 1n],
      cents: [0n, 0n, 1n],
      total: 1n,
    },
    {
      what: 'the largest remainder first',
      amounts: [4n, 6n, 5n].map((tenth) => (tenth * CENT) / 10n),
      cents: [0n, 1n, 1n],
      total: 2n,
    },
    {
      what: 'ties in line order',
      amounts: [5n, 5n, 5n, 5n].map((tenth) => (tenth * CENT) / 10n),
      cents: [1n, 1n, 0n, 0n],
      total: 2n,
    },
    { what: 'a debt is rounded like a credit', amounts: [-CENT / 2n], cents: [-1n], total: -1n },
  ])('$what', ({ amounts, cents, total }) => {
    expect(roundToCents(amounts)).toEqual({ cents, totalCents: total });
  });

  test('no line is a cent or more away from its amount, and the lines are the total (seed 20260504)', () => {
    const amounts = fc.array(fc.bigInt({ min: -50n * CENT, max: 50n * CENT }), { maxLength: 30 });
    fc.assert(
      fc.property(amounts, (given) => {
        const { cents, totalCents } = roundToCents(given);
        expect(cents.reduce((sum, one) => sum + one, 0n)).toBe(totalCents);
        expect(totalCents).toBe(centsOf(given.reduce((sum, one) => sum + one, 0n)));
        for (const [index, one] of cents.entries()) {
          const away = one * CENT - (given[index] ?? 0n);
          expect(away > -CENT && away <= CENT).toBe(true);
        }
      }),
      { seed: 20260504, numRuns: 2000 },
    );
  });

  test.each([
    [0n, '0.00'],
    [5n, '0.05'],
    [-5n, '-0.05'],
    [123456n, '1234.56'],
  ])('%s cents are written %s', (cents, text) => {
    expect(formatCents(cents)).toBe(text);
  });
});
