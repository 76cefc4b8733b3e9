import { z } from 'zod';
import { type EventLog, isLogError } from '../../platform/log/port.ts';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import type { Enforcer } from '../../services/enforcer/enforcer.ts';
import type {
  EventFate,
  EventSink,
  EventVerdict,
  OrdersQuery,
  Page,
  Queries,
  UsageLine,
  UsageQuery,
  Verdicts,
} from '../../services/ingest/ports.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import type { Rater } from '../../services/rater/rater.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { REJECTION_REASONS } from '../../services/shared/contracts/event.ts';
import { parsePrice, readAmount } from '../../services/shared/money.ts';
import { compareText } from '../../services/shared/text-order.ts';
import { formatInstant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { PARTITIONS } from './stores.ts';

/** How long a sender waits when the log is behind: about a group commit. */
const BUSY_MS = 1000;
const FATES_MAX = 100;

/** The embedded log as the door's sink. */
export function eventSink(log: EventLog): EventSink {
  const busy = <Answer>(fault: unknown): Answer | { readonly kind: 'busy'; readonly retryAfterMs: number } => {
    if (isLogError(fault, 'LogBacklogFull')) return { kind: 'busy', retryAfterMs: BUSY_MS };
    throw fault;
  };
  return {
    partitions: PARTITIONS,
    append: async (partition, records) => {
      const values = records.map(({ account, at, text }) => ({
        key: account ?? '',
        value: text,
        ...(at === undefined ? {} : { time: at }),
      }));
      return log
        .append(TOPICS.events, partition, values)
        .then(({ firstOffset }) => ({ kind: 'appended' as const, firstOffset }), busy<never>);
    },
    reject: async (records) => {
      const values = records.map((record) => ({
        key: record.account ?? '',
        value: JSON.stringify({
          reason: record.reason,
          detail: record.detail,
          origin: { sent_by: record.sentBy, received_at: formatInstant(record.receivedAt) },
          truncated: record.truncated,
          event: record.event,
        }),
      }));
      return log.append(TOPICS.rejected, 0, values).then(() => ({ kind: 'kept' as const }), busy<never>);
    },
  };
}

const fateRows = z.array(
  z.object({
    offset: z.string(),
    partition: z.number(),
    account_id: z.string().nullable(),
    verdict: z.enum(['applied', 'duplicate', 'rejected']),
    reason: z.enum(REJECTION_REASONS).nullable(),
    detail: z.string().nullable(),
  }),
);

/** What became of events: of the newest from the rater's memory, of any act and of rejected or rated usage from the warehouse. */
export function verdicts(rater: Rater, warehouse: WarehouseClient): Verdicts {
  return {
    of: async (source, id) => {
      const result = await warehouse.query({
        query: FATES,
        query_params: { event: `${source}/${id}`, limit: FATES_MAX },
        format: 'JSONEachRow',
      });
      return fateRows.parse(await result.json()).map(
        (row): EventFate => ({
          account: row.account_id ?? undefined,
          position: { partition: row.partition, offset: Number(row.offset) },
          verdict: verdictOf(row.verdict, row.reason, row.detail),
        }),
      );
    },
    wait: async (positions, timeoutMs, signal) => {
      const last = Math.max(...positions.map(({ offset }) => offset));
      await rater.verdicts.wait(last + 1, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      return positions.map(({ offset }): EventVerdict => {
        const outcome = rater.verdicts.of(offset);
        if (outcome === undefined) return { status: 'pending' };
        return outcome.kind === 'rejected'
          ? { status: 'rejected', reason: outcome.reason, detail: outcome.detail }
          : { status: outcome.kind };
      });
    },
  };
}

const FATES = `
SELECT partition, offset, account_id, verdict, reason, detail FROM
(
  SELECT partition, offset, account_id, verdict, reason, detail FROM event_verdicts FINAL WHERE event = {event:String}
  UNION ALL
  SELECT partition, offset, CAST(account_id AS Nullable(String)) AS account_id, 'applied' AS verdict,
    CAST(NULL AS Nullable(String)) AS reason, CAST(NULL AS Nullable(String)) AS detail
  FROM rated_lines FINAL WHERE event = {event:String} GROUP BY partition, offset, account_id
  UNION ALL
  SELECT partition, offset, account_id, 'rejected' AS verdict, CAST(reason AS Nullable(String)) AS reason,
    CAST(detail AS Nullable(String)) AS detail
  FROM rejections FINAL
  WHERE concat(JSONExtractString(event, 'source'), '/', JSONExtractString(event, 'id')) = {event:String}
    AND startsWith(JSONExtractString(event, 'type'), 'usage.')
)
ORDER BY partition, offset LIMIT {limit:UInt32}`;

function verdictOf(
  verdict: 'applied' | 'duplicate' | 'rejected',
  reason: (typeof REJECTION_REASONS)[number] | null,
  detail: string | null,
): EventVerdict {
  if (verdict !== 'rejected') return { status: verdict };
  if (reason === null) throw new Error('a rejected event has no reason in the warehouse');
  return { status: 'rejected', reason, detail: detail ?? '' };
}

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

/** What can be asked of accounts: balances from the rater's memory, usage from the warehouse, orders from the enforcer. */
export function queries(rater: Rater, enforcer: Enforcer, warehouse: WarehouseClient): Queries {
  return {
    account: async (accountId) => {
      const account = rater.account(accountId);
      if (account === undefined) return undefined;
      return { ...balanceOf(account), asOf: rater.progress.clock, coming: enforcer.comingActions(accountId) };
    },
    usage: async (query) => {
      if (rater.account(query.accountId) === undefined) return undefined;
      return usage(query, warehouse);
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
