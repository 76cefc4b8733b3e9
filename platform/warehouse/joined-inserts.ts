import { WarehouseError } from './errors.ts';
import type { BinaryRows } from './row-binary.ts';
import type { InsertOptions, WarehouseWriter } from './writer.ts';

export type JoinedInserts = {
  /** As `insertBlock` of a writer; all rows of a table have the same columns, and may not be changed before it resolves. */
  insertBlock(table: string, rows: BinaryRows, options: Pick<InsertOptions, 'token'>): Promise<void>;
};

type Waiting = {
  readonly rows: BinaryRows;
  readonly token: string;
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
};

/** One block of joined ones is no longer than this, unless it is one alone. */
const JOINED_BYTES_MAX = 16 * 1024 * 1024;

/**
 * One insert into a table at a time: what is to be inserted meanwhile is the next one, together. So the warehouse gets few
 * large blocks, however many partitions write, and what it has to do for a block (parts, merges, syncs) it does seldom.
 */
export function joinInserts(writer: WarehouseWriter): JoinedInserts {
  const waitingByTable = new Map<string, Waiting[]>();

  async function work(table: string, waiting: Waiting[]): Promise<void> {
    await Promise.resolve(); // what comes in the same turn shares the first block
    while (waiting.length > 0) await insert(table, waiting.splice(0, fitting(waiting)));
    waitingByTable.delete(table);
  }

  /** Never throws: each learns its own fate. */
  async function insert(table: string, joined: readonly Waiting[]): Promise<void> {
    const [first, ...others] = joined;
    if (first === undefined) return;
    try {
      const rows = others.length === 0 ? first.rows : join(joined.map((one) => one.rows));
      const token = others.length === 0 ? first.token : `${first.token} and ${others.length} more`;
      await writer.insertBlock(table, rows, { token });
      for (const { resolve } of joined) resolve();
    } catch (fault) {
      if (others.length > 0 && fault instanceof WarehouseError && BLAMES_ROWS.has(fault.code)) {
        for (const one of joined) await insert(table, [one]);
      } else {
        for (const { reject } of joined) reject(fault);
      }
    }
  }

  return {
    insertBlock: (table, rows, { token }) =>
      new Promise((resolve, reject) => {
        const waiting = waitingByTable.get(table);
        const one: Waiting = { rows, token, resolve, reject };
        if (waiting !== undefined) {
          waiting.push(one);
          return;
        }
        const first = [one];
        waitingByTable.set(table, first);
        void work(table, first);
      }),
  };
}

/** What one partition's rows may have brought upon the others: each is then written alone. */
const BLAMES_ROWS: ReadonlySet<string> = new Set([
  'warehouse_insert_refused',
  'warehouse_row_too_large',
  'warehouse_rows_lost',
]);

/** How many of those that wait fit into one block; at least one. */
function fitting(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const end = waiting.findIndex(({ rows }, index) => {
    for (const chunk of rows.chunks) bytes += chunk.bytes.length;
    return index > 0 && bytes > JOINED_BYTES_MAX;
  });
  return end < 0 ? waiting.length : end;
}

function join(all: readonly BinaryRows[]): BinaryRows {
  const [first] = all;
  if (first === undefined || all.some(({ columns }) => columns !== first.columns)) {
    throw new Error('rows of other columns cannot be one block');
  }
  return {
    columns: first.columns,
    length: all.reduce((sum, { length }) => sum + length, 0),
    chunks: all.flatMap(({ chunks }) => chunks),
  };
}
