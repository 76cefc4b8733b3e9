import { afterAll, describe, expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/** `TOLLGATE_RUNS=5000 npx vitest run test/simulation/simulation.test.ts` runs longer; `TOLLGATE_SEED=167 TOLLGATE_RUNS=1` once more. */
const RUNS = Number(process.env.TOLLGATE_RUNS ?? 200);
const SEED = Number(process.env.TOLLGATE_SEED ?? 1);
const CHUNK = 50;

describe(`rater and enforcer under crashes, zombies and failing stores (seeds ${SEED} to ${SEED + RUNS - 1})`, () => {
  const sums = new Map<string, number>();

  afterAll(() => {
    const told = [...sums].map(([what, count]) => `${count} ${what}`).join(', ');
    process.stdout.write(`simulation, seeds ${SEED} to ${SEED + RUNS - 1}: ${told}\n`);
  });

  for (let from = SEED; from < SEED + RUNS; from += CHUNK) {
    const to = Math.min(from + CHUNK, SEED + RUNS);
    test(`L10, E1, E4, N8: what is stored and sent is what replay gives: seeds ${from} to ${to - 1}`, async () => {
      for (let seed = from; seed < to; seed += 1) {
        const { world, faults } = await simulate(seed);
        for (const [what, count] of Object.entries(world.counts)) sums.set(what, (sums.get(what) ?? 0) + count);
        expect(faults, `seed ${seed}, ${JSON.stringify(world.settings)}`).toEqual([]);
      }
    }, 600_000);
  }

  test('and it was not for want of trouble', () => {
    for (const what of ['crashes', 'failures', 'zombies', 'stops']) {
      expect(sums.get(what) ?? 0, what).toBeGreaterThanOrEqual(Math.floor(RUNS / 2));
    }
  });
});

test('the same seed gives the same run', async () => {
  const [one, other] = [await simulate(7), await simulate(7)];
  expect(one.world.counts).toEqual(other.world.counts);
  expect(one.world.time.now()).toBe(other.world.time.now());
  expect(one.world.log.disk).toEqual(other.world.log.disk);
});
