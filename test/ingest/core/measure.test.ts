import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementsOf, measure } from '../../../services/ingest/core/measure.ts';

const SEED = 20_260_504;
const json = () => fc.json({ maxDepth: 6 });

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return 1 + Object.values(value).reduce<number>((sum, member) => sum + valuesOf(member), 0);
}

describe('measure', () => {
  it(`finds the depth of any JSON, and never fewer values than it has (seed ${SEED})`, () => {
    fc.assert(
      fc.property(json(), fc.constantFrom('', ' ', '\n\t'), (text, space) => {
        const value: unknown = JSON.parse(text);
        const spaced = space + text + space;
        const depth = depthOf(value);
        expect(measure(spaced, depth, 1_000_000).kind).toBe('measured');
        if (depth > 0) expect(measure(spaced, depth - 1, 1_000_000).kind).toBe('too_deep');
        const measured = measure(spaced, 1000, 1_000_000);
        if (measured.kind === 'measured') expect(measured.values).toBeGreaterThanOrEqual(valuesOf(value));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('looks through strings, escapes and what is no JSON', () => {
    expect(measure('"[[[[{{{{,,,,"', 0, 1)).toEqual({ kind: 'measured', values: 1 });
    expect(measure('"\\"[[["', 0, 1)).toEqual({ kind: 'measured', values: 1 });
    expect(measure('"\\\\"[', 0, 9).kind).toBe('too_deep');
    expect(measure('"never closed [[[', 0, 1)).toEqual({ kind: 'measured', values: 1 });
    expect(measure('"\\', 0, 1)).toEqual({ kind: 'measured', values: 1 });
    expect(measure(']]]][', 0, 9).kind).toBe('measured');
  });

  it('stops at a bound, however long the text', () => {
    expect(measure('['.repeat(5_000_000), 16, 1_000_000).kind).toBe('too_deep');
    expect(measure(`[${'0,'.repeat(2_000_000)}0]`, 16, 1_000_000).kind).toBe('too_many');
  });
});

describe('elementsOf', () => {
  it(`gives the texts of an array's elements (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(json()), fc.constantFrom('', ' ', '\r\n'), (texts, space) => {
        const elements = elementsOf(`${space}[${texts.join(`${space},${space}`)}]${space}`, 1000);
        expect(elements).toEqual(texts.map((text) => text.trim()));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('stops at a bound, however long the text', () => {
    expect(elementsOf(`[${'0,'.repeat(2_000_000)}0]`, 3)).toHaveLength(4);
  });

  it('is undefined for what is no array by its brackets', () => {
    for (const text of ['', '{}', '[', ']', '[1]]', '[1][2]', '[[]', '"[]"', '[1', '1]', '["]']) {
      expect([text, elementsOf(text, 1000)]).toEqual([text, undefined]);
    }
  });
});
