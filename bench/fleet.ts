import { HOUR_MS, MINUTE_MS } from '../services/shared/time.ts';

/** A fleet in steady state: nodes of eight GPUs, one sample a minute, half of the accounts with a reservation for half. */
export interface Fleet {
  readonly accounts: number;
  readonly nodes: number;
  readonly startAt: number;
}

export const FLEET: Fleet = { accounts: 100, nodes: 10_000, startAt: Date.UTC(2026, 4, 1) };

export interface BenchEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly data: object;
}

/** What comes before the first sample: prices, accounts, grants, reservations. */
export function* openings(fleet: Fleet): Generator<BenchEvent> {
  const at = new Date(fleet.startAt).toISOString();
  let count = 0;
  const event = (type: string, subject: string | undefined, data: object): BenchEvent => {
    count += 1;
    const envelope = { specversion: '1.0', id: `o${count}`, source: 'bench', type, time: at, data } as const;
    return subject === undefined ? envelope : { ...envelope, subject };
  };
  yield event('prices.published', undefined, { effective_from: at, gpu_hour: { H100: '2.49' }, gib_month: '0.10' });
  for (let account = 0; account < fleet.accounts; account += 1) {
    const subject = `account-${account}`;
    yield event('account.opened', subject, {});
    yield event('credits.granted', subject, { grant_id: 'g1', amount: '900000000', kind: 'paid' });
    if (account % 2 === 1) continue;
    yield event('reservation.purchased', subject, {
      reservation_id: 'r1',
      cluster_id: 'c1',
      gpu_type: 'H100',
      gpus: (8 * fleet.nodes) / fleet.accounts / 2,
      starts_at: at,
      ends_at: new Date(fleet.startAt + 300 * 24 * HOUR_MS).toISOString(),
      price_per_gpu_hour: '1.5',
      payment: 'upfront',
      overdraft: true,
    });
  }
}

/** The n-th sample: every node reports minute after minute. */
export function sample(fleet: Fleet, n: number): BenchEvent {
  const node = n % fleet.nodes;
  const start = fleet.startAt + Math.floor(n / fleet.nodes) * MINUTE_MS;
  const end = new Date(start + MINUTE_MS).toISOString();
  return {
    specversion: '1.0',
    id: `s${n}`,
    source: `agent/${node}`,
    type: 'usage.gpu',
    subject: `account-${node % fleet.accounts}`,
    time: end,
    data: {
      cluster_id: 'c1',
      node_id: `node-${node}`,
      gpu_type: 'H100',
      gpus: 8,
      start: new Date(start).toISOString(),
      end,
    },
  };
}
