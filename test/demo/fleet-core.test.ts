import { describe, expect, test } from 'vitest';
import type { DemoEvent } from '../../cli/demo/core/events.ts';
import { type Order, orderOf } from '../../cli/demo/core/orders.ts';
import type { Persona } from '../../cli/demo/core/personas.ts';
import { type FleetState, newFleet } from '../../cli/demo/core/state.ts';
import { step } from '../../cli/demo/core/step.ts';
import type { AccountGlance } from '../../cli/demo/core/turn.ts';
import { worldOf } from '../../cli/demo/core/world.ts';
import { DAY_MS, MINUTE_MS, parseInstant, SECOND_MS } from '../../services/shared/time.ts';

const T0 = parseInstant('2026-05-20T10:00:00Z') ?? 0;
const WORLD = worldOf('seed', T0 - DAY_MS, T0);

const PERSONA: Persona = {
  ...{ accountId: 'acme', name: 'Acme', shows: '', policy: {}, pays: { kind: 'steady' } },
  clusters: [
    {
      ...{ name: 'train', gpuType: 'H100', gpusPerNode: 8, nodes: 2, ignoredPauses: 1 },
      reserved: {
        ...{ nodes: 1, pricePerGpuHour: '1.50', payment: 'upfront', firstEndsAt: DAY_MS, laterMs: DAY_MS },
      },
    },
  ],
  volumes: [{ name: 'data', sizeGib: 1000 }],
};

const RICH: AccountGlance = { balanceNanos: 10n ** 15n, level: 'active' };
const EXHAUSTED: AccountGlance = { balanceNanos: -1n, level: 'exhausted' };

/** A fleet of one account, stepped by the minute. */
class OneAccount {
  state: FleetState = newFleet([PERSONA]);
  at = T0 - MINUTE_MS;

  step(orders: readonly Order[] = [], glance: AccountGlance = RICH): readonly DemoEvent[] {
    this.at += MINUTE_MS;
    const glances = new Map([['acme', glance]]);
    const next = step(WORLD, [PERSONA], this.state, { at: this.at, orders, glances });
    this.state = next.state;
    return next.events;
  }
}

function running(): OneAccount {
  const account = new OneAccount();
  account.step();
  account.step();
  return account;
}

function order(command: Order['command'], sequence: number, more: Partial<Order> = {}): Order {
  const base = { accountId: 'acme', kind: 'cluster', resourceId: 'train-1', scope: 'cluster' } as const;
  return { ...base, command, sequence, ...more };
}

function volumeOrder(command: Order['command'], sequence: number): Order {
  return order(command, sequence, { kind: 'volume', resourceId: 'data-1', scope: 'volume' });
}

function typesOf(events: readonly DemoEvent[]): readonly string[] {
  return events.map(({ type }) => type);
}

