import type { RowBlock } from '../../platform/warehouse/row-binary.ts';
import type { BalanceUpdate } from '../shared/contracts/balance-update.ts';
import type { Invoice } from '../shared/contracts/invoice.ts';
import type { LedgerEntry } from '../shared/contracts/ledger-entry.ts';
import type { RatedLine } from '../shared/contracts/rated-line.ts';
import type { ReservationCharge } from '../shared/contracts/reservation-charge.ts';
import { type UpdateRecord, updateRecords } from '../shared/contracts/update-record.ts';
import type { Nanos } from '../shared/money.ts';
import type { Instant } from '../shared/time.ts';
import type { Effects } from './core/account.ts';
import {
  openBlock,
  type Place,
  putBalanceUpdate,
  putFinalInvoice,
  putLedgerEntry,
  putRatedLine,
  putRejection,
  putReservationCharge,
  putVerdict,
  RATER_TABLES,
  type RaterTable,
  type RejectionRow,
  type VerdictRow,
} from './rows.ts';

/** A record for a topic of the log. */
export interface KeyedRecord {
  readonly key: string;
  readonly value: string;
}

/** A record for `balance.updates`. */
export interface KeyedUpdate {
  readonly key: string;
  readonly record: UpdateRecord;
}

/**
 * What a group of records brought about and no sink has yet: rows by table, and records of `balance.updates`. Each row
 * knows the offset that caused it, so that a repeat from the log writes the same rows.
 */
export class Group implements Effects {
  readonly #partition: number;
  readonly rows = Object.fromEntries(RATER_TABLES.map((table) => [table, openBlock(table)])) as Readonly<
    Record<RaterTable, RowBlock>
  >;
  readonly rejected: KeyedRecord[] = [];
  /** E1: prices that go on to the other partitions, in order, with the time at which they were judged. */
  readonly forwards: (KeyedRecord & { readonly time: Instant })[] = [];
  #updates: (readonly KeyedUpdate[])[] = [];
  #offset = -1;
  #index = 0;
  /** How many records of the log it was made of. */
  records = 0;
  /** The sum of its ledger entries: by so much it moves balances (L7). */
  entriesNanos: Nanos = 0n;

  constructor(partition: number) {
    this.#partition = partition;
  }

  /** The rows that follow are caused by the record at this offset. */
  begin(offset: number): void {
    this.#offset = offset;
    this.#index = 0;
    this.records += 1;
  }

  line(line: RatedLine): void {
    putRatedLine(this.rows.rated_lines, line, this.#place());
  }

  entry(entry: LedgerEntry): void {
    this.entriesNanos += entry.amountNanos;
    putLedgerEntry(this.rows.ledger_entries, entry, this.#place());
  }

  reservationCharge(charge: ReservationCharge): void {
    putReservationCharge(this.rows.reservation_charges, charge, this.#place());
  }

  update(update: BalanceUpdate): void {
    putBalanceUpdate(this.rows.balance_updates, update, this.#place());
    this.#updates.push(updateRecords(update, this.#offset).map((record) => ({ key: update.accountId, record })));
  }

  invoice(invoice: Invoice): void {
    putFinalInvoice(this.rows.invoices_final, invoice, this.#place());
  }

  verdict(row: VerdictRow): void {
    putVerdict(this.rows.event_verdicts, row, this.#place());
  }

  rejection(row: RejectionRow): void {
    const place = this.#place();
    putRejection(this.rows.rejections, row, place);
    this.rejected.push({ key: row.accountId ?? '', value: rejectedRecord(row, place) });
  }

  /** The records of `balance.updates` since the last call, those of one update together. */
  takeUpdates(): readonly (readonly KeyedUpdate[])[] {
    const updates = this.#updates;
    this.#updates = [];
    return updates;
  }

  #place(): Place {
    this.#index += 1;
    return { partition: this.#partition, offset: this.#offset, index: this.#index - 1 };
  }
}

/** A record of `metering.rejected`: the event whole, with reason, detail and where it came from (E4). */
function rejectedRecord(row: RejectionRow, place: Place): string {
  return JSON.stringify({
    reason: row.reason,
    detail: row.detail,
    origin: { partition: place.partition, offset: place.offset },
    event: { encoding: 'json', text: row.event },
  });
}
