import { describe, expect, it } from 'vitest';
import { WarehouseError } from '../../../platform/warehouse/errors.ts';
import { joinInserts } from '../../../platform/warehouse/joined-inserts.ts';
import { RowBlock, RowColumns } from '../../../platform/warehouse/row-binary.ts';
import type { WarehouseWriter } from '../../../platform/warehouse/writer.ts';
import { rowTexts } from '../../support/binary-rows.ts';

const COLUMNS = new RowColumns([['text', 'String']]);

/** A writer whose inserts end when the test says so, and that refuses blocks with `bad` in them. */
function heldWriter() {
  const written: { table: string; rows: string; token: string }[] = [];
  const ends: (() => void)[] = [];
  const writer: WarehouseWriter = {
    insertBlock: async (table, block, { token }) => {
      const rows = 'chunks' in block ? rowTexts(block).join(' ') : '';
      written.push({ table, rows, token });
      await new Promise<void>((resolve) => ends.push(resolve));
      if (rows.includes('bad')) throw new WarehouseError('warehouse_insert_refused', 'bad');
      if (rows.includes('away')) throw new WarehouseError('warehouse_unavailable', 'away');
    },
  };
  const end = async (): Promise<void> => {
    ends.shift()?.();
    await settled();
  };
  return { writer, written, end };
}

/** Lets everything happen that waits for nothing else. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function blockOf(...texts: string[]): RowBlock {
  const block = new RowBlock(COLUMNS);
  for (const text of texts) {
    block.string(text);
    block.endRow();
  }
  return block;
}

describe('inserts of several partitions', () => {
  it('go together while one is under way, and each is acknowledged when its rows are written', async () => {
    const { writer, written, end } = heldWriter();
    const joined = joinInserts(writer);
    const acknowledged: string[] = [];
    const insert = (row: string) =>
      joined.insertBlock('t', blockOf(row), { token: row }).then(() => acknowledged.push(row));
    const all = [insert('a')];
    await settled();
    all.push(insert('b'), insert('c'));
    await settled();
    expect(written).toEqual([{ table: 't', rows: '["a"]', token: 'a' }]);
    expect(acknowledged).toEqual([]);
    await end();
    expect(acknowledged).toEqual(['a']);
    expect(written[1]).toEqual({ table: 't', rows: '["b"] ["c"]', token: 'b and 1 more' });
    await end();
    await Promise.all(all);
    expect(acknowledged).toEqual(['a', 'b', 'c']);
  });

  it('do not wait for another table', async () => {
    const { writer, written } = heldWriter();
    const joined = joinInserts(writer);
    void joined.insertBlock('t', blockOf('a'), { token: 'a' });
    void joined.insertBlock('u', blockOf('b'), { token: 'b' });
    await settled();
    expect(written.map(({ table }) => table)).toEqual(['t', 'u']);
  });

  it('are written one by one where their block is refused, so that only its own rows fail a partition', async () => {
    const { writer, written, end } = heldWriter();
    const joined = joinInserts(writer);
    const inserting = ['a', 'bad', 'c'].map((row) => joined.insertBlock('t', blockOf(row), { token: row }));
    const fates = Promise.allSettled(inserting);
    await settled();
    for (let count = 0; count < 4; count += 1) await end();
    expect((await fates).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(written.map(({ rows }) => rows)).toEqual(['["a"] ["bad"] ["c"]', '["a"]', '["bad"]', '["c"]']);
  });

  it('all fail where the warehouse is away, and the next ones are tried', async () => {
    const { writer, written, end } = heldWriter();
    const joined = joinInserts(writer);
    const fates = Promise.allSettled(['a', 'away'].map((row) => joined.insertBlock('t', blockOf(row), { token: row })));
    await settled();
    const next = joined.insertBlock('t', blockOf('next'), { token: 'next' });
    await end();
    expect((await fates).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await end();
    await next;
    expect(written).toHaveLength(2);
  });

  it('make no block longer than 16 MiB', async () => {
    const { writer, written, end } = heldWriter();
    const joined = joinInserts(writer);
    const long = 'x'.repeat(9 * 1024 * 1024);
    const inserting = ['a', 'b'].map((token) => joined.insertBlock('t', blockOf(long), { token }));
    await settled();
    expect(written.map(({ token }) => token)).toEqual(['a']);
    await end();
    await end();
    await Promise.all(inserting);
    expect(written.map(({ token }) => token)).toEqual(['a', 'b']);
  });
});
