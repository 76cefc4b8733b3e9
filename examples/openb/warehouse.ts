import { createClient } from '@clickhouse/client';
import type { Replayed, ReplayedSum } from './replayed.ts';

export interface InWarehouse extends Replayed {
  /** The rejected events as JSON, one a line, in the form of a replay's rejected.ndjson. */
  readonly rejected: string;
}

/**
 * What a running Tollgate made of the log, by SQL: the sums are ClickHouse's own. Exact: decimals come as integers of their
 * smallest unit.
 * @param url of ClickHouse's HTTP interface; name and password may stand in it
 */
export async function readWarehouse(url: string): Promise<InWarehouse> {
  const client = createClient({ url });
  const rows = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
  try {
    const sums = await rows<SumRow>(SUMS);
    const [{ lines } = { lines: '0' }] = await rows<{ lines: string }>(
      'SELECT toString(count()) AS lines FROM v_rated_lines',
    );
    const commands = await rows<CountRow>(
      `SELECT if(alert IS NULL, command, concat('alert:', alert)) AS name, toString(count()) AS times
       FROM v_commands GROUP BY name ORDER BY name`,
    );
    const rejected = await rows<{ reason: string; event: string }>(
      'SELECT reason, event FROM v_rejections ORDER BY `partition`, `offset`',
    );
    const rejections = new Map<string, number>();
    for (const { reason } of rejected) rejections.set(reason, (rejections.get(reason) ?? 0) + 1);
    return {
      sums: sums.map(toSum),
      lines: Number(lines),
      commands: new Map(commands.map(({ name, times }) => [name, Number(times)])),
      rejections: new Map([...rejections].sort(([a], [b]) => (a < b ? -1 : 1))),
      rejected: rejected.map(({ event }) => `{"event":${event}}\n`).join(''),
    };
  } finally {
    await client.close();
  }
}

/** R6's key with `category` and reservation, as in a replay's files. */
const SUMS = `
  SELECT
    account_id, resource_id, sku, category, invoice_month, correction,
    toString(toInt128(unit_price * 1000000)) AS unit_micros,
    toString(toInt128(list_unit_price * 1000000)) AS list_micros,
    toString(sum(quantity_ms)) AS quantity,
    toString(toInt128(sum(amount) * 1000000000)) AS amount_nanos,
    toString(toInt128(sum(list_amount) * 1000000000)) AS list_nanos
  FROM v_rated_lines
  GROUP BY
    account_id, resource_id, sku, category, reservation_id, unit_price, list_unit_price, invoice_month, correction`;

interface SumRow {
  account_id: string;
  resource_id: string;
  sku: string;
  category: string;
  invoice_month: string;
  correction: boolean;
  unit_micros: string;
  list_micros: string;
  quantity: string;
  amount_nanos: string;
  list_nanos: string;
}

interface CountRow {
  name: string;
  times: string;
}

function toSum(row: SumRow): ReplayedSum {
  return {
    accountId: row.account_id,
    resourceId: row.resource_id,
    sku: row.sku,
    category: row.category,
    unitMicros: BigInt(row.unit_micros),
    listMicros: BigInt(row.list_micros),
    invoiceMonth: row.invoice_month,
    correction: row.correction,
    quantityMs: BigInt(row.quantity),
    amountNanos: BigInt(row.amount_nanos),
    listNanos: BigInt(row.list_nanos),
  };
}
