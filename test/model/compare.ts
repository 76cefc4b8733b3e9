import { isDeepStrictEqual } from 'node:util';
import type { ModelOutput } from './output.ts';

/** The files of a replay that the model makes too, as arrays of rows. */
export type Replayed = Readonly<Record<(typeof files)[number], readonly unknown[]>> & { readonly summary: unknown };

const files = ['rejected', 'rated', 'ledger', 'balances', 'invoices'] as const;

/**
 * The first row in which a replay and the model differ, as text; undefined if they agree. Not compared: a rejection's
 * `detail`, the wording of a ledger entry's id (only that none occurs twice), the order of an invoice's lines.
 */
export function firstDifference(model: ModelOutput, replay: Replayed): string | undefined {
  for (const file of files) {
    const wanted = comparable(file, model[file]);
    const got = comparable(file, replay[file]);
    for (let row = 0; row < Math.max(wanted.length, got.length); row++) {
      if (isDeepStrictEqual(wanted[row], got[row])) continue;
      return `${file} ${row}:\n  model ${JSON.stringify(wanted[row])}\n  core  ${JSON.stringify(got[row])}`;
    }
  }
  const ids = replay.ledger.map((row) => asJson(row).entry_id);
  if (new Set(ids).size < ids.length) return `ledger: an entry id occurs twice among ${ids.join(' ')}`;
  const [wanted, got] = [asJson(model.summary), asJson(replay.summary)];
  return isDeepStrictEqual(wanted, got)
    ? undefined
    : `summary:\n  model ${JSON.stringify(wanted)}\n  core  ${JSON.stringify(got)}`;
}

function comparable(file: (typeof files)[number], rows: readonly unknown[]): unknown[] {
  return rows.map((row) => {
    const copy = asJson(row);
    if (file === 'rejected') delete copy.detail;
    if (file === 'ledger') delete copy.entry_id;
    const lines = copy.lines;
    if (file === 'invoices' && Array.isArray(lines)) copy.lines = lines.map(byName).sort();
    return copy;
  });
}

/** A row as it stands in its file. */
function asJson(row: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(row));
}

function byName(value: unknown): string {
  return JSON.stringify(Object.entries(Object(value)).sort(([a], [b]) => (a < b ? -1 : 1)));
}
