import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { runModel } from '../model/model.ts';
import { type Census, census, printCensus } from './census.ts';
import { generateHistory, historyArbitrary } from './history.ts';

test('L10: the same seed and options give the same history', () => {
  for (let seed = 0; seed < 50; seed++) {
    expect(generateHistory(seed)).toEqual(generateHistory(seed));
    expect(generateHistory(seed, { noise: 0.5, accountsMax: 1 })).toEqual(
      generateHistory(seed, { noise: 0.5, accountsMax: 1 }),
    );
  }
  expect(generateHistory(1)).not.toEqual(generateHistory(2));
});

test('a failing history is shrunk to the lines that matter', () => {
  const bad = (line: string) => line.includes('"credits.granted"');
  const result = fc.check(
    fc.property(historyArbitrary(), ({ lines }) => lines.filter(bad).length < 2),
    { seed: 7, numRuns: 50 },
  );
  const [smallest] = result.counterexample ?? [];
  expect(smallest?.lines).toHaveLength(2);
  expect(smallest?.lines.every(bad)).toBe(true);
  expect(smallest?.until).toBeUndefined();
});

const expected = [
  'usage.gpu usage.storage account.opened policy.set credits.granted reservation.purchased reservation.extended',
  'reservation.cancelled cluster.provisioned cluster.decommissioned volume.created volume.decommissioned',
  'prices.published contract.priced clock.tick',
];
const reasons = [
  'malformed unknown_type invalid_field interval_invalid interval_too_long in_future too_late unknown_account conflict',
  'no_price retroactive_price unknown_reservation not_allowed insufficient_credits',
];
const names = [
  ...prefixed('event', expected.join(' ')),
  ...prefixed('reason', reasons.join(' ')),
  ...prefixed('category', 'reserved burst on_demand storage correction'),
  ...prefixed('ledger', 'grant usage reservation expiry refund'),
  ...prefixed('level', 'active low exhausted'),
];

function prefixed(prefix: string, words: string): string[] {
  return words.split(' ').map((word) => `${prefix} ${word}`);
}

test('E, E4, R4, C5: everything comes up in 400 histories, which have 40 events and more at the median', () => {
  const counts: Census = new Map();
  const lengths: number[] = [];
  for (let seed = 0; seed < 400; seed++) {
    const { lines, until } = generateHistory(seed);
    lengths.push(lines.length);
    census(lines, runModel(lines, until), counts);
  }
  lengths.sort((a, b) => a - b);
  expect(lengths[200]).toBeGreaterThanOrEqual(40);
  const rare = names.filter((name) => (counts.get(name) ?? 0) < 30);
  expect(rare, printCensus(counts)).toEqual([]);
});
