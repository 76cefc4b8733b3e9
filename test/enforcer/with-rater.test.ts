import { expect, test } from 'vitest';
import { generateHistory } from '../histories/history.ts';
import { brokenByInputs } from './support/judge.ts';
import { ratedInputs } from './support/rated.ts';

const SEEDS = 150;
/** Histories that once broke a law, or showed that a law was wrong. */
const KEPT: readonly number[] = [61, 96, 407, 5680, 5700, 5802, 5969];

test(`L1-L6, N2-N8: hold of what the rater tells of ${SEEDS} histories of simulated customers`, () => {
  const seeds = [...KEPT, ...Array.from({ length: SEEDS }, (_, index) => 1_000_000 + index)];
  for (const seed of seeds) {
    expect(brokenByInputs(ratedInputs(generateHistory(seed))), `seed ${seed}`).toEqual([]);
  }
});
