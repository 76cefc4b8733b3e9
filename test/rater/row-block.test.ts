import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowBlock } from '../../services/rater/row-block.ts';

it('a block of rows gives what was pushed, and a line for each', () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 40_000 }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, (all) => {
      const rows = all.map((text) => JSON.stringify([text]));
      const block = new RowBlock();
      for (const row of rows) block.push(row);
      expect([...block]).toEqual(rows);
      expect(block.length).toBe(rows.length);
      expect(block.bytes.toString()).toBe(rows.map((row) => `${row}\n`).join(''));
    }),
  );
});
