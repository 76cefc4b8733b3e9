import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** What one key of R6 must add up to; money in nanos. */
export interface KeySum {
  readonly accountId: string;
  readonly resourceId: string;
  readonly sku: string;
  readonly unitMicros: bigint;
  readonly listMicros: bigint;
  readonly invoiceMonth: string;
  readonly correction: boolean;
  readonly quantityMs: bigint;
  readonly amountNanos: bigint;
  readonly listNanos: bigint;
}

export interface TracePart {
  readonly podsPath: string;
  readonly fromDay: number;
  readonly days: number;
  readonly sampleMs: number;
}

interface Row {
  account_id: string;
  resource_id: string;
  sku: string;
  unit_micros: string;
  list_micros: string;
  invoice_month: string;
  correction: boolean;
  quantity_ms: string;
  amount_nanos: string;
  list_nanos: string;
}

/**
 * Runs expected.sql over a pod list with chDB. The engine lives in this process from then on (one data directory a
 * process, 0.5 GB): call it in a process of its own.
 */
export async function expectedSums(part: TracePart): Promise<KeySum[]> {
  const { queryBind } = await import('chdb');
  const sql = await readFile(new URL('expected.sql', import.meta.url), 'utf8');
  const text = queryBind(
    sql,
    { pods: resolve(part.podsPath), from_day: part.fromDay, days: part.days, sample_ms: part.sampleMs },
    'JSONEachRow',
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => toKeySum(JSON.parse(line) as Row));
}

function toKeySum(row: Row): KeySum {
  return {
    accountId: row.account_id,
    resourceId: row.resource_id,
    sku: row.sku,
    unitMicros: BigInt(row.unit_micros),
    listMicros: BigInt(row.list_micros),
    invoiceMonth: row.invoice_month,
    correction: row.correction,
    quantityMs: BigInt(row.quantity_ms),
    amountNanos: BigInt(row.amount_nanos),
    listNanos: BigInt(row.list_nanos),
  };
}
