import {
  INVOICE_SECTIONS,
  type Invoice,
  type InvoiceLine,
  type InvoiceSection,
} from '../../shared/contracts/invoice.ts';
import type { Nanos } from '../../shared/money.ts';
import { compareText } from '../../shared/text-order.ts';
import { type Account, type Effects, type MonthTotals, type Quantity, touch } from './account.ts';
import { unitOf } from './quantities.ts';

/** F3: makes a month's final invoice, and forgets what only it needed. */
export function finaliseMonth(account: Account, totals: MonthTotals, effects: Effects): void {
  const invoice = invoiceOf(account, totals, account.totals.finalBalanceNanos, 'final');
  for (const quantity of quantitiesOf(account, totals.month)) {
    account.quantities.delete(quantity.key);
    touch(account, quantity);
  }
  account.months.delete(totals.month);
  touch(account, totals);
  account.totals.finalBalanceNanos = invoice.closingBalanceNanos;
  touch(account, account);
  effects.invoice(invoice);
}

/** F1: the invoices of the months that are not final yet, each opening with what the one before closed. */
export function openInvoices(account: Account): readonly Invoice[] {
  let opening = account.totals.finalBalanceNanos;
  const months = [...account.months.values()].sort((left, right) => compareText(left.month, right.month));
  return months.map((totals) => {
    const invoice = invoiceOf(account, totals, opening, 'open');
    opening = invoice.closingBalanceNanos;
    return invoice;
  });
}

function invoiceOf(account: Account, totals: MonthTotals, opening: Nanos, status: Invoice['status']): Invoice {
  const lines = quantitiesOf(account, totals.month).map(lineOf).sort(compareLines);
  let charges = 0n;
  for (const line of lines) charges += line.amountNanos;
  const { grantedNanos, refundedNanos, expiredNanos } = totals;
  return {
    accountId: account.id,
    month: totals.month,
    status,
    openingBalanceNanos: opening,
    grantedNanos,
    refundedNanos,
    expiredNanos,
    chargesNanos: charges,
    closingBalanceNanos: opening + grantedNanos + refundedNanos - expiredNanos - charges,
    lines,
  };
}

function quantitiesOf(account: Account, month: string): readonly Quantity[] {
  return [...account.quantities.values()].filter((quantity) => quantity.invoiceMonth === month);
}

function lineOf(quantity: Quantity): InvoiceLine {
  return {
    section: sectionOf(quantity),
    resourceKind: quantity.resourceKind,
    resourceId: quantity.resourceId,
    sku: quantity.sku,
    category: quantity.category,
    reservationId: quantity.reservationId,
    correction: quantity.correction,
    quantityMs: quantity.totalMs,
    unit: unitOf(quantity.resourceKind),
    unitPriceMicros: quantity.unitPriceMicros,
    listUnitPriceMicros: quantity.listPriceMicros,
    amountNanos: quantity.amountNanos,
    listAmountNanos: quantity.listAmountNanos,
  };
}

function sectionOf(quantity: Quantity): InvoiceSection {
  return quantity.correction ? 'correction' : quantity.category;
}

/** F1: by section, then by everything that tells two lines apart, as text; prices by value. */
function compareLines(left: InvoiceLine, right: InvoiceLine): number {
  return (
    INVOICE_SECTIONS.indexOf(left.section) - INVOICE_SECTIONS.indexOf(right.section) ||
    compareText(left.resourceKind, right.resourceKind) ||
    compareText(left.resourceId, right.resourceId) ||
    compareText(left.sku, right.sku) ||
    compareText(left.category, right.category) ||
    compareText(left.reservationId ?? '', right.reservationId ?? '') ||
    comparePrice(left.unitPriceMicros, right.unitPriceMicros) ||
    comparePrice(left.listUnitPriceMicros, right.listUnitPriceMicros)
  );
}

function comparePrice(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
