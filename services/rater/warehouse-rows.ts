import { z } from 'zod';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import { joinInserts } from '../../platform/warehouse/joined-inserts.ts';
import type { WarehouseWriter } from '../../platform/warehouse/writer.ts';
import type { RowSink } from './rater.ts';

/** What tells two rows of a table apart (schemas/clickhouse). */
const IDENTITY = {
  rated_lines: 'line_id',
  ledger_entries: 'entry_id',
  reservation_charges: 'charge_id',
  balance_updates: '(account_id, sequence)',
  invoices_final: '(account_id, month)',
  rejections: 'offset',
  event_verdicts: 'offset',
} as const;

const counted = z.array(z.object({ found: z.string().regex(/^\d+$/) }));

/** The warehouse as the sink of rows of all raters of a process: what they write at a time goes there together. */
export function warehouseRows(client: WarehouseClient, writer: WarehouseWriter): RowSink {
  const inserts = joinInserts(writer);
  return {
    insertBlock: (table, rows, options) => inserts.insertBlock(table, rows, options),
    countRows: async (table, partition, from, to) => {
      const result = await client.query({
        query:
          `SELECT uniqExact(${IDENTITY[table]}) AS found FROM ${table} ` +
          'WHERE partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64}',
        query_params: { partition, from, to },
        format: 'JSONEachRow',
      });
      return Number(counted.parse(await result.json())[0]?.found ?? 0);
    },
  };
}
