import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULTS } from './support/faults.ts';
import { brokenBy } from './support/judge.ts';
import { histories } from './support/steps.ts';

/** Each fault is to be caught within so many histories; most take three. */
const RUNS = 100;

describe('planted faults: each is caught by the laws', () => {
  test('there are enough of them, and no name twice', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(12);
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });

  for (const { name, seed, breaks, rules } of FAULTS) {
    test(`${name} (seed ${seed})`, () => {
      let heard: readonly string[] = [];
      fc.check(
        fc.property(histories(60), (history) => {
          const broken = faultOf(() => brokenBy(history, rules)).filter((what) => breaks.test(what));
          if (broken.length > 0) heard = broken;
          return broken.length === 0;
        }),
        { seed, numRuns: RUNS, endOnFailure: true },
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