describe('K: the fleet obeys the control topics', () => {
  test('a first step opens the account, pays, reserves and provisions, in this order', () => {
    const types = typesOf(new OneAccount().step([], { balanceNanos: 0n, level: 'active' }));
    expect(types).toEqual([
      ...['prices.published', 'account.opened', 'policy.set', 'credits.granted', 'credits.granted'],
      ...['reservation.purchased', 'cluster.provisioned', 'volume.created'],
    ]);
  });

  test('a running cluster reports each node, from where it left off to now', () => {
    const account = running();
    const samples = account.step().filter(({ type }) => type === 'usage.gpu');
    expect(samples.map(({ id }) => id)).toEqual([`train-1.n1.${T0 + MINUTE_MS}`, `train-1.n2.${T0 + MINUTE_MS}`]);
    expect(samples[0]?.data).toMatchObject({ start: '2026-05-20T10:01:00.000Z', end: '2026-05-20T10:02:00.000Z' });
  });

  test('a paused cluster reports up to the pause and then falls silent, until it is resumed', () => {
    const account = running();
    account.step([order('pause', 1)]);
    const last = account.step([order('pause', 2)]);
    expect(typesOf(last)).toContain('usage.gpu');
    expect(typesOf(account.step())).toEqual(['usage.storage']);
    expect(typesOf(account.step([order('resume', 3)]))).toEqual(['usage.storage']);
    const resumed = account.step().filter(({ type }) => type === 'usage.gpu');
    expect(resumed[0]?.data).toMatchObject({ start: '2026-05-20T10:05:00.000Z', end: '2026-05-20T10:06:00.000Z' });
  });

  test('a machine that hangs lets the first order to pause pass, and obeys the second', () => {
    const account = running();
    account.step([order('pause', 1)]);
    expect(account.state.accounts[0]?.clusters[0]).toMatchObject({ status: 'running', ignoredPauses: 1, sequence: 1 });
    account.step([order('pause', 2)]);
    expect(account.state.accounts[0]?.clusters[0]).toMatchObject({ status: 'paused', sequence: 2 });
  });

  test('an order whose sequence is not above the last, of another account or of a cluster that is gone changes nothing', () => {
    const account = running();
    account.step([order('pause', 4), order('pause', 5)]);
    const { clusters } = account.state.accounts[0] ?? { clusters: [] };
    const stale = [
      order('resume', 5),
      order('resume', 6, { accountId: 'other' }),
      order('resume', 7, { resourceId: 'train-0' }),
    ];
    account.step(stale);
    expect(account.state.accounts[0]?.clusters).toEqual(clusters);
  });

  test('scope burst: shrinks to what is reserved until the account is restored', () => {
    const account = running();
    account.step([order('decommission', 1, { scope: 'burst' })], EXHAUSTED);
    const shrunk = account.step([], EXHAUSTED).filter(({ type }) => type === 'usage.gpu');
    expect(shrunk.map(({ data }) => data)).toMatchObject([{ node_id: 'train-1.n1' }]);
    account.step();
    expect(account.step().filter(({ type }) => type === 'usage.gpu')).toHaveLength(2);
  });

  test('a decommissioned cluster is confirmed by the control plane, and begins anew under another id after a while', () => {
    const account = running();
    const events = account.step([order('decommission', 1)]);
    expect(events.filter(({ source }) => source === 'demo/control-plane')).toMatchObject([
      { type: 'cluster.decommissioned', data: { cluster_id: 'train-1' } },
    ]);
    expect(typesOf(account.step())).not.toContain('usage.gpu');
    account.step();
    const anew = account.step().filter(({ type }) => type !== 'usage.storage');
    expect(anew).toMatchObject([
      { type: 'credits.granted' },
      { type: 'reservation.purchased', data: { reservation_id: 'acme.r2', cluster_id: 'train-2' } },
      { type: 'cluster.provisioned', data: { cluster_id: 'train-2' } },
    ]);
  });

  test('nothing begins anew while the account is exhausted', () => {
    const account = running();
    account.step([order('decommission', 1)], EXHAUSTED);
    for (let minute = 0; minute < 10; minute += 1) {
      expect(typesOf(account.step([], EXHAUSTED))).not.toContain('cluster.provisioned');
    }
  });

  test('a revoked volume still holds data and is still metered; restored it is attached; decommissioned it is gone', () => {
    const account = running();
    account.step([volumeOrder('revoke', 1)]);
    expect(account.state.accounts[0]?.volumes[0]?.status).toBe('revoked');
    expect(typesOf(account.step())).toContain('usage.storage');
    account.step([volumeOrder('restore', 2)]);
    expect(account.state.accounts[0]?.volumes[0]?.status).toBe('attached');
    expect(typesOf(account.step([volumeOrder('decommission', 3)]))).toContain('volume.decommissioned');
    expect(typesOf(account.step())).not.toContain('usage.storage');
  });

  test('an alert is no order', () => {
    const alert = {
      accountId: 'acme',
      resource: { kind: 'cluster', id: 'train-1' },
      command: 'alert',
      scope: undefined,
      sequence: 1,
    } as const;
    expect(orderOf(alert)).toBeUndefined();
    expect(orderOf({ ...alert, command: 'pause', scope: 'cluster' })).toEqual(order('pause', 1));
  });
});

test('after a silence of more than 20 minutes nothing is reported for it: the machines were off', () => {
  const account = running();
  account.at += 30 * MINUTE_MS;
  expect(typesOf(account.step())).toEqual([]);
  expect(account.step().filter(({ type }) => type === 'usage.gpu')[0]?.data).toMatchObject({
    start: '2026-05-20T10:32:00.000Z',
    end: '2026-05-20T10:33:00.000Z',
  });
});

test('in life a cluster reports every 10 to 30 seconds', () => {
  const account = running();
  const ends: number[] = [];
  for (let second = 5; second <= 300; second += 5) {
    const at = account.at + second * SECOND_MS;
    const next = step(WORLD, [PERSONA], account.state, { at, orders: [], glances: new Map([['acme', RICH]]) });
    account.state = next.state;
    if (typesOf(next.events).includes('usage.gpu')) ends.push(at);
  }
  const gaps = ends.slice(1).map((end, index) => end - (ends[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10 * SECOND_MS);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(35 * SECOND_MS);
});
