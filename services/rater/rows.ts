import { type Column, RowBlock, RowColumns } from '../../platform/warehouse/row-binary.ts';
import { digest } from '../shared/canonical-json.ts';
import type { BalanceUpdate } from '../shared/contracts/balance-update.ts';
import type { Invoice } from '../shared/contracts/invoice.ts';
import { invoiceJson } from '../shared/contracts/invoice-json.ts';
import type { LedgerEntry } from '../shared/contracts/ledger-entry.ts';
import type { RatedLine } from '../shared/contracts/rated-line.ts';
import type { ReservationCharge } from '../shared/contracts/reservation-charge.ts';
import type { Instant } from '../shared/time.ts';
import { RULES_VERSION } from '../shared/topics.ts';

/** Where in the log a row comes from: the offset that caused it or moved the clock to it, and an index within that. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

const INSTANT = "DateTime64(3, 'UTC')";
const AMOUNT = 'Decimal(38, 9)';
const PRICE = 'Decimal(38, 6)';
const OFFSET: readonly Column[] = [
  ['partition', 'UInt32'],
  ['offset', 'UInt64'],
];
const PLACE: readonly Column[] = [...OFFSET, ['idx', 'UInt32']];

const COLUMNS = {
  rated_lines: new RowColumns([
    ['line_id', 'String'],
    ['event', 'String'],
    ['account_id', 'String'],
    ['resource_kind', 'String'],
    ['resource_id', 'String'],
    ['node_id', 'Nullable(String)'],
    ['sku', 'String'],
    ['category', 'String'],
    ['reservation_id', 'Nullable(String)'],
    ['start', INSTANT],
    ['end', INSTANT],
    ['quantity_ms', 'UInt128'],
    ['unit', 'String'],
    ['unit_price', PRICE],
    ['list_unit_price', PRICE],
    ['amount', AMOUNT],
    ['list_amount', AMOUNT],
    ['invoice_month', 'String'],
    ['correction', 'Bool'],
    ['tags', 'Map(String, String)'],
    ['has_tags', 'Bool'],
    ...PLACE,
    ['rules_version', 'UInt16'],
  ]),
  ledger_entries: new RowColumns([
    ['entry_id', 'String'],
    ['account_id', 'String'],
    ['time', INSTANT],
    ['kind', 'String'],
    ['amount', AMOUNT],
    ['ref', 'String'],
    ['invoice_month', 'Nullable(String)'],
    ['consumed', `Array(Tuple(grant_id String, amount ${AMOUNT}))`],
    ...PLACE,
  ]),
  reservation_charges: new RowColumns([
    ['charge_id', 'String'],
    ['entry_id', 'String'],
    ['account_id', 'String'],
    ['reservation_id', 'String'],
    ['cluster_id', 'String'],
    ['gpu_type', 'String'],
    ['quantity_ms', 'UInt128'],
    ['unit_price', PRICE],
    ['amount', AMOUNT],
    ['invoice_month', 'String'],
    ...PLACE,
  ]),
  balance_updates: new RowColumns([
    ['account_id', 'String'],
    ['sequence', 'UInt64'],
    ['at', INSTANT],
    ['balance', AMOUNT],
    ['burn_rate', AMOUNT],
    ['level', 'String'],
    ...PLACE,
  ]),
  invoices_final: new RowColumns([
    ['account_id', 'String'],
    ['month', 'String'],
    ['body', 'String'],
    ['hash', 'String'],
    ...PLACE,
  ]),
  rejections: new RowColumns([
    ...OFFSET,
    ['account_id', 'Nullable(String)'],
    ['reason', 'String'],
    ['detail', 'String'],
    ['event', 'String'],
    ['at', INSTANT],
  ]),
  event_verdicts: new RowColumns([
    ...OFFSET,
    ['event', 'String'],
    ['account_id', 'Nullable(String)'],
    ['verdict', 'String'],
    ['reason', 'Nullable(String)'],
    ['detail', 'Nullable(String)'],
    ['at', INSTANT],
  ]),
} as const;

/** The tables that the rater writes. */
export type RaterTable = keyof typeof COLUMNS;
export const RATER_TABLES = Object.keys(COLUMNS) as readonly RaterTable[];

/** An empty block of rows of a table. */
export function openBlock(table: RaterTable): RowBlock {
  return new RowBlock(COLUMNS[table]);
}

