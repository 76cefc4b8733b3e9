import { type BuyingHabit, bookAt, CANCELLING, centsText, HABITS, priceText, RESERVED_PERCENT } from './catalog.ts';
import { usedGpus } from './concurrency.ts';
import type { LogEvent } from './log-event.ts';
import { HOUR_MS, rfc3339, WEEK_MS, type Window } from './time.ts';
import type { Workload } from './workloads.ts';

/** A reservation as it stands after its extensions and its cancellation. */
export interface Reservation {
  readonly reservationId: string;
  readonly account: string;
  readonly clusterId: string;
  readonly gpus: number;
  readonly startsAt: number;
  endsAt: number;
  priceMicros: number;
  cancelled: boolean;
}

export interface ReservationPlan {
  readonly reservations: readonly Reservation[];
  readonly events: readonly LogEvent[];
}

/** Weeks begin with the window; what a cluster needs for one is decided this long before. */
const DECIDED_BEFORE_MS = 6 * HOUR_MS;
const AHEAD_MS = 24 * HOUR_MS;
const AHEAD_TERM_MS = 2 * WEEK_MS;
const SOURCE = 'openb/account-team';

/**
 * Reservations bought by what was used: six hours before each week a cluster's account looks at the week so far and
 * wants the 60th percentile of its GPUs in use (at least one while a reserved cluster still runs something). It lets a
 * reservation that ends be extended where that is what is missing, otherwise it buys the difference. Accounts that
 * buy `ahead` reserve two weeks from a cluster's first pod, by the use to come, and two more while something runs.
 */
export function planReservations(workloads: readonly Workload[], window: Window): ReservationPlan {
  const book = new Book();
  const clusters = [...byCluster(workloads)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, pods] of clusters) {
    if (habitOf(pods).kind === 'ahead') buyAhead(book, pods, window);
  }
  for (let weekAt = window.startAt + WEEK_MS; weekAt < window.endAt; weekAt += WEEK_MS) {
    for (const [, pods] of clusters) {
      const habit = habitOf(pods);
      if (habit.kind === 'weekly') buyWeek(book, pods, weekAt, habit, window);
    }
  }
  return book;
}

type Cluster = readonly [Workload, ...Workload[]];
type Weekly = Extract<BuyingHabit, { kind: 'weekly' }>;

function byCluster(workloads: readonly Workload[]): Map<string, [Workload, ...Workload[]]> {
  const clusters = new Map<string, [Workload, ...Workload[]]>();
  for (const workload of workloads) {
    const pods = clusters.get(workload.clusterId);
    if (pods === undefined) clusters.set(workload.clusterId, [workload]);
    else pods.push(workload);
  }
  return clusters;
}

function habitOf([first]: Cluster): BuyingHabit {
  return HABITS.get(first.account)?.buys ?? { kind: 'never' };
}

function buyAhead(book: Book, pods: Cluster, window: Window): void {
  const firstAt = pods[0].startAt;
  const at = Math.max(window.startAt + HOUR_MS, firstAt - AHEAD_MS);
  const startsAt = Math.max(firstAt, at);
  const endsAt = startsAt + AHEAD_TERM_MS;
  const gpus = Math.max(1, usedGpus(pods, firstAt, endsAt));
  const bought = book.buy(pods[0], { at, startsAt, endsAt, gpus, payment: 'on_provision', overdraft: false });
  while (bought.endsAt < window.endAt && runsAt(pods, bought.endsAt)) {
    book.extend(bought, bought.endsAt - DECIDED_BEFORE_MS, bought.endsAt + AHEAD_TERM_MS, pods[0].gpuType);
  }
}

