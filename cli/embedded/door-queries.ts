import { z } from 'zod';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import type { Enforcer } from '../../services/enforcer/enforcer.ts';
import type { AccountView, OrdersQuery, Page, Queries, UsageLine, UsageQuery } from '../../services/ingest/ports.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import type { Rater } from '../../services/rater/rater.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { parsePrice, readAmount } from '../../services/shared/money.ts';
import { compareText } from '../../services/shared/text-order.ts';
import { settled } from './settled.ts';
import { storedAccount } from './stored-account.ts';
import type { Stores } from './stores.ts';

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

/** What is asked of the pipeline. */
interface Asked {
  readonly rater: Pick<Rater, 'account' | 'progress'>;
  readonly enforcer: Enforcer;
}

/** What can be asked of accounts: balances from the rater's memory, usage from the warehouse, orders from the enforcer. */
export function queries({ rater, enforcer }: Asked, { log, state, warehouse }: Stores): Queries {
  /** Who was not heard of for long is not in memory, and has not changed since it was last stored. */
  const account = async (accountId: string): Promise<AccountView | undefined> => {
    const found = rater.account(accountId);
    if (found === undefined) return storedAccount(state, accountId);
    return { ...balanceOf(found), asOf: rater.progress.clock, coming: enforcer.comingActions(accountId) };
  };
  return {
    account,
    usage: async (query) => {
      await settled(rater, log);
      const asOf = Math.max(0, rater.progress.committedClock);
      if ((await account(query.accountId)) === undefined) return undefined;
      return { ...(await usage(query, warehouse)), asOf };
    },
    orders: async (query) => orders(query, enforcer),
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

function orders(query: OrdersQuery, enforcer: Enforcer): Page<Command> {
  const accounts = query.accountId === undefined ? [...enforcer.accountIds()].sort(compareText) : [query.accountId];
  const items: Command[] = [];
  for (const accountId of accounts) {
    for (const command of enforcer.standingOrders(accountId)) {
      const { kind, id } = command.resource;
      if (query.resourceKind !== undefined && kind !== query.resourceKind) continue;
      if (query.resourceId !== undefined && id !== query.resourceId) continue;
      if (query.after !== undefined && compareText(orderKey(command), query.after) <= 0) continue;
      items.push(command);
    }
  }
  const sorted = items.sort((left, right) => compareText(orderKey(left), orderKey(right)));
  const page = sorted.slice(0, query.limit);
  const last = page[page.length - 1];
  return { items: page, next: sorted.length > query.limit && last !== undefined ? orderKey(last) : undefined };
}

function orderKey(command: Command): string {
  return `${command.accountId}/${command.resource.kind}/${command.resource.id}`;
}
