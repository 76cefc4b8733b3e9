import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { KeySum } from './expected.ts';

/** What a replay made of the log: sums of rated.ndjson, and counts of the other files. */
export interface Replayed {
  /** By R6's key, `category` and reservation included. */
  readonly sums: readonly ReplayedSum[];
  readonly lines: number;
  /** `pause`, `alert:credits_low`, ...: how often each was issued. */
  readonly commands: ReadonlyMap<string, number>;
  readonly rejections: ReadonlyMap<string, number>;
}

export interface ReplayedSum extends KeySum {
  readonly category: string;
}

/** Reads the files of SPEC X in a replay's directory, line by line. */
export async function readReplayed(dir: string): Promise<Replayed> {
  const sums = new Map<string, { -readonly [K in keyof ReplayedSum]: ReplayedSum[K] }>();
  let lines = 0;
  for await (const line of rows<RatedRow>(join(dir, 'rated.ndjson'))) {
    lines += 1;
    const key = JSON.stringify([
      line.account_id,
      line.resource_id,
      line.sku,
      line.category,
      line.reservation_id,
      line.unit_price,
      line.list_unit_price,
      line.invoice_month,
      line.correction,
    ]);
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, toSum(line));
    } else {
      sum.quantityMs += BigInt(line.quantity_ms);
      sum.amountNanos += nanos(line.amount);
      sum.listNanos += nanos(line.list_amount);
    }
  }
  const commands = await count<{ command: string; alert?: string }>(join(dir, 'commands.ndjson'), (row) =>
    row.alert === undefined ? row.command : `${row.command}:${row.alert}`,
  );
  const rejections = await count<{ reason: string }>(join(dir, 'rejected.ndjson'), (row) => row.reason);
  return { sums: [...sums.values()], lines, commands, rejections };
}

interface RatedRow {
  account_id: string;
  resource_id: string;
  sku: string;
  category: string;
  reservation_id?: string;
  unit_price: string;
  list_unit_price: string;
  invoice_month: string;
  correction: boolean;
  quantity_ms: string;
  amount: string;
  list_amount: string;
}

function toSum(line: RatedRow): ReplayedSum {
  return {
    accountId: line.account_id,
    resourceId: line.resource_id,
    sku: line.sku,
    category: line.category,
    unitMicros: micros(line.unit_price),
    listMicros: micros(line.list_unit_price),
    invoiceMonth: line.invoice_month,
    correction: line.correction,
    quantityMs: BigInt(line.quantity_ms),
    amountNanos: nanos(line.amount),
    listNanos: nanos(line.list_amount),
  };
}

/** U2: a decimal string with 9 places, in nanos. */
function nanos(text: string): bigint {
  if (!/^-?\d+\.\d{9}$/.test(text)) throw new Error(`not an amount with 9 places: ${text}`);
  return BigInt(text.replace('.', ''));
}

/** U3: a decimal string with 6 places, in millionths. */
function micros(text: string): bigint {
  if (!/^\d+\.\d{6}$/.test(text)) throw new Error(`not a price with 6 places: ${text}`);
  return BigInt(text.replace('.', ''));
}

async function count<T>(path: string, keyOf: (row: T) => string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const row of rows<T>(path)) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function* rows<T>(path: string): AsyncGenerator<T> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== '') yield JSON.parse(line) as T;
  }
}
