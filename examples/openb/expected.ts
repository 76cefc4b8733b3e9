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

/** How many GPU-ms of a cluster each category must have (R4, L9). */
export interface Labels {
  readonly resourceId: string;
  readonly reserved: bigint;
  readonly burst: bigint;
  readonly onDemand: bigint;
}

/**
 * Runs expected.sql over a pod list with chDB. The engine lives in this process from then on (one data directory a
 * process, 0.5 GB): call it in a process of its own.
 */
export async function expectedSums(part: TracePart): Promise<KeySum[]> {
  const { podsPath, fromDay, days, sampleMs } = part;
  const rows = await run<SumRow>('expected.sql', {
    pods: resolve(podsPath),
    from_day: fromDay,
    days,
    sample_ms: sampleMs,
  });
  return rows.map(toKeySum);
}

/**
 * Runs expected-labels.sql, likewise.
 * @param eventsPath the converted log, for its reservations; @param rejectedPath the replay's rejected.ndjson
 */
export async function expectedLabels(part: TracePart, eventsPath: string, rejectedPath: string): Promise<Labels[]> {
  const rows = await run<LabelRow>('expected-labels.sql', {
    pods: resolve(part.podsPath),
    events: resolve(eventsPath),
    rejected: resolve(rejectedPath),
    from_day: part.fromDay,
    days: part.days,
  });
  return rows.map((row) => ({
    resourceId: row.resource_id,
    reserved: BigInt(row.reserved),
    burst: BigInt(row.burst),
    onDemand: BigInt(row.on_demand),
  }));
}

async function run<Row>(file: string, parameters: Record<string, string | number>): Promise<Row[]> {
  const { queryBind } = await import('chdb');
  const sql = await readFile(new URL(file, import.meta.url), 'utf8');
  const text = queryBind(sql, parameters, 'JSONEachRow');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

interface LabelRow {
  resource_id: string;
  reserved: string;
  burst: string;
  on_demand: string;
}

interface SumRow {
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

function toKeySum(row: SumRow): KeySum {
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