function buyWeek(book: Book, pods: Cluster, weekAt: number, habit: Weekly, window: Window): void {
  const at = weekAt - DECIDED_BEFORE_MS;
  const held = book.reservations.filter((r) => r.clusterId === pods[0].clusterId && r.endsAt >= weekAt && !r.cancelled);
  const used = usedGpus(pods, weekAt - WEEK_MS, at);
  const wanted = Math.max(used, held.length > 0 && runsAt(pods, weekAt) ? 1 : 0);
  const staying = held.filter((r) => r.endsAt > weekAt).reduce((sum, r) => sum + r.gpus, 0);
  const missing = wanted - staying;
  if (missing <= 0) return;

  const endsAt = weekAt + habit.weeks * WEEK_MS;
  const ending = held.find((r) => r.endsAt === weekAt && r.gpus === missing);
  if (ending !== undefined) {
    book.extend(ending, at, endsAt, pods[0].gpuType);
    return;
  }
  const bought = book.buy(pods[0], { at, startsAt: weekAt, endsAt, gpus: missing, ...habit });
  const cancelAt = weekAt + CANCELLING.afterMs;
  if (pods[0].account === CANCELLING.account && !book.hasCancelled && cancelAt < window.endAt) {
    book.cancel(bought, cancelAt);
  }
}

function runsAt(pods: Cluster, at: number): boolean {
  return pods.some((pod) => pod.startAt <= at && pod.endAt > at);
}

/** What was bought so far, and the events that said so. */
class Book implements ReservationPlan {
  readonly reservations: Reservation[] = [];
  readonly events: LogEvent[] = [];
  hasCancelled = false;

  buy(
    { account, clusterId, gpuType }: Workload,
    order: {
      readonly at: number;
      readonly startsAt: number;
      readonly endsAt: number;
      readonly gpus: number;
      readonly payment: 'upfront' | 'on_provision';
      readonly overdraft: boolean;
    },
  ): Reservation {
    const { at, startsAt, endsAt, gpus } = order;
    const reservation: Reservation = {
      reservationId: `${clusterId}:${rfc3339(startsAt).slice(0, 10)}`,
      account,
      clusterId,
      gpus,
      startsAt,
      endsAt,
      priceMicros: reservedMicros(gpuType, at),
      cancelled: false,
    };
    this.reservations.push(reservation);
    this.events.push({
      id: `purchased:${reservation.reservationId}`,
      source: SOURCE,
      type: 'reservation.purchased',
      subject: account,
      at,
      data: {
        reservation_id: reservation.reservationId,
        cluster_id: clusterId,
        gpu_type: gpuType,
        gpus,
        starts_at: rfc3339(startsAt),
        ends_at: rfc3339(endsAt),
        price_per_gpu_hour: priceText(reservation.priceMicros),
        payment: order.payment,
        ...(order.overdraft ? { overdraft: true } : {}),
      },
    });
    return reservation;
  }

  /** The added time costs the reserved price of the day; it is named where it is not the reservation's own. */
  extend(reservation: Reservation, at: number, endsAt: number, gpuType: string): void {
    const priceMicros = reservedMicros(gpuType, at);
    this.events.push({
      id: `extended:${reservation.reservationId}:${rfc3339(endsAt).slice(0, 10)}`,
      source: SOURCE,
      type: 'reservation.extended',
      subject: reservation.account,
      at,
      data: {
        reservation_id: reservation.reservationId,
        ends_at: rfc3339(endsAt),
        ...(priceMicros === reservation.priceMicros ? {} : { price_per_gpu_hour: priceText(priceMicros) }),
      },
    });
    reservation.endsAt = endsAt;
  }

  /** Ends a reservation at once, and refunds a share of what it cost, in whole cents. */
  cancel(reservation: Reservation, at: number): void {
    const hours = (reservation.endsAt - reservation.startsAt) / HOUR_MS;
    const costMicros = reservation.gpus * hours * reservation.priceMicros;
    const refundCents = Math.floor((costMicros * CANCELLING.refundPercent) / 100 / 10_000);
    this.events.push({
      id: `cancelled:${reservation.reservationId}`,
      source: SOURCE,
      type: 'reservation.cancelled',
      subject: reservation.account,
      at,
      data: { reservation_id: reservation.reservationId, ends_at: rfc3339(at), refund: centsText(refundCents) },
    });
    reservation.endsAt = at;
    reservation.cancelled = true;
    this.hasCancelled = true;
  }
}

function reservedMicros(gpuType: string, at: number): number {
  return Math.floor(((bookAt(at).gpuHourMicros[gpuType] ?? 0) * RESERVED_PERCENT) / 100);
}
