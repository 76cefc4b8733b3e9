import { DAY_MS, formatInstant, HOUR_MS, type Instant, MINUTE_MS } from '../../services/shared/time.ts';

export const begin: Instant = Date.UTC(2026, 4, 4);
export const [minute, hour, day] = [MINUTE_MS, HOUR_MS, DAY_MS];

/** An event, as it is written: ms after `begin`, its type and its data, instants in it too. */
export type Entry = readonly [at: number, type: string, data?: Readonly<Record<string, unknown>>];

/** The lines of a log of one account: opened and priced (3 USD a GPU-hour, 0.73 a GiB-month) before its entries. */
export function log(policy: Readonly<Record<string, unknown>>, ...entries: readonly Entry[]): string[] {
  const prices = { effective_from: begin - day, gpu_hour: { H100: '3', A100: '1' }, gib_month: '0.73' };
  const all: readonly Entry[] = [[0, 'prices.published', prices], [0, 'account.opened', { policy }], ...entries];
  return all.map(([at, type, data = {}], index) =>
    JSON.stringify({
      specversion: '1.0',
      id: `e${index}`,
      source: 'test',
      type,
      ...(type === 'prices.published' || type === 'clock.tick' ? {} : { subject: 'acme' }),
      time: formatInstant(begin + at),
      data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, written(name, value)])),
    }),
  );
}

function written(name: string, value: unknown): unknown {
  const isInstant = ['start', 'end', 'starts_at', 'ends_at', 'expires_at'].includes(name);
  return isInstant && typeof value === 'number' ? begin + value : value;
}

/** A sample of an hour's or less of usage that ends, and comes, at `end`. */
export function gpus(cluster_id: string, count: number, start: number, end: number, node_id = 'n1'): Entry {
  return [end, 'usage.gpu', { cluster_id, node_id, gpu_type: 'H100', gpus: count, start, end }];
}

export function storage(volume_id: string, size_gib: number, start: number, end: number): Entry {
  return [end, 'usage.storage', { volume_id, size_gib, start, end }];
}

export function grant(at: number, grant_id: string, amount: string, expires_at?: number): Entry {
  return [
    at,
    'credits.granted',
    { grant_id, amount, kind: 'paid', ...(expires_at === undefined ? {} : { expires_at }) },
  ];
}

/** Idle or not, time goes on. */
export function tick(at: number): Entry {
  return [at, 'clock.tick'];
}

/** Paid upfront, into debt if need be, for free unless a price is given. */
export function reserve(at: number, id: string, starts_at: number, ends_at: number, more: object = {}): Entry {
  const base = { reservation_id: id, cluster_id: 'c1', gpu_type: 'H100', gpus: 4, starts_at, ends_at };
  return [
    at,
    'reservation.purchased',
    { ...base, price_per_gpu_hour: '0', payment: 'upfront', overdraft: true, ...more },
  ];
}

export function extend(at: number, reservation_id: string, ends_at: number): Entry {
  return [at, 'reservation.extended', { reservation_id, ends_at }];
}

export function cancel(at: number, reservation_id: string, ends_at: number, decommission = false): Entry {
  return [at, 'reservation.cancelled', { reservation_id, ends_at, refund: '0', decommission }];
}

/** A policy under which what was used once stays active. */
export const long = { activity_window: '3650d' };

/** 1 GPU of `c1` for the first hour. */
export const unpaid = gpus('c1', 1, 0, hour);
