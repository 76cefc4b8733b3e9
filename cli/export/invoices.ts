import { z } from 'zod';
import type { WarehouseReader } from '../../platform/warehouse/reader.ts';
import { INVOICE_SECTIONS, type Invoice, type InvoiceLine } from '../../services/shared/contracts/invoice.ts';
import { invoiceJson } from '../../services/shared/contracts/invoice-json.ts';
import { type Nanos, readAmount } from '../../services/shared/money.ts';
import { HOUR_MS, type Instant, monthEnd, monthOf } from '../../services/shared/time.ts';
import type { LogEnd } from './log-end.ts';
import { invoiceParts } from './queries.ts';
import { amount, category, optionalText, price, quantity, resourceKind, unit } from './rows.ts';

/** F3: how long after its end a month stays open. */
const OPEN_AFTER_END_MS = 72 * HOUR_MS;

const place = { account_id: z.string(), month: z.string() };
const part = z.discriminatedUnion('part', [
  z.object({ ...place, part: z.literal(0), body: z.string() }),
  z.object({ ...place, part: z.literal(1), granted: amount, refunded: amount, expired: amount }),
  z.object({
    ...place,
    part: z.literal(2),
    section: z.enum(INVOICE_SECTIONS),
    resource_kind: resourceKind,
    resource_id: z.string(),
    sku: z.string(),
    category: z.union([category, z.literal('reservation')]),
    reservation_id: optionalText,
    correction: z.boolean(),
    quantity_ms: quantity,
    unit,
    unit_price: price,
    list_unit_price: price,
    amount,
    list_amount: amount,
  }),
]);
type Part = z.infer<typeof part>;

const finalBody = z.object({ closing_balance: z.string() });

/**
 * F1-F3, X: the invoices of all accounts, or of one, by account and month, as of an end of the log, each as one line of
 * JSON: final ones as they were fixed, open ones put together from their lines. One account's month is in memory at a time.
 */
export async function* invoiceLines(reader: WarehouseReader, end: LogEnd, accountId?: string): AsyncGenerator<string> {
  const params = {
    partition: end.partition,
    end: end.offset,
    open: firstOpenMonth(end.clock),
    ...(accountId === undefined ? {} : { account: accountId }),
  };
  let account = '';
  let openingNanos: Nanos = 0n;
  let draft: { readonly totals: Extract<Part, { part: 1 }>; readonly lines: InvoiceLine[] } | undefined;
  const finish = (): string[] => {
    if (draft === undefined) return [];
    const invoice = openInvoice(draft.totals, draft.lines, openingNanos);
    draft = undefined;
    openingNanos = invoice.closingBalanceNanos;
    return [invoiceJson(invoice)];
  };
  for await (const rows of reader.stream(invoiceParts(accountId), params, (row) => part.parse(row))) {
    for (const row of rows) {
      if (row.part !== 2) yield* finish();
      if (row.account_id !== account) {
        account = row.account_id;
        openingNanos = 0n;
      }
      if (row.part === 0) {
        openingNanos = readAmount(finalBody.parse(JSON.parse(row.body)).closing_balance);
        yield row.body;
      } else if (row.part === 1) {
        draft = { totals: row, lines: [] };
      } else {
        draft?.lines.push(lineOf(row));
      }
    }
  }
  yield* finish();
}

/** F3: the first month that is not final at this clock; every one after it is open, too. */
export function firstOpenMonth(clock: Instant): string {
  if (clock < 0) return '';
  const month = monthOf(Math.max(0, clock - OPEN_AFTER_END_MS));
  return monthEnd(month) + OPEN_AFTER_END_MS <= clock ? monthOf(clock) : month;
}

function openInvoice(totals: Extract<Part, { part: 1 }>, lines: readonly InvoiceLine[], openingNanos: Nanos): Invoice {
  let charges = 0n;
  for (const line of lines) charges += line.amountNanos;
  return {
    accountId: totals.account_id,
    month: totals.month,
    status: 'open',
    openingBalanceNanos: openingNanos,
    grantedNanos: totals.granted,
    refundedNanos: totals.refunded,
    expiredNanos: totals.expired,
    chargesNanos: charges,
    closingBalanceNanos: openingNanos + totals.granted + totals.refunded - totals.expired - charges,
    lines,
  };
}

function lineOf(row: Extract<Part, { part: 2 }>): InvoiceLine {
  return {
    section: row.section,
    resourceKind: row.resource_kind,
    resourceId: row.resource_id,
    sku: row.sku,
    category: row.category,
    reservationId: row.reservation_id,
    correction: row.correction,
    quantityMs: row.quantity_ms,
    unit: row.unit,
    unitPriceMicros: row.unit_price,
    listUnitPriceMicros: row.list_unit_price,
    amountNanos: row.amount,
    listAmountNanos: row.list_amount,
  };
}
