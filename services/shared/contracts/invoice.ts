import type { Nanos, PriceMicros } from '../money.ts';
import type { Category, ResourceKind, Unit } from './rated-line.ts';

/** F1: the parts of an invoice, in the order in which they are shown. */
export const INVOICE_SECTIONS = ['reservation', 'reserved', 'burst', 'on_demand', 'storage', 'correction'] as const;
export type InvoiceSection = (typeof INVOICE_SECTIONS)[number];

/** F2: the sum over R6's key, nodes, hours and samples together. */
export interface InvoiceLine {
  readonly section: InvoiceSection;
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  readonly sku: string;
  readonly category: Category | 'reservation';
  readonly reservationId: string | undefined;
  readonly correction: boolean;
  readonly quantityMs: bigint;
  readonly unit: Unit;
  readonly unitPriceMicros: PriceMicros;
  readonly listUnitPriceMicros: PriceMicros;
  readonly amountNanos: Nanos;
  readonly listAmountNanos: Nanos;
}

/** F1: one account's month. closing = opening + granted + refunded - expired - charges. */
export interface Invoice {
  readonly accountId: string;
  readonly month: string;
  /** F3: `final` from 72 h past the month's end; it never changes again. */
  readonly status: 'open' | 'final';
  readonly openingBalanceNanos: Nanos;
  readonly grantedNanos: Nanos;
  readonly refundedNanos: Nanos;
  readonly expiredNanos: Nanos;
  readonly chargesNanos: Nanos;
  readonly closingBalanceNanos: Nanos;
  readonly lines: readonly InvoiceLine[];
}
