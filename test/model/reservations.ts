import type { Account, Reservation, ReservationCharge, Span } from './account.ts';
import { costOfGpuMs, formatPrice } from './amounts.ts';
import { day, hour, monthOf } from './calendar.ts';
import { totals } from './credits.ts';
import type { Body, ModelEvent, Purchase } from './read-event.ts';
import { charge, enter, type Verdict, type World } from './world.ts';

/** C4: a cluster comes to be provisioned, and reservations that wait for it are charged. */
export function provision(world: World, account: Account, clusterId: string, event: ModelEvent, clock: number): void {
  account.provisioned.add(clusterId);
  const waiting = account.reservations.filter((r) => r.clusterId === clusterId && !r.charged && clock < r.endsAt);
  for (const reservation of waiting.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    chargeSpans(world, account, reservation, reservation.spans, clock, `${event.source}/${event.id}/${reservation.id}`);
  }
}

/** E6, C4. */
export function purchase(world: World, account: Account, body: Purchase, clock: number): Verdict {
  const { reservationId: id, clusterId, gpuType, gpus, startsAt, endsAt, price, payment } = body;
  if (startsAt < clock - 24 * hour || endsAt <= clock || endsAt > clock + 1100 * day) return 'not_allowed';
  const spans: Span[] = [{ from: startsAt, to: endsAt, price }];
  const overdraft = body.overdraft ?? false;
  const terms = { id, clusterId, gpuType, gpus, startsAt, endsAt, price, payment, overdraft };
  const reservation: Reservation = { ...terms, charged: false, spans, refunded: 0n };
  if (short(account, reservation, spans, clock)) return 'insufficient_credits';
  account.reservations.push(reservation);
  if (payment === 'upfront' || account.provisioned.has(clusterId)) {
    chargeSpans(world, account, reservation, spans, clock, id);
  }
  return 'applied';
}

/** E6, C4. */
export function extend(
  world: World,
  account: Account,
  body: Extract<Body, { type: 'reservation.extended' }>,
  event: ModelEvent,
  clock: number,
): Verdict {
  const reservation = account.reservations.find((r) => r.id === body.reservationId);
  if (reservation === undefined || reservation.endsAt <= clock) return 'unknown_reservation';
  if (body.endsAt <= reservation.endsAt || body.endsAt > clock + 1100 * day) return 'not_allowed';
  const from = Math.max(reservation.endsAt, reservation.startsAt);
  const added = from < body.endsAt ? [{ from, to: body.endsAt, price: body.price ?? reservation.price }] : [];
  if (short(account, reservation, added, clock)) return 'insufficient_credits';
  reservation.endsAt = body.endsAt;
  if (reservation.charged) chargeSpans(world, account, reservation, added, clock, `${event.source}/${event.id}`);
  else reservation.spans.push(...added);
  return 'applied';
}

/** E6, C4. */
export function cancel(
  world: World,
  account: Account,
  body: Extract<Body, { type: 'reservation.cancelled' }>,
  event: ModelEvent,
  clock: number,
): Verdict {
  const reservation = account.reservations.find((r) => r.id === body.reservationId);
  if (reservation === undefined || reservation.endsAt <= clock) return 'unknown_reservation';
  if (body.endsAt > reservation.endsAt) return 'not_allowed';
  const paid = account.reservationCharges.reduce((n, c) => (c.reservation === reservation ? n + c.amount : n), 0n);
  if (reservation.refunded + body.refund > paid) return 'not_allowed';
  const notice = body.decommission === true ? account.policy.shortestEndNotice : 0;
  reservation.endsAt = Math.min(reservation.endsAt, Math.max(body.endsAt, clock + notice));
  const end = reservation.endsAt;
  reservation.spans = reservation.spans.map((s) => ({ ...s, to: Math.min(s.to, end) })).filter((s) => s.from < s.to);
  reservation.refunded += body.refund;
  if (body.refund > 0n) {
    const { refund: amount } = body;
    account.movements.push({
      kind: 'refund',
      amount,
      id: reservation.id,
      grantKind: 'adjustment',
      expiresAt: undefined,
    });
    enter(world, account, {
      kind: 'refund',
      amount,
      ref: reservation.id,
      time: clock,
      cause: `${event.source}/${event.id}`,
    });
  }
  return 'applied';
}

/** C4: `upfront` with a balance below the cost, and no overdraft. */
function short(account: Account, reservation: Reservation, spans: readonly Span[], clock: number): boolean {
  if (reservation.payment !== 'upfront' || reservation.overdraft) return false;
  const cost = pricedSpans(account, reservation, spans, monthOf(clock)).reduce((sum, c) => sum + c.amount, 0n);
  return totals(account).balance < cost;
}

function chargeSpans(
  world: World,
  account: Account,
  reservation: Reservation,
  spans: readonly Span[],
  clock: number,
  cause: string,
): void {
  const charges = pricedSpans(account, reservation, spans, monthOf(clock));
  account.reservationCharges.push(...charges);
  reservation.charged = true;
  const amount = charges.reduce((sum, c) => sum + c.amount, 0n);
  charge(world, account, { kind: 'reservation', amount, ref: reservation.id, time: clock, cause });
}

/** R6 for reservations: each span by what its (reservation, price, month) costs in all, less what was charged for it. */
function pricedSpans(
  account: Account,
  reservation: Reservation,
  spans: readonly Span[],
  month: string,
): ReservationCharge[] {
  const charges: ReservationCharge[] = [];
  for (const { from, to, price } of spans) {
    const quantityMs = BigInt(reservation.gpus) * BigInt(to - from);
    const same = [...account.reservationCharges, ...charges].filter(
      (c) => c.reservation === reservation && c.month === month && formatPrice(c.price) === formatPrice(price),
    );
    const total = same.reduce((sum, c) => sum + c.quantityMs, quantityMs);
    const amount = costOfGpuMs(total, price) - same.reduce((sum, c) => sum + c.amount, 0n);
    charges.push({ reservation, price, month, quantityMs, amount });
  }
  return charges;
}
