import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokenBy } from './support/judge.ts';
import { histories } from './support/steps.ts';

const SEED = 20_260_504;
const RUNS = 400;

test(`L1-L6, N3-N8: hold of ${RUNS} random histories (seed ${SEED})`, () => {
  fc.assert(
    fc.property(histories(60), (history) => {
      expect(brokenBy(history)).toEqual([]);
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
