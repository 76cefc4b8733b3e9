import { describe, expect, test } from 'vitest';
import { openMemoryState } from '../../../platform/state/memory-state.ts';
import type { FieldWrite, StateStore } from '../../../platform/state/port.ts';
import { ordersPage } from '../../../services/ingest/backend/orders.ts';
import type { OrdersQuery } from '../../../services/ingest/ports.ts';
import { partitionOf } from '../../../services/shared/partition.ts';

const PARTITIONS = 3;
const ALL: OrdersQuery = {
  ...{ accountId: undefined, resourceKind: undefined, resourceId: undefined },
  ...{ limit: 1000, after: undefined },
};

/** Accounts with a cluster and a volume that are ordered off, in the partitions that they belong to. */
async function stateOf(accounts: readonly string[]): Promise<StateStore> {
  const state = openMemoryState();
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const { fence } = await state.claim(`enforcer/${partition}`);
    const writes = accounts
      .filter((account) => partitionOf(account, PARTITIONS) === partition)
      .map(
        (account): FieldWrite => [`e/${account}`, 'view', JSON.stringify({ coming: [], orders: ordersOf(account) })],
      );
    writes.push(['partition', 'state', '{}'], ['e/idle', 'view', JSON.stringify({ coming: [], orders: [] })]);
    const next = { nextOffset: 1, version: '1', meta: '{}' };
    await state.commit(`enforcer/${partition}`, fence, { next, writes, timers: [] });
  }
  return state;
}

function ordersOf(account: string) {
  return ['volume', 'cluster'].map((kind) => ({ resource: { kind, id: 'r' }, line: `${account}/${kind}` }));
}

const accounts = [
  'acme',
  'acme-2',
  'acme.x',
  '__proto__',
  'b',
  'zeta',
  ...Array.from({ length: 40 }, (_, n) => `a${n}`),
];
const sorted = [...accounts].sort().flatMap((account) => [`${account}/cluster`, `${account}/volume`]);

describe('K: what stands, over all partitions', () => {
  test('by account, kind and id, whatever partition it is in', async () => {
    const { items, next } = await ordersPage(await stateOf(accounts), PARTITIONS, ALL);
    expect(items.map(({ line }) => line)).toEqual(sorted);
    expect(next).toBeUndefined();
  });

  test('pages of any size give each once', async () => {
    const state = await stateOf(accounts);
    for (const limit of [1, 2, 3, 7, 50]) {
      const found: string[] = [];
      let after: string | undefined;
      do {
        const page = await ordersPage(state, PARTITIONS, { ...ALL, limit, after });
        found.push(...page.items.map(({ line }) => line));
        after = page.next;
      } while (after !== undefined);
      expect(found).toEqual(sorted);
    }
  });

  test('of one account, one kind, one resource; of an account that is not known nothing', async () => {
    const state = await stateOf(accounts);
    const lines = async (query: Partial<OrdersQuery>) =>
      (await ordersPage(state, PARTITIONS, { ...ALL, ...query })).items.map(({ line }) => line);
    expect(await lines({ accountId: '__proto__' })).toEqual(['__proto__/cluster', '__proto__/volume']);
    expect(await lines({ accountId: 'acme', resourceKind: 'volume' })).toEqual(['acme/volume']);
    expect(await lines({ accountId: 'acme', resourceKind: 'volume', resourceId: 'other' })).toEqual([]);
    expect(await lines({ accountId: 'constructor' })).toEqual([]);
  });
});
