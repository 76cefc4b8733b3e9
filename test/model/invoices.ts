import type { Account, ReservationCharge } from './account.ts';
import { formatAmount, formatPrice } from './amounts.ts';
import { hour, monthEnd } from './calendar.ts';
import type { Invoice, InvoiceLine, LedgerLine } from './output.ts';
import type { Line } from './rate-sample.ts';

/** A ledger entry with its signed amount in nanos. */
export interface Entry {
  readonly written: LedgerLine;
  readonly amount: bigint;
}

const sections: InvoiceLine['section'][] = ['reservation', 'reserved', 'burst', 'on_demand', 'storage', 'correction'];

/** F1-F3: the account's invoices, one for each month with a line or an entry of its own month, as of the clock. */
export function invoicesOf(
  account: Account,
  lines: readonly Line[],
  entries: readonly Entry[],
  clock: number,
): Invoice[] {
  const usage = lines.filter((line) => line.claim.accountId === account.id).map(sumOfUsage);
  const dated = entries.filter((e) => e.written.account_id === account.id && e.written.invoice_month !== undefined);
  const ofUsage = usage.map((sum) => sum.month);
  const ofEntries = dated.flatMap((e) => e.written.invoice_month ?? []);
  const months = new Set([...ofUsage, ...ofEntries, ...account.reservationCharges.map((c) => c.month)]);
  const invoices: Invoice[] = [];
  let opening = 0n;
  for (const month of [...months].sort()) {
    const sum = (kind: string) =>
      dated.reduce((n, e) => (e.written.kind === kind && e.written.invoice_month === month ? n + e.amount : n), 0n);
    const charged = invoiceLines(
      [...account.reservationCharges.map(sumOfCharge), ...usage].filter((sum) => sum.month === month),
    );
    const charges = charged.reduce((n, line) => n + line.amount, 0n);
    const [granted, refunded, expired] = [sum('grant'), sum('refund'), -sum('expiry')];
    const closing = opening + granted + refunded - expired - charges;
    invoices.push({
      account_id: account.id,
      month,
      status: clock >= monthEnd(month) + 72 * hour ? 'final' : 'open',
      opening_balance: formatAmount(opening),
      granted: formatAmount(granted),
      refunded: formatAmount(refunded),
      expired: formatAmount(expired),
      charges: formatAmount(charges),
      closing_balance: formatAmount(closing),
      lines: charged.map((line) => line.written),
    });
    opening = closing;
  }
  return invoices;
}

interface Sum {
  month: string;
  head: Omit<InvoiceLine, 'quantity_ms' | 'amount' | 'list_amount'>;
  quantityMs: bigint;
  amount: bigint;
  listAmount: bigint;
}

/** F2: sums by R6's key, in the order of the sections. */
function invoiceLines(parts: readonly Sum[]): { written: InvoiceLine; amount: bigint }[] {
  const sums = new Map<string, Sum>();
  for (const sum of parts) {
    const key = JSON.stringify(sum.head);
    const before = sums.get(key) ?? { quantityMs: 0n, amount: 0n, listAmount: 0n };
    sums.set(key, {
      month: sum.month,
      head: sum.head,
      quantityMs: before.quantityMs + sum.quantityMs,
      amount: before.amount + sum.amount,
      listAmount: before.listAmount + sum.listAmount,
    });
  }
  const ordered = [...sums.values()].sort(
    (a, b) => sections.indexOf(a.head.section) - sections.indexOf(b.head.section),
  );
  return ordered.map(({ head, quantityMs, amount, listAmount }) => ({
    amount,
    written: {
      ...head,
      quantity_ms: quantityMs.toString(),
      amount: formatAmount(amount),
      list_amount: formatAmount(listAmount),
    },
  }));
}

function sumOfUsage(line: Line): Sum {
  const rated = line.written;
  const { resource_kind, resource_id, sku, category, correction, unit, unit_price, list_unit_price } = rated;
  const reservation = rated.reservation_id === undefined ? {} : { reservation_id: rated.reservation_id };
  const section = correction ? 'correction' : category;
  return {
    month: rated.invoice_month,
    head: {
      section,
      resource_kind,
      resource_id,
      sku,
      category,
      ...reservation,
      correction,
      unit,
      unit_price,
      list_unit_price,
    },
    quantityMs: line.quantityMs,
    amount: line.amount,
    listAmount: line.listAmount,
  };
}

function sumOfCharge(charge: ReservationCharge): Sum {
  const { id, clusterId, gpuType } = charge.reservation;
  const price = formatPrice(charge.price);
  return {
    month: charge.month,
    head: {
      section: 'reservation',
      resource_kind: 'cluster',
      resource_id: clusterId,
      sku: gpuType,
      category: 'reservation',
      reservation_id: id,
      correction: false,
      unit: 'gpu_hour',
      unit_price: price,
      list_unit_price: price,
    },
    quantityMs: charge.quantityMs,
    amount: charge.amount,
    listAmount: charge.amount,
  };
}
