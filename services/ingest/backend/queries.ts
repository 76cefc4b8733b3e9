import { z } from 'zod';
import type { EventLog } from '../../../platform/log/port.ts';
import type { StateReader } from '../../../platform/state/port.ts';
import type { WarehouseClient } from '../../../platform/warehouse/client.ts';
import { parsePrice, readAmount } from '../../shared/money.ts';
import { partitionOf } from '../../shared/partition.ts';
import { TOPICS } from '../../shared/topics.ts';
import type { AccountView, Page, Queries, UsageLine, UsageQuery } from '../ports.ts';
import { ordersPage } from './orders.ts';
import type { RatedProgress } from './rated-progress.ts';
import { settled } from './settled.ts';
import { storedAccount } from './stored-account.ts';

const usageRows = z.array(
  z.object({
    resource_kind: z.enum(['cluster', 'volume']),
    resource_id: z.string(),
    sku: z.string(),
    category: z.enum(['reserved', 'burst', 'on_demand', 'storage']),
    reservation_id: z.string().nullable(),
    correction: z.boolean(),
    quantity_ms: z.string(),
    unit: z.enum(['gpu_hour', 'gib_month']),
    unit_price: z.string(),
    list_unit_price: z.string(),
    amount: z.string(),
    list_amount: z.string(),
  }),
);

export interface QueryStores {
  readonly log: EventLog;
  readonly state: StateReader;
  readonly warehouse: WarehouseClient;
  readonly progress: RatedProgress;
}

/** What can be asked of accounts: balances and orders as the checkpoints have them, usage from the warehouse. */
export function storedQueries({ log, state, warehouse, progress }: QueryStores): Queries {
  const partitions = log.partitions(TOPICS.events);
  const account = (accountId: string): Promise<AccountView | undefined> =>
    storedAccount(state, partitionOf(accountId, partitions), accountId);
  return {
    account,
    usage: async (query) => {
      const { clock } = await settled(progress, log, partitionOf(query.accountId, partitions));
      if ((await account(query.accountId)) === undefined) return undefined;
      return { ...(await usage(query, warehouse)), asOf: Math.max(0, clock) };
    },
    orders: (query) => ordersPage(state, partitions, query),
  };
}

async function usage(query: UsageQuery, warehouse: WarehouseClient): Promise<Page<UsageLine>> {
  const skipped = query.after === undefined ? 0 : Number.parseInt(query.after, 10);
  const result = await warehouse.query({
    query: USAGE,
    query_params: {
      account: query.accountId,
      from: query.from,
      to: query.to,
      limit: query.limit + 1,
      skipped: Number.isSafeInteger(skipped) && skipped > 0 ? skipped : 0,
    },
    format: 'JSONEachRow',
  });
  const rows = usageRows.parse(await result.json());
  const items = rows.slice(0, query.limit).map(usageLine);
  return { items, next: rows.length > query.limit ? `${skipped + query.limit}` : undefined };
}

const USAGE = `
SELECT resource_kind, resource_id, sku, category, reservation_id, correction, sum(quantity_ms) AS quantity_ms, unit,
  unit_price, list_unit_price, sum(amount) AS amount, sum(list_amount) AS list_amount
FROM rated_lines FINAL
WHERE account_id = {account:String}
  AND start >= fromUnixTimestamp64Milli({from:Int64}) AND start < fromUnixTimestamp64Milli({to:Int64})
GROUP BY resource_kind, resource_id, sku, category, reservation_id, correction, unit, unit_price, list_unit_price
ORDER BY resource_kind, resource_id, sku, category, reservation_id, correction, unit_price, list_unit_price
LIMIT {limit:UInt32} OFFSET {skipped:UInt64}`;

function usageLine(row: z.infer<typeof usageRows>[number]): UsageLine {
  return {
    resourceKind: row.resource_kind,
    resourceId: row.resource_id,
    sku: row.sku,
    category: row.category,
    reservationId: row.reservation_id ?? undefined,
    correction: row.correction,
    quantityMs: BigInt(row.quantity_ms),
    unit: row.unit,
    unitPriceMicros: storedPrice(row.unit_price),
    listUnitPriceMicros: storedPrice(row.list_unit_price),
    amountNanos: readAmount(row.amount),
    listAmountNanos: readAmount(row.list_amount),
  };
}

function storedPrice(text: string): bigint {
  const price = parsePrice(text);
  if (price === undefined) throw new Error(`the warehouse holds ${JSON.stringify(text)} as a price`);
  return price;
}
