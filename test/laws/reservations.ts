import { costOfGpuMs } from '../model/amounts.ts';
import { monthOf } from '../model/calendar.ts';
import { type Fraction, fraction } from '../model/fraction.ts';
import type { Body, Purchase } from '../model/read-event.ts';
import type { AccountPast, Charge, ReservationPast, Terms } from './past.ts';
import { Versions } from './versions.ts';

/** Told of every stretch of time in which a reservation's capacity came or went. */
export type CapacityMoved = (reservation: ReservationPast, from: number, to: number) => void;

type Extended = Extract<Body, { type: 'reservation.extended' }>;
type Cancelled = Extract<Body, { type: 'reservation.cancelled' }>;

/** C4: keeps the reservations of accounts from their events, and charges what they cost. */
export class Reservations {
  readonly #moved: CapacityMoved;

  constructor(moved: CapacityMoved) {
    this.#moved = moved;
  }

  purchase(account: AccountPast, body: Purchase, step: number, clock: number): void {
    const { reservationId: id, clusterId, gpuType, gpus, startsAt, endsAt, payment } = body;
    const priceMicros = microsOf(body.price);
    const terms = new Versions<Terms>();
    const due = [{ from: startsAt, to: endsAt, priceMicros }];
    const one = { id, clusterId, gpuType, gpus, startsAt, payment, priceMicros, terms, due, sums: new Map() };
    terms.put(step, { endsAt, charged: false, setAt: clock, setBy: 'term' });
    account.reservations.set(id, one);
    const provisioned = account.clusters.get(clusterId)?.provisioned.last === true;
    if (payment === 'upfront' || provisioned) this.#chargeFirst(account, one, step, clock);
  }

  extend(account: AccountPast, body: Extended, step: number, clock: number): void {
    const one = known(account, body.reservationId);
    const before = lastTerms(one);
    const priceMicros = body.price === undefined ? one.priceMicros : microsOf(body.price);
    const added = { from: Math.max(before.endsAt, one.startsAt), to: body.endsAt, priceMicros };
    one.terms.put(step, { endsAt: body.endsAt, charged: before.charged, setAt: clock, setBy: 'term' });
    if (added.from >= added.to) return;
    if (before.charged) {
      this.#charge(account, one, [added], clock);
      this.#moved(one, added.from, added.to);
    } else {
      one.due = [...one.due, added];
    }
  }

  cancel(account: AccountPast, body: Cancelled, step: number, clock: number): void {
    const one = known(account, body.reservationId);
    const before = lastTerms(one);
    const decommission = body.decommission === true;
    const notices = account.policy.last?.reservationEndNotices ?? [];
    const earliest = clock + (decommission ? Math.min(...notices) : 0);
    const endsAt = Math.min(before.endsAt, Math.max(body.endsAt, earliest));
    if (endsAt < before.endsAt) {
      const setBy = decommission ? 'cancellation_decommission' : 'cancellation';
      one.terms.put(step, { endsAt, charged: before.charged, setAt: clock, setBy });
      one.due = one.due.map((span) => ({ ...span, to: Math.min(span.to, endsAt) })).filter(({ from, to }) => from < to);
      if (before.charged) this.#moved(one, endsAt, before.endsAt);
    }
    if (body.refund > 0n) account.books.refund(one.id, body.refund, clock);
  }

  /** C4: a cluster comes to be: what waited for it is charged, in the order of ids. */
  provision(account: AccountPast, clusterId: string, step: number, clock: number): void {
    account.clusters.get(clusterId)?.provisioned.put(step, true);
    const waiting = [...account.reservations.values()].filter((one) => {
      const terms = lastTerms(one);
      return one.clusterId === clusterId && !terms.charged && clock < terms.endsAt;
    });
    for (const one of waiting.sort((left, right) => (left.id < right.id ? -1 : 1))) {
      this.#chargeFirst(account, one, step, clock);
    }
  }

  #chargeFirst(account: AccountPast, one: ReservationPast, step: number, clock: number): void {
    const terms = lastTerms(one);
    one.terms.put(step, { ...terms, charged: true, setAt: clock });
    this.#charge(account, one, one.due, clock);
    one.due = [];
    this.#moved(one, one.startsAt, terms.endsAt);
  }

  /** R6: what the total of a price and invoice month makes more. */
  #charge(account: AccountPast, one: ReservationPast, spans: readonly Charge[], clock: number): void {
    let total = 0n;
    for (const { from, to, priceMicros } of spans) {
      const key = `${priceMicros}/${monthOf(clock)}`;
      const before = one.sums.get(key) ?? { quantity: 0n, amount: 0n };
      const quantity = before.quantity + BigInt(one.gpus) * BigInt(to - from);
      const amount = costOfGpuMs(quantity, fraction(priceMicros, 1_000_000n));
      one.sums.set(key, { quantity, amount });
      total += amount - before.amount;
    }
    if (total > 0n) account.books.charge('reservation', one.id, total, clock);
  }
}

function known(account: AccountPast, id: string): ReservationPast {
  const one = account.reservations.get(id);
  if (one === undefined) throw new Error(`E6: accepted for a reservation that is unknown: ${account.id} ${id}`);
  return one;
}

function lastTerms({ id, terms }: ReservationPast): Terms {
  const last = terms.last;
  if (last === undefined) throw new Error(`reservation ${id} without terms`);
  return last;
}

function microsOf(price: Fraction): bigint {
  return (price.numerator * 1_000_000n) / price.denominator;
}
