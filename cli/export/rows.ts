import { z } from 'zod';
import { accountBalanceJson } from '../../services/shared/contracts/account-balance.ts';
import { REJECTION_REASONS } from '../../services/shared/contracts/event.ts';
import { ledgerEntryJson } from '../../services/shared/contracts/ledger-entry-json.ts';
import { ratedLineJson } from '../../services/shared/contracts/rated-line-json.ts';
import { rejectionJson } from '../../services/shared/contracts/rejection-json.ts';
import { type Nanos, type PriceMicros, parsePrice, readAmount } from '../../services/shared/money.ts';
import { type Instant, parseInstant } from '../../services/shared/time.ts';

/** Columns of the warehouse as values of the contracts: what it holds was written by the rater, so a fault is a broken row. */
export const amount = z.string().transform((text): Nanos => readAmount(text));
export const price = z.string().transform((text, context): PriceMicros => {
  const micros = parsePrice(text);
  if (micros !== undefined) return micros;
  context.addIssue({ code: 'custom', message: `not a price: ${text}` });
  return z.NEVER;
});
export const instant = z.string().transform((text, context): Instant => {
  const at = parseInstant(text);
  if (at !== undefined) return at;
  context.addIssue({ code: 'custom', message: `not an instant: ${text}` });
  return z.NEVER;
});
export const quantity = z.string().transform((text) => BigInt(text));
export const optionalText = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined);
export const resourceKind = z.enum(['cluster', 'volume']);
export const unit = z.enum(['gpu_hour', 'gib_month']);
export const category = z.enum(['reserved', 'burst', 'on_demand', 'storage']);

const ratedLine = z.object({
  line_id: z.string(),
  event: z.string(),
  account_id: z.string(),
  resource_kind: resourceKind,
  resource_id: z.string(),
  node_id: optionalText,
  sku: z.string(),
  category,
  reservation_id: optionalText,
  start: instant,
  end: instant,
  quantity_ms: quantity,
  unit,
  unit_price: price,
  list_unit_price: price,
  amount,
  list_amount: amount,
  invoice_month: z.string(),
  correction: z.boolean(),
  tag_names: z.array(z.string()),
  tag_values: z.array(z.string()),
  has_tags: z.boolean(),
});

/** X: a row of `rated_lines` as one of `rated.ndjson`. */
export function ratedJson(value: unknown): string {
  const row = ratedLine.parse(value);
  const { tag_names, tag_values } = row;
  return ratedLineJson({
    lineId: row.line_id,
    event: row.event,
    accountId: row.account_id,
    resourceKind: row.resource_kind,
    resourceId: row.resource_id,
    nodeId: row.node_id,
    sku: row.sku,
    category: row.category,
    reservationId: row.reservation_id,
    start: row.start,
    end: row.end,
    quantityMs: row.quantity_ms,
    unit: row.unit,
    unitPriceMicros: row.unit_price,
    listUnitPriceMicros: row.list_unit_price,
    amountNanos: row.amount,
    listAmountNanos: row.list_amount,
    invoiceMonth: row.invoice_month,
    correction: row.correction,
    tags: row.has_tags ? new Map(tag_names.map((name, index) => [name, tag_values[index] ?? ''])) : undefined,
  });
}

const ledgerEntry = z.object({
  entry_id: z.string(),
  account_id: z.string(),
  time: instant,
  kind: z.enum(['grant', 'usage', 'reservation', 'expiry', 'refund']),
  amount,
  ref: z.string(),
  invoice_month: optionalText,
});

/** X: a row of `ledger_entries` as one of `ledger.ndjson`. */
export function ledgerJson(value: unknown): string {
  const row = ledgerEntry.parse(value);
  return ledgerEntryJson({
    entryId: row.entry_id,
    accountId: row.account_id,
    time: row.time,
    kind: row.kind,
    amountNanos: row.amount,
    ref: row.ref,
    invoiceMonth: row.invoice_month,
    consumed: [],
  });
}

const accountBalance = z.object({
  account_id: z.string(),
  granted: amount,
  refunded: amount,
  charged: amount,
  expired: amount,
  burn_rate: amount,
  level: z.enum(['active', 'low', 'exhausted']),
});

/** X, C1: sums of the ledger, with burn rate and level of the last update, as a row of `balances.ndjson`. */
export function balanceJson(value: unknown): string {
  const row = accountBalance.parse(value);
  return accountBalanceJson({
    accountId: row.account_id,
    balanceNanos: row.granted + row.refunded - row.charged - row.expired,
    grantedNanos: row.granted,
    refundedNanos: row.refunded,
    chargedNanos: row.charged,
    expiredNanos: row.expired,
    burnRateNanos: row.burn_rate,
    level: row.level,
  });
}

const body = z.object({ body: z.string() });

/** X, K: a row of `commands` as it was issued. */
export function commandJson(value: unknown): string {
  return body.parse(value).body;
}

const rejection = z.object({
  offset: z.string(),
  reason: z.enum(REJECTION_REASONS),
  detail: z.string(),
  event: z.string(),
});

/** X: a row of `rejections` as one of `rejected.ndjson`; the log has no blank lines, so its line is its offset + 1. */
export function rejectedJson(value: unknown): string {
  const row = rejection.parse(value);
  return rejectionJson(Number(row.offset) + 1, { reason: row.reason, detail: row.detail }, row.event);
}
