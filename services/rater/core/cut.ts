import type { Category } from '../../shared/contracts/rated-line.ts';
import type { PriceMicros } from '../../shared/money.ts';
import { compareText } from '../../shared/text-order.ts';
import { HOUR_MS, type Instant } from '../../shared/time.ts';
import type { Reservation } from './account.ts';
import { invoiceMonthOf } from './months.ts';
import { listPriceAt, type PriceSources, priceHoldsUntil, unitPriceAt } from './price-book.ts';

/** R7: what becomes one rated line: the pieces of a sample that share hour, category, reservation, prices and month. */
export interface Draft {
  readonly hour: number;
  readonly category: Category;
  readonly reservationId: string | undefined;
  readonly unitPriceMicros: PriceMicros;
  readonly listPriceMicros: PriceMicros;
  readonly invoiceMonth: string;
  readonly correction: boolean;
  readonly start: Instant;
  end: Instant;
  /** GPU-milliseconds; of a volume plain milliseconds, for its size may not fit a number. */
  unitMs: number;
}

/** What a sample is cut for. */
export interface Cut {
  readonly clock: Instant;
  readonly prices: PriceSources;
  /** GPUs of the node; 1 for a volume. */
  readonly units: number;
  readonly usage: 'gpu' | 'storage';
  /** R4: charged reservations of the cluster and gpu_type, earliest end first, then lowest id. */
  readonly reservations: readonly Reservation[];
}

const CATEGORY_ORDER: Readonly<Record<Category, number>> = { reserved: 0, burst: 1, on_demand: 2, storage: 3 };

/**
 * R3, R4: cuts the parts of a sample at every instant at which something that prices them changes, takes free capacity of
 * the reservations that hold, and gathers the pieces into drafts of lines in the order of R7.
 * @param parts flat: start, end, start, end, ...; each has a list price at its start, and so to its end (R1)
 */
export function cutParts(parts: readonly Instant[], cut: Cut): readonly Draft[] {
  const drafts: Draft[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    cutPart(parts[index] ?? 0, parts[index + 1] ?? 0, cut, drafts);
  }
  return drafts.length > 1 ? drafts.sort(compareDrafts) : drafts;
}

interface Piece {
  readonly start: Instant;
  readonly end: Instant;
  readonly unitPriceMicros: PriceMicros;
  readonly listPriceMicros: PriceMicros;
  readonly invoiceMonth: string;
  readonly correction: boolean;
}

function cutPart(start: Instant, end: Instant, cut: Cut, drafts: Draft[]): void {
  for (let from = start; from < end; ) {
    const hourEnd = (Math.floor(from / HOUR_MS) + 1) * HOUR_MS;
    const to = Math.min(end, hourEnd, priceHoldsUntil(cut.prices, from), capacityHoldsUntil(cut.reservations, from));
    const unitPriceMicros = unitPriceAt(cut.prices, from);
    const listPriceMicros = listPriceAt(cut.prices, from);
    if (unitPriceMicros === undefined || listPriceMicros === undefined) {
      throw new Error(`R1: a piece at ${from} has no price, but its sample was let in`);
    }
    const { invoiceMonth, correction } = invoiceMonthOf(from, cut.clock);
    const piece = { start: from, end: to, unitPriceMicros, listPriceMicros, invoiceMonth, correction };
    if (cut.usage === 'storage') draft(drafts, piece, 'storage', undefined, 1);
    else takeCapacity(piece, cut, drafts);
    from = to;
  }
}

/** R4: the first instant after `from` at which the set of reservations that hold, or what is free of one, changes. */
function capacityHoldsUntil(reservations: readonly Reservation[], from: Instant): Instant {
  let until = Number.POSITIVE_INFINITY;
  for (const reservation of reservations) {
    if (reservation.endsAt <= from) continue;
    if (reservation.startsAt > from) until = Math.min(until, reservation.startsAt);
    else until = Math.min(until, reservation.endsAt, reservation.used.nextChangeAfter(from));
  }
  return until;
}

function takeCapacity(piece: Piece, cut: Cut, drafts: Draft[]): void {
  let open = cut.units;
  let reserved = false;
  for (const reservation of cut.reservations) {
    if (reservation.startsAt > piece.start || reservation.endsAt <= piece.start) continue;
    reserved = true;
    const taken = Math.min(open, reservation.gpus - reservation.used.takenAt(piece.start));
    if (taken <= 0) continue;
    reservation.used.take(piece.start, piece.end, taken);
    draft(drafts, piece, 'reserved', reservation.id, taken);
    open -= taken;
  }
  if (open > 0) draft(drafts, piece, reserved ? 'burst' : 'on_demand', undefined, open);
}

/** R5: what is reserved costs 0 and is recorded with its list price. */
function draft(
  drafts: Draft[],
  piece: Piece,
  category: Category,
  reservationId: string | undefined,
  units: number,
): void {
  const unitPriceMicros = category === 'reserved' ? 0n : piece.unitPriceMicros;
  const { listPriceMicros, invoiceMonth, correction } = piece;
  const hour = Math.floor(piece.start / HOUR_MS);
  const unitMs = (piece.end - piece.start) * units;
  for (let index = drafts.length - 1; index >= 0; index -= 1) {
    const known = drafts[index];
    if (known === undefined || known.hour !== hour) break;
    if (
      known.category === category &&
      known.reservationId === reservationId &&
      known.unitPriceMicros === unitPriceMicros &&
      known.listPriceMicros === listPriceMicros &&
      known.correction === correction
    ) {
      known.end = piece.end;
      known.unitMs += unitMs;
      return;
    }
  }
  drafts.push({
    hour,
    category,
    reservationId,
    unitPriceMicros,
    listPriceMicros,
    invoiceMonth,
    correction,
    start: piece.start,
    end: piece.end,
    unitMs,
  });
}

/** R7: by hour, then first instant, then category, then reservation. */
function compareDrafts(left: Draft, right: Draft): number {
  return (
    left.hour - right.hour ||
    left.start - right.start ||
    CATEGORY_ORDER[left.category] - CATEGORY_ORDER[right.category] ||
    compareText(left.reservationId ?? '', right.reservationId ?? '')
  );
}
