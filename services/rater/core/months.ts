import { HOUR_MS, type Instant, monthEnd, monthOf, monthStart } from '../../shared/time.ts';
import { type Account, type MonthTotals, touch } from './account.ts';
import { putTimer } from './timers.ts';

/** R8, F3: how long after its end a month stays open. */
export const OPEN_AFTER_END_MS = 72 * HOUR_MS;

/** F3: the instant from which an invoice of this month never changes again. */
export function finalAt(month: string): Instant {
  return monthEnd(month) + OPEN_AFTER_END_MS;
}

export interface InvoiceMonth {
  readonly invoiceMonth: string;
  readonly correction: boolean;
}

/** The month last asked for, which is nearly always the next one's too. */
let last = { from: 0, to: 0, finalAt: 0, own: { invoiceMonth: '', correction: false } };

/** R8: the invoice month of a piece that starts at `start`, seen at `clock`. */
export function invoiceMonthOf(start: Instant, clock: Instant): InvoiceMonth {
  if (start < last.from || start >= last.to) {
    const month = monthOf(start);
    const own = { invoiceMonth: month, correction: false };
    last = { from: monthStart(month), to: monthEnd(month), finalAt: finalAt(month), own };
  }
  return clock < last.finalAt ? last.own : { invoiceMonth: monthOf(clock), correction: true };
}

/** F1: the month's totals; the first touch of a month makes it one that will have an invoice. */
export function openMonth(account: Account, month: string): MonthTotals {
  const known = account.months.get(month);
  if (known !== undefined) return known;
  const totals: MonthTotals = {
    kind: 'month',
    month,
    dirty: false,
    grantedNanos: 0n,
    refundedNanos: 0n,
    expiredNanos: 0n,
  };
  account.months.set(month, totals);
  touch(account, totals);
  putTimer(account, finalAt(month), totals);
  return totals;
}
