import Table from 'cli-table3';
import type picocolors from 'picocolors';
import { assertNever } from '../../services/shared/assert-never.ts';
import type { Level } from '../../services/shared/contracts/balance-update.ts';
import type { Nanos } from '../../services/shared/money.ts';
import type { Instant } from '../../services/shared/time.ts';
import { ago, runway, span, usd } from './figures.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** One account, as the table shows it. */
export interface AccountRow {
  readonly id: string;
  /** What a demo's account is there to show. */
  readonly shows: string | undefined;
  readonly balanceNanos: Nanos;
  readonly burnRateNanos: Nanos;
  readonly level: Level;
  /** The command or alert issued last. */
  readonly last: { readonly what: string; readonly at: Instant } | undefined;
  /** What comes next, if nothing changes. */
  readonly next: { readonly what: string; readonly at: Instant } | undefined;
}

export interface TableView {
  readonly columns: number;
  /** Accounts shown; the others are counted. */
  readonly rowsMax: number;
  readonly now: Instant;
  readonly colors: Colors;
}

interface Column {
  readonly head: string;
  /** Of its content. */
  readonly width: number;
  /** It may be cut to this before it is left out; undefined: it stays as it is. */
  readonly least?: number;
  readonly align?: 'right';
  readonly cell: (row: AccountRow, view: TableView, width: number) => string;
}

const ACCOUNT: Column = { head: 'account', width: 15, cell: ({ id }) => id };
const MONEY: readonly Column[] = [
  { head: 'balance', width: 11, align: 'right', cell: ({ balanceNanos }) => usd(balanceNanos) },
  { head: 'burn/h', width: 8, align: 'right', cell: ({ burnRateNanos }) => usd(burnRateNanos) },
  { head: 'runway', width: 7, align: 'right', cell: (row) => runway(row.balanceNanos, row.burnRateNanos) },
  { head: 'level', width: 9, cell: ({ level }, { colors }) => colored(level, colors) },
];
const LAST: Column = {
  head: 'last command',
  width: 40,
  least: 10,
  cell: ({ last }, { now }, width) => {
    if (last === undefined) return '';
    return width < AGE_WIDTH_LEAST ? last.what : `${ago(last.at, now).padEnd(12)} ${last.what}`;
  },
};
const NEXT: Column = { head: 'next, if nothing changes', width: 34, least: 24, cell: nextCell };
const SHOWS: Column = { head: 'shows', width: 41, least: 28, cell: ({ shows }, { colors }) => colors.dim(shows ?? '') };

/** Narrower than this, only what was issued is told. */
const AGE_WIDTH_LEAST = 26;
/** Padding on both sides of a cell, and the border. */
const FRAME = 3;

/** The accounts as a table no wider than the terminal: what has no room is left out, the least important first. */
export function renderTable(rows: readonly AccountRow[], view: TableView): string {
  const columns = chosen(
    view.columns,
    rows.some(({ shows }) => shows !== undefined),
  );
  const table = new Table({
    head: columns.map(({ head }) => view.colors.bold(head)),
    colWidths: columns.map(({ width }) => width + FRAME - 1),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    wordWrap: false,
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  const shown = rows.slice(0, view.rowsMax);
  for (const row of shown) table.push(columns.map(({ cell, width }) => cell(row, view, width)));
  const rest = rows.length - shown.length;
  return rest > 0 ? `${table.toString()}\n  and ${rest} more accounts` : table.toString();
}

function chosen(columns: number, isDemo: boolean): readonly Column[] {
  const all = [ACCOUNT, ...(isDemo ? [SHOWS] : []), ...MONEY, LAST, NEXT];
  const droppable = [SHOWS, NEXT, LAST];
  let picked = all;
  for (const column of droppable) {
    if (widthOf(picked) <= columns) return widened(picked, columns);
    const shrunk = shrink(picked, column, columns);
    if (shrunk !== undefined) return shrunk;
    picked = picked.filter((other) => other !== column);
  }
  return picked;
}

function shrink(picked: readonly Column[], column: Column, columns: number): readonly Column[] | undefined {
  const over = widthOf(picked) - columns;
  const width = column.width - over;
  if (!picked.includes(column) || width < (column.least ?? column.width)) return undefined;
  return picked.map((other) => (other === column ? { ...column, width } : other));
}

/** What is left over goes to the last column. */
function widened(picked: readonly Column[], columns: number): readonly Column[] {
  const last = picked[picked.length - 1];
  if (last === undefined) return picked;
  const width = Math.min(last.width + columns - widthOf(picked), last.width * 2);
  return [...picked.slice(0, -1), { ...last, width }];
}

function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + width + FRAME, 1);
}

function nextCell({ next }: AccountRow, { now }: TableView): string {
  if (next === undefined) return '';
  // N9: what is past its time is held until its notice has been out for long enough.
  const when = next.at > now ? `in ${span(next.at - now)}` : 'held';
  return `${when.padEnd(11)} ${next.what}`;
}

function colored(level: Level, colors: Colors): string {
  switch (level) {
    case 'active':
      return colors.green(level);
    case 'low':
      return colors.yellow(level);
    case 'exhausted':
      return colors.red(level);
    default:
      return assertNever(level);
  }
}
