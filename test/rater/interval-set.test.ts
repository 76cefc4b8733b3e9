import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntervalSet } from '../../services/rater/core/interval-set.ts';
import { UsedCapacity } from '../../services/rater/core/used-capacity.ts';

const SEED = 20260504;
const HOUR_MS = 3_600_000;
/** A few marks on either side of hours, so that intervals touch, overlap and span chunks. */
const mark = fc.integer({ min: 0, max: 24 }).map((n) => (n >> 2) * HOUR_MS + (n & 3) * 7);
const interval = fc
  .tuple(mark, mark)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** The same, millisecond by millisecond at the marks. */
function naive(added: readonly (readonly [number, number])[], at: number): boolean {
  return added.some(([start, end]) => start <= at && at < end);
}

function marks(): number[] {
  return Array.from({ length: 25 }, (_, n) => (n >> 2) * HOUR_MS + (n & 3) * 7).sort((a, b) => a - b);
}

function stored(
  set: { takeChanges(): ReadonlyMap<number, readonly number[]> },
  chunks: Map<number, readonly number[]>,
) {
  for (const [hour, chunk] of set.takeChanges()) {
    if (chunk.length === 0) chunks.delete(hour);
    else chunks.set(hour, chunk);
  }
}

test(`R2: of a sample only the part not yet billed is missing, also after the set was stored and read (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 12 }), interval, (added, [from, to]) => {
      const set = new IntervalSet();
      const chunks = new Map<number, readonly number[]>();
      for (const [start, end] of added) {
        const missing = set.missing(start, end);
        for (let index = 0; index < missing.length; index += 2) set.add(missing[index] ?? 0, missing[index + 1] ?? 0);
        stored(set, chunks);
      }
      const read = new IntervalSet();
      for (const chunk of chunks.values()) read.restore(chunk);
      const parts = set.missing(from, to);
      expect(read.missing(from, to)).toEqual(parts);
      for (const at of marks()) {
        const open = parts.some((start, index) => index % 2 === 0 && start <= at && at < (parts[index + 1] ?? 0));
        expect(open, `at ${at}`).toBe(from <= at && at < to && !naive(added, at));
      }
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('R2: a node that reports on is one interval, and what no sample reaches is forgotten', () => {
  const set = new IntervalSet();
  for (let hour = 0; hour < 100; hour += 1) set.add(hour * HOUR_MS, (hour + 1) * HOUR_MS);
  expect([...set.takeChanges()]).toEqual([[0, [0, 100 * HOUR_MS]]]);
  set.forgetBefore(100 * HOUR_MS - 1);
  expect(set.isEmpty()).toBe(false);
  set.forgetBefore(100 * HOUR_MS);
  expect(set.isEmpty()).toBe(true);
  expect([...set.takeChanges()]).toEqual([[0, []]]);
});

test(`R4: capacity taken is counted at every instant, also after it was stored and read (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(interval, fc.integer({ min: 1, max: 8 })), { maxLength: 10 }), (takes) => {
      const used = new UsedCapacity();
      const chunks = new Map<number, readonly number[]>();
      for (const [[start, end], gpus] of takes) {
        for (let from = start; from < end; ) {
          const to = Math.min(end, used.nextChangeAfter(from));
          used.take(from, to, gpus);
          from = to;
        }
        stored(used, chunks);
      }
      const read = new UsedCapacity();
      for (const chunk of chunks.values()) read.restore(chunk);
      for (const at of marks()) {
        const expected = takes.reduce((sum, [[start, end], gpus]) => sum + (start <= at && at < end ? gpus : 0), 0);
        expect(used.takenAt(at), `at ${at}`).toBe(expected);
        expect(read.takenAt(at), `read, at ${at}`).toBe(expected);
      }
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test('R4: nodes that report minute by minute leave a handful of steps', () => {
  const used = new UsedCapacity();
  for (let minute = 0; minute < 600; minute += 1) {
    for (let node = 0; node < 10; node += 1) used.take(minute * 60_000, (minute + 1) * 60_000, 8);
  }
  let steps = 0;
  for (let at = -1; Number.isFinite(used.nextChangeAfter(at)); at = used.nextChangeAfter(at)) steps += 1;
  expect(steps).toBe(2);
});
