import { z } from 'zod';
import { createWarehouseReader, type WarehouseReader } from '../../platform/warehouse/reader.ts';
import { formatInstant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Access } from '../access/port.ts';
import type { ReplayFile, Summary } from '../replay/fold.ts';
import { FolderSink } from '../replay/sinks.ts';
import { BadCall } from '../replay.ts';
import { invoiceLines } from './invoices.ts';
import { type LogEnd, logEndAt } from './log-end.ts';
import { BALANCES, COMMANDS, COUNTS, LEDGER, RATED, REJECTED } from './queries.ts';
import { balanceJson, commandJson, ledgerJson, ratedJson, rejectedJson } from './rows.ts';

const counts = z.object({ rejected: z.string(), duplicates: z.string() });

/**
 * X: fixes the log's end, waits until all before it was processed, and writes from the warehouse, as of that end, the files
 * that a replay of the log up to it writes, byte for byte. Memory stays bounded whatever their size.
 * @param to an end to take instead of the present one, not above it
 * @param progress told how many rows were written so far
 * @returns the end
 * @throws BadCall for a `to` above the present end
 */
export async function exportTo(
  access: Access,
  outDir: string,
  partition: number,
  to?: number,
  progress: (rows: number) => void = () => undefined,
): Promise<LogEnd> {
  const present = await access.log.endOffset(TOPICS.events, partition);
  const offset = to ?? present;
  if (offset > present) throw new BadCall(`--to ${offset}: the log ends at ${present}`);
  await access.processed(partition, offset);
  const end = await logEndAt(access.log, partition, offset);
  const sink = new FolderSink(outDir);
  try {
    const reader = createWarehouseReader(access.warehouse);
    const params = { partition, end: end.offset };
    let written = 0;
    for (const [file, sql, json] of FILES) {
      const given = file === 'commands' ? { ...params, clock: end.clock } : params;
      for await (const rows of reader.stream(sql, given, json)) {
        for (const row of rows) sink.row(file, row);
        written += rows.length;
        progress(written);
      }
    }
    for await (const invoice of invoiceLines(reader, end)) sink.row('invoices', invoice);
    sink.complete(await summaryOf(reader, end));
  } catch (fault) {
    sink.abandon();
    throw fault;
  }
  return end;
}

const FILES: readonly (readonly [ReplayFile, string, (row: unknown) => string])[] = [
  ['rated', RATED, ratedJson],
  ['ledger', LEDGER, ledgerJson],
  ['balances', BALANCES, balanceJson],
  ['commands', COMMANDS, commandJson],
  ['rejected', REJECTED, rejectedJson],
];

/** X: what was neither rejected nor a duplicate was applied: every record of the log has one of the three verdicts (E4). */
async function summaryOf(reader: WarehouseReader, end: LogEnd): Promise<Summary> {
  for await (const [row] of reader.stream(COUNTS, { partition: end.partition, end: end.offset }, (row) =>
    counts.parse(row),
  )) {
    if (row === undefined) continue;
    const rejected = Number(row.rejected);
    const duplicates = Number(row.duplicates);
    return {
      events: end.offset,
      applied: end.offset - rejected - duplicates,
      duplicates,
      rejected,
      clock: end.clock < 0 ? null : formatInstant(end.clock),
    };
  }
  throw new Error('the warehouse did not count what it holds');
}