/** Puts a row of `rated_lines`. */
export function putRatedLine(block: RowBlock, line: RatedLine, place: Place): void {
  block.string(line.lineId);
  block.string(line.event);
  block.string(line.accountId);
  block.string(line.resourceKind);
  block.string(line.resourceId);
  block.nullableString(line.nodeId);
  block.string(line.sku);
  block.string(line.category);
  block.nullableString(line.reservationId);
  block.int64(line.start);
  block.int64(line.end);
  block.uint128(line.quantityMs);
  block.string(line.unit);
  block.decimal(line.unitPriceMicros);
  block.decimal(line.listUnitPriceMicros);
  block.decimal(line.amountNanos);
  block.decimal(line.listAmountNanos);
  block.string(line.invoiceMonth);
  block.bool(line.correction);
  block.count(line.tags?.size ?? 0);
  for (const [key, value] of line.tags ?? []) {
    block.string(key);
    block.string(value);
  }
  block.bool(line.tags !== undefined);
  putPlace(block, place);
  block.uint16(RULES_VERSION);
  block.endRow();
}

/** Puts a row of `ledger_entries`. */
export function putLedgerEntry(block: RowBlock, entry: LedgerEntry, place: Place): void {
  block.string(entry.entryId);
  block.string(entry.accountId);
  block.int64(entry.time);
  block.string(entry.kind);
  block.decimal(entry.amountNanos);
  block.string(entry.ref);
  block.nullableString(entry.invoiceMonth);
  block.count(entry.consumed.length);
  for (const use of entry.consumed) {
    block.string(use.grantId);
    block.decimal(use.amountNanos);
  }
  putPlace(block, place);
  block.endRow();
}

/** Puts a row of `reservation_charges`. */
export function putReservationCharge(block: RowBlock, charge: ReservationCharge, place: Place): void {
  block.string(charge.chargeId);
  block.string(charge.entryId);
  block.string(charge.accountId);
  block.string(charge.reservationId);
  block.string(charge.clusterId);
  block.string(charge.gpuType);
  block.uint128(charge.quantityMs);
  block.decimal(charge.unitPriceMicros);
  block.decimal(charge.amountNanos);
  block.string(charge.invoiceMonth);
  putPlace(block, place);
  block.endRow();
}

/** Puts a row of `balance_updates`: the account's part. */
export function putBalanceUpdate(block: RowBlock, update: BalanceUpdate, place: Place): void {
  block.string(update.accountId);
  block.int64(update.sequence);
  block.int64(update.clock);
  block.decimal(update.balanceNanos);
  block.decimal(update.burnRateNanos);
  block.string(update.level);
  putPlace(block, place);
  block.endRow();
}

/** Puts a row of `invoices_final`. */
export function putFinalInvoice(block: RowBlock, invoice: Invoice, place: Place): void {
  const body = invoiceJson(invoice);
  block.string(invoice.accountId);
  block.string(invoice.month);
  block.string(body);
  block.string(digest(body));
  putPlace(block, place);
  block.endRow();
}

export interface VerdictRow {
  readonly event: string;
  readonly accountId: string | undefined;
  readonly verdict: 'applied' | 'duplicate' | 'rejected';
  readonly reason: string | undefined;
  readonly detail: string | undefined;
  readonly clock: Instant;
}

/** Puts a row of `event_verdicts`. */
export function putVerdict(block: RowBlock, row: VerdictRow, place: Place): void {
  block.uint32(place.partition);
  block.int64(place.offset);
  block.string(row.event);
  block.nullableString(row.accountId);
  block.string(row.verdict);
  block.nullableString(row.reason);
  block.nullableString(row.detail);
  block.int64(row.clock);
  block.endRow();
}

export interface RejectionRow {
  readonly accountId: string | undefined;
  readonly reason: string;
  readonly detail: string;
  readonly event: string;
  readonly clock: Instant;
}

/** Puts a row of `rejections`. */
export function putRejection(block: RowBlock, row: RejectionRow, place: Place): void {
  block.uint32(place.partition);
  block.int64(place.offset);
  block.nullableString(row.accountId);
  block.string(row.reason);
  block.string(row.detail);
  block.string(row.event);
  block.int64(row.clock);
  block.endRow();
}

function putPlace(block: RowBlock, place: Place): void {
  block.uint32(place.partition);
  block.int64(place.offset);
  block.uint32(place.index);
}
