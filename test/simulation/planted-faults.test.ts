import { describe, expect, test } from 'vitest';
import { PLANTED } from './planted.ts';
import { simulate } from './simulate.ts';

const SEED = 1;
/** Each fault is to be found within so many seeds; most show in the first. */
const RUNS = 60;

describe(`planted faults of stores and of their order are found (seeds ${SEED} to ${SEED + RUNS - 1})`, () => {
  for (const { name, tamper, settings } of PLANTED) {
    test(name, async () => {
      for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
        const { faults } = await simulate(seed, settings, tamper);
        if (faults.length > 0) return;
      }
      expect.fail(`not found by any of ${RUNS} seeds`);
    }, 120_000);
  }
});
