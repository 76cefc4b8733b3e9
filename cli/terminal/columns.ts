/** How a column stands below its head. */
export type Align = 'left' | 'right';

const GAP = '  ';

/** Rows as lines of text in columns, without borders: to be read, and to be cut up by other programs. */
export function columns(rows: readonly (readonly string[])[], aligns: readonly Align[]): string {
  const widths = aligns.map((_, at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (aligns[at] === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join(GAP)
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
