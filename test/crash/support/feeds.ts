import { mergedHistories } from '../../e2e/support/histories.ts';
import type { Random } from '../../histories/random.ts';
import type { NextBatch } from './load.ts';

/** So many random histories in the order of their own time, for a log that takes the events' time; then only time passes. */
export function historyFeed(seed: number, histories: number, random: Random): NextBatch {
  const lines = mergedHistories(Array.from({ length: histories }, (_, index) => seed + index));
  let next = 0;
  return () => {
    if (next >= lines.length) return undefined;
    const batch = lines.slice(next, next + (random.chance(0.3) ? random.int(1, 5) : random.int(5, 60)));
    next += batch.length;
    return batch;
  };
}

const ACCOUNTS = 40;
const MINUTE = 60_000;

/**
 * A live fleet for a log that stamps times: accounts that are opened, granted, used, exhausted, restored and reserved, with
 * usage up to this very minute.
 * @param now the clock of the machine, for usage must not lie in the future
 */
export function liveFeed(random: Random, now: () => number): NextBatch {
  let serial = 0;
  const lastEnd = new Map<string, number>();
  const id = (): string => {
    serial += 1;
    return `live-${serial}`;
  };
  const event = (type: string, subject: string | undefined, data: object): string =>
    JSON.stringify({
      specversion: '1.0',
      id: id(),
      source: 'crash/load',
      type,
      ...(subject === undefined ? {} : { subject }),
      data,
    });
  const opening = (): readonly string[] => [
    event('prices.published', undefined, {
      effective_from: '2020-01-01T00:00:00Z',
      gpu_hour: { H100: '3.1', A100: '1.000007' },
      gib_month: '0.1',
    }),
    ...Array.from({ length: ACCOUNTS }, (_, account) =>
      event('account.opened', `a${account}`, { name: `account ${account}` }),
    ),
  ];
  const usage = (account: string): string => {
    const node = `n${random.int(0, 3)}`;
    const key = `${account}/${node}`;
    const from = lastEnd.get(key) ?? now() - 2 * 24 * 60 * MINUTE;
    const end = Math.min(now(), from + random.int(1, 20) * MINUTE);
    const start = random.chance(0.1) ? from - 5 * MINUTE : from;
    if (end <= start)
      return event('usage.storage', account, { volume_id: 'v', size_gib: 100, start: end - MINUTE, end });
    lastEnd.set(key, end);
    return event('usage.gpu', account, {
      cluster_id: `c${random.int(0, 1)}`,
      node_id: node,
      gpu_type: random.pick(['H100', 'A100']),
      gpus: random.int(1, 8),
      ...{ start, end },
      ...(random.chance(0.2) ? { tags: { '10': 'ten', team: 'ml', '2': 'two' } } : {}),
    });
  };
  const act = (account: string): string =>
    random.weighted([
      [
        4,
        () =>
          event('credits.granted', account, {
            grant_id: id(),
            amount: `${random.int(1, 400)}.5`,
            kind: 'promotional',
            expires_at: now() + random.int(1, 60) * 1000,
          }),
      ],
      [3, () => event('credits.granted', account, { grant_id: id(), amount: `${random.int(1, 300)}`, kind: 'paid' })],
      [
        2,
        () =>
          event('reservation.purchased', account, {
            reservation_id: id(),
            cluster_id: 'c0',
            gpu_type: 'H100',
            gpus: random.int(1, 16),
            starts_at: now() + random.int(-30, 30) * 1000,
            ends_at: now() + random.int(1, 40) * MINUTE,
            price_per_gpu_hour: '1.9',
            payment: random.pick(['upfront', 'on_provision']),
            overdraft: random.chance(0.5),
          }),
      ],
      [1, () => event('cluster.decommissioned', account, { cluster_id: 'c1' })],
      [
        1,
        () => event('policy.set', account, { policy: { activity_window: `${random.int(1, 5)}m`, pause_after: '5m' } }),
      ],
      [
        1,
        () =>
          event('usage.gpu', `unknown-${account}`, {
            cluster_id: 'c',
            node_id: 'n',
            gpu_type: 'H100',
            gpus: 1,
            start: now() - MINUTE,
            end: now(),
          }),
      ],
      [1, () => event('account.opened', account, { name: 'another' })],
    ] as const)();
  let opened = false;
  return () => {
    if (!opened) {
      opened = true;
      return opening();
    }
    const size = random.int(1, 120);
    return Array.from({ length: size }, () => {
      const account = `a${random.int(0, ACCOUNTS - 1)}`;
      return random.chance(0.12) ? act(account) : usage(account);
    });
  };
}
