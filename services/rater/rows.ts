import { digest } from '../shared/canonical-json.ts';
import type { BalanceUpdate } from '../shared/contracts/balance-update.ts';
import type { Invoice } from '../shared/contracts/invoice.ts';
import { invoiceJson } from '../shared/contracts/invoice-json.ts';
import { jsonText } from '../shared/contracts/json-text.ts';
import type { LedgerEntry } from '../shared/contracts/ledger-entry.ts';
import type { RatedLine } from '../shared/contracts/rated-line.ts';
import { tagsJson } from '../shared/contracts/rated-line-json.ts';
import type { ReservationCharge } from '../shared/contracts/reservation-charge.ts';
import { formatAmount, formatPrice } from '../shared/money.ts';
import { formatInstant, type Instant } from '../shared/time.ts';
import { RULES_VERSION } from '../shared/topics.ts';

/** Where in the log a row comes from: the offset that caused it or moved the clock to it, and an index within that. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

/** The tables that the rater writes, in the order of their columns in schemas/clickhouse. */
export const RATER_TABLES = [
  'rated_lines',
  'ledger_entries',
  'reservation_charges',
  'balance_updates',
  'invoices_final',
  'rejections',
  'event_verdicts',
] as const;
export type RaterTable = (typeof RATER_TABLES)[number];

/** A row of `rated_lines`. */
export function ratedLineRow(line: RatedLine, place: Place): string {
  const tags = line.tags === undefined ? '{},false' : `${tagsJson(line.tags)},true`;
  return (
    `["${line.lineId}",${jsonText(line.event)},"${line.accountId}","${line.resourceKind}","${line.resourceId}",` +
    `${orNull(line.nodeId)},"${line.sku}","${line.category}",${orNull(line.reservationId)},` +
    `"${formatInstant(line.start)}","${formatInstant(line.end)}","${line.quantityMs}","${line.unit}",` +
    `"${formatPrice(line.unitPriceMicros)}","${formatPrice(line.listUnitPriceMicros)}",` +
    `"${formatAmount(line.amountNanos)}","${formatAmount(line.listAmountNanos)}","${line.invoiceMonth}",` +
    `${line.correction},${tags},${placeText(place)},${RULES_VERSION}]`
  );
}

/** A row of `ledger_entries`. */
export function ledgerEntryRow(entry: LedgerEntry, place: Place): string {
  const consumed = entry.consumed.map((use) => `["${use.grantId}","${formatAmount(use.amountNanos)}"]`).join(',');
  return (
    `["${entry.entryId}","${entry.accountId}","${formatInstant(entry.time)}","${entry.kind}",` +
    `"${formatAmount(entry.amountNanos)}",${jsonText(entry.ref)},${orNull(entry.invoiceMonth)},[${consumed}],` +
    `${placeText(place)}]`
  );
}

/** A row of `reservation_charges`. */
export function reservationChargeRow(charge: ReservationCharge, place: Place): string {
  return (
    `["${charge.chargeId}","${charge.entryId}","${charge.accountId}","${charge.reservationId}","${charge.clusterId}",` +
    `"${charge.gpuType}","${charge.quantityMs}","${formatPrice(charge.unitPriceMicros)}",` +
    `"${formatAmount(charge.amountNanos)}","${charge.invoiceMonth}",${placeText(place)}]`
  );
}

/** A row of `balance_updates`: the account's part. */
export function balanceUpdateRow(update: BalanceUpdate, place: Place): string {
  return (
    `["${update.accountId}",${update.sequence},"${formatInstant(update.clock)}",` +
    `"${formatAmount(update.balanceNanos)}","${formatAmount(update.burnRateNanos)}","${update.level}",${placeText(place)}]`
  );
}

/** A row of `invoices_final`. */
export function finalInvoiceRow(invoice: Invoice, place: Place): string {
  const body = invoiceJson(invoice);
  return `["${invoice.accountId}","${invoice.month}",${JSON.stringify(body)},"${digest(body)}",${placeText(place)}]`;
}

export interface VerdictRow {
  readonly event: string;
  readonly accountId: string | undefined;
  readonly verdict: 'applied' | 'duplicate' | 'rejected';
  readonly reason: string | undefined;
  readonly detail: string | undefined;
  readonly clock: Instant;
}

/** A row of `event_verdicts`. */
export function verdictRow(row: VerdictRow, place: Place): string {
  return JSON.stringify([
    place.partition,
    place.offset,
    row.event,
    row.accountId ?? null,
    row.verdict,
    row.reason ?? null,
    row.detail ?? null,
    formatInstant(row.clock),
  ]);
}

export interface RejectionRow {
  readonly accountId: string | undefined;
  readonly reason: string;
  readonly detail: string;
  readonly event: string;
  readonly clock: Instant;
}

/** A row of `rejections`. */
export function rejectionRow(row: RejectionRow, place: Place): string {
  const { partition, offset } = place;
  return JSON.stringify([
    partition,
    offset,
    row.accountId ?? null,
    row.reason,
    row.detail,
    row.event,
    formatInstant(row.clock),
  ]);
}

function placeText(place: Place): string {
  return `${place.partition},${place.offset},${place.index}`;
}

function orNull(text: string | undefined): string {
  return text === undefined ? 'null' : `"${text}"`;
}
