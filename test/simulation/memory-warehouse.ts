import { type FaultPlan, FaultyCalls, type SimulatedProcess } from '../../platform/memory/simulation.ts';
import type { BinaryRows } from '../../platform/warehouse/row-binary.ts';
import type { CommandSink } from '../../services/enforcer/enforcer.ts';
import type { RowSink } from '../../services/rater/rater.ts';
import { RATER_TABLES, type RaterTable } from '../../services/rater/rows.ts';
import { rowTexts } from '../support/binary-rows.ts';

export type Table = RaterTable | 'commands';
export type Row = readonly unknown[];

interface Stored {
  readonly text: string;
  readonly row: Row;
}

/** Where rows say which offset they come from, and what tells two of them apart (schemas/clickhouse). */
const COLUMNS: Readonly<Record<Table, { readonly offset: number; readonly identity: readonly number[] }>> = {
  rated_lines: { offset: 22, identity: [0] },
  ledger_entries: { offset: 9, identity: [1, 0] },
  reservation_charges: { offset: 11, identity: [0] },
  balance_updates: { offset: 7, identity: [0, 1] },
  invoices_final: { offset: 5, identity: [0, 1] },
  rejections: { offset: 1, identity: [0, 1] },
  event_verdicts: { offset: 1, identity: [0, 1] },
  commands: { offset: 20, identity: [3, 0] },
};

/** Of the same identity another row came: the sums that were read before are not those that are read now. */
export class RowChanged extends Error {
  override readonly name = 'RowChanged';
}

/** Tables that are idempotent by row identity; they outlive crashes. */
export class WarehouseDisk {
  readonly #tables = new Map<Table, Map<string, Stored>>(
    [...RATER_TABLES, 'commands' as const].map((t) => [t, new Map()]),
  );
  /** What no table of the real warehouse would tell: that a repeat was no repeat. */
  readonly changed: RowChanged[] = [];

  put(table: Table, text: string): void {
    const row: Row = JSON.parse(text);
    const { identity } = COLUMNS[table];
    const key = JSON.stringify(identity.map((column) => row[column]));
    const before = this.#table(table).get(key);
    if (before !== undefined && before.text !== text) {
      this.changed.push(new RowChanged(`${table} ${key}: was ${before.text}, now ${text}`));
    }
    this.#table(table).set(key, { text, row });
  }

  rows(table: Table): readonly Stored[] {
    return [...this.#table(table).values()];
  }

  /** The rows of a partition, in the order of the log. */
  ofPartition(table: RaterTable, partition: number): readonly string[] {
    const { offset } = COLUMNS[table];
    const place = ({ row }: Stored): readonly [number, number] => [Number(row[offset]), Number(row[offset + 1] ?? 0)];
    return this.rows(table)
      .filter(({ row }) => row[offset - 1] === partition)
      .sort((left, right) => place(left)[0] - place(right)[0] || indexOf(table, left) - indexOf(table, right))
      .map(({ text }) => text);
  }

  count(table: RaterTable, partition: number, from: number, to: number): number {
    const { offset } = COLUMNS[table];
    const inRange = (row: Row): boolean => Number(row[offset]) >= from && Number(row[offset]) < to;
    return this.rows(table).filter(({ row }) => row[offset - 1] === partition && inRange(row)).length;
  }

  #table(table: Table): Map<string, Stored> {
    const found = this.#tables.get(table);
    if (found === undefined) throw new Error(`no table ${table}`);
    return found;
  }
}

/** Rejections and verdicts have one row an offset, and no index. */
function indexOf(table: RaterTable, { row }: Stored): number {
  if (table === 'rejections' || table === 'event_verdicts') return 0;
  return Number(row[COLUMNS[table].offset + 1]);
}

/** One process's connection to the warehouse, under a plan of faults. `partly` says how many rows of a failing block stay. */
export class SimulatedWarehouse implements RowSink, CommandSink {
  readonly #disk: WarehouseDisk;
  readonly #calls: FaultyCalls;
  readonly #partly: (rows: number) => number;

  constructor(disk: WarehouseDisk, process: SimulatedProcess, plan: FaultPlan, partly: (rows: number) => number) {
    this.#disk = disk;
    this.#calls = new FaultyCalls(process, plan);
    this.#partly = partly;
  }

  async insertBlock(table: Table, block: BinaryRows | readonly string[]): Promise<void> {
    const rows = 'chunks' in block ? rowTexts(block) : block;
    const split = this.#partly(rows.length);
    await this.#insert(table, rows.slice(0, split));
    await this.#insert(table, rows.slice(split));
  }

  async countRows(table: RaterTable, partition: number, from: number, to: number): Promise<number> {
    const count = () => this.#disk.count(table, partition, from, to);
    return this.#calls.call('peek', table, count, () => new WarehouseFailed(table));
  }

  async #insert(table: Table, rows: readonly string[]): Promise<void> {
    if (rows.length === 0) return;
    const put = () => rows.forEach((row) => void this.#disk.put(table, row));
    await this.#calls.call('append', table, put, () => new WarehouseFailed(table));
  }
}

/** The warehouse could not be reached, or its answer was lost. */
export class WarehouseFailed extends Error {
  override readonly name = 'WarehouseFailed';
}
