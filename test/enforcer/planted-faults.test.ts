import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULTS } from './support/faults.ts';
import { brokenBy } from './support/judge.ts';
import { histories } from './support/steps.ts';

const SEED = 4_711;
/** Each fault is to be caught within so many histories; most take fewer than ten. */
const RUNS = 3_000;

describe(`planted faults: each is caught by the laws (seed ${SEED})`, () => {
  test('there are enough of them, and no name twice', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(12);
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });

  for (const { name, breaks, rules } of FAULTS) {
    test(name, () => {
      let heard: readonly string[] = [];
      fc.check(
        fc.property(histories(60), (history) => {
          const broken = faultOf(() => brokenBy(history, rules)).filter((what) => breaks.test(what));
          if (broken.length > 0) heard = broken;
          return broken.length === 0;
        }),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      );
      expect(heard.length, `nothing like ${breaks} was heard`).toBeGreaterThan(0);
    });
  }
});

/** A fault may also end in an error of the fold: that is not what catches it here, the laws have to. */
function faultOf(run: () => readonly string[]): readonly string[] {
  try {
    return run();
  } catch (fault) {
    return [`threw: ${String(fault)}`];
  }
}
