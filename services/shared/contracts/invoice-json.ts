import { formatAmount, formatPrice } from '../money.ts';
import type { Invoice, InvoiceLine } from './invoice.ts';

/** X: one row of `invoices.ndjson`. */
export function invoiceJson(invoice: Invoice): string {
  return JSON.stringify({
    account_id: invoice.accountId,
    month: invoice.month,
    status: invoice.status,
    opening_balance: formatAmount(invoice.openingBalanceNanos),
    granted: formatAmount(invoice.grantedNanos),
    refunded: formatAmount(invoice.refundedNanos),
    expired: formatAmount(invoice.expiredNanos),
    charges: formatAmount(invoice.chargesNanos),
    closing_balance: formatAmount(invoice.closingBalanceNanos),
    lines: invoice.lines.map(lineObject),
  });
}

function lineObject(line: InvoiceLine): object {
  return {
    section: line.section,
    resource_kind: line.resourceKind,
    resource_id: line.resourceId,
    sku: line.sku,
    category: line.category,
    ...(line.reservationId === undefined ? {} : { reservation_id: line.reservationId }),
    correction: line.correction,
    quantity_ms: `${line.quantityMs}`,
    unit: line.unit,
    unit_price: formatPrice(line.unitPriceMicros),
    list_unit_price: formatPrice(line.listUnitPriceMicros),
    amount: formatAmount(line.amountNanos),
    list_amount: formatAmount(line.listAmountNanos),
  };
}
