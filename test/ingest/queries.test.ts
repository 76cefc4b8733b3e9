import { afterEach, describe, expect, it } from 'vitest';
import type { OrdersQuery, UsageQuery } from '../../services/ingest/ports.ts';
import { runwayHours } from '../../services/ingest/wire.ts';
import { account, order, standing, usageLine } from './examples.ts';
import { type Harness, harness, NO_QUERIES, NOW } from './harness.ts';

const opened: Harness[] = [];
afterEach(async () => {
  for (const { door } of opened.splice(0)) await door.close();
});

function open(...args: Parameters<typeof harness>): Harness {
  const one = harness(...args);
  opened.push(one);
  return one;
}

describe('GET /v1/accounts/{id}', () => {
  const queries = { ...NO_QUERIES, account: async (id: string) => (id === 'acme' ? account : undefined) };

  it('C1: tells how the account stands, in USD with 9 places', async () => {
    const answer = await open({}, { queries }).get('/v1/accounts/acme');
    expect(answer.json()).toEqual({
      account_id: 'acme',
      as_of: '2026-05-04T10:00:00.000Z',
      balance: '12.500000000',
      granted: '20.000000000',
      refunded: '0.000000000',
      charged: '7.000000000',
      expired: '0.500000000',
      burn_rate: '3.490000000',
      runway_hours: 3.58,
      level: 'low',
      coming: [
        { resource: { kind: 'cluster', id: 'c1' }, command: 'pause', scope: 'cluster', at: '2026-05-04T11:00:00.000Z' },
        {
          resource: { kind: 'cluster', id: 'c2' },
          command: 'decommission',
          scope: 'burst',
          gpus: 8,
          at: '2026-05-04T12:00:00.000Z',
        },
      ],
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('shows a key its own accounts only, and says nothing of whether there are others', async () => {
    const { get } = open({}, { queries });
    expect((await get('/v1/accounts/acme', 'agent')).statusCode).toBe(200);
    expect((await get('/v1/accounts/other', 'agent')).statusCode).toBe(403);
    expect((await get('/v1/accounts/__proto__', 'agent')).statusCode).toBe(404);
    expect((await get('/v1/accounts/constructor')).statusCode).toBe(404);
  });

  it('C6: runway is null without burn, 0 without balance, and cut to hundredths', () => {
    expect(runwayHours(5n, 0n)).toBeNull();
    expect(runwayHours(0n, 5n)).toBe(0);
    expect(runwayHours(-7n, 5n)).toBe(0);
    expect(runwayHours(199n, 100n)).toBe(1.99);
    expect(runwayHours(1999n, 1000n)).toBe(1.99);
    expect(runwayHours(10n ** 30n, 1n)).toBe(1e30);
  });
});

describe('GET /v1/accounts/{id}/usage', () => {
  const asked: UsageQuery[] = [];
  const queries = {
    ...NO_QUERIES,
    usage: async (query: UsageQuery) => {
      asked.push(query);
      return { items: [usageLine], next: undefined, asOf: NOW };
    },
  };

  it('asks for this month up to now, unless told otherwise', async () => {
    const { get } = open({}, { queries });
    const answer = await get('/v1/accounts/acme/usage');
    expect(asked.at(-1)).toEqual({
      accountId: 'acme',
      from: Date.UTC(2026, 4, 1),
      to: Date.UTC(2026, 4, 4, 11),
      limit: 1000,
      after: undefined,
    });
    expect(answer.json()).toEqual({
      account_id: 'acme',
      as_of: '2026-05-04T10:00:00.000Z',
      from: '2026-05-01T00:00:00.000Z',
      to: '2026-05-04T11:00:00.000Z',
      lines: [
        {
          resource_kind: 'cluster',
          resource_id: 'c1',
          sku: 'h100',
          category: 'burst',
          reservation_id: 'r1',
          correction: false,
          quantity_ms: '123456789012345678',
          unit: 'gpu_hour',
          unit_price: '3.490000',
          list_unit_price: '4.000000',
          amount: '0.000000001',
          list_amount: '0.000000002',
        },
      ],
      next: null,
    });
    await get(`/v1/accounts/acme/usage?from=${NOW}&to=2026-05-04T13:00:00%2B02:00&limit=5&after=x`);
    expect(asked.at(-1)).toMatchObject({ from: NOW, to: NOW + 3_600_000, limit: 5, after: 'x' });
  });

  it('R3: refuses what is not on full hours, empty, or too long', async () => {
    const { get } = open({}, { queries });
    for (const query of [
      'from=soon',
      `from=${NOW + 1}`,
      `to=${NOW - 1}`,
      `from=${NOW}&to=${NOW}`,
      'from=0',
      'limit=0',
      'limit=10001',
    ]) {
      expect([query, (await get(`/v1/accounts/acme/usage?${query}`)).statusCode]).toEqual([query, 400]);
    }
  });
});

describe('GET /v1/orders', () => {
  const asked: OrdersQuery[] = [];
  const queries = {
    ...NO_QUERIES,
    orders: async (query: OrdersQuery) => {
      asked.push(query);
      return { items: [standing(order)], next: 'more' };
    },
  };

  it('K: lists what stands, as on the control topics', async () => {
    const { get } = open({}, { queries });
    const answer = await get('/v1/orders?account_id=acme&kind=cluster&id=c1', 'controlPlane');
    expect(asked.at(-1)).toEqual({
      accountId: 'acme',
      resourceKind: 'cluster',
      resourceId: 'c1',
      limit: 1000,
      after: undefined,
    });
    expect(answer.body).toContain('"keep":{"__proto__":64,"10":1}');
    expect(answer.json()).toMatchObject({
      orders: [
        { command_id: order.commandId, command: 'decommission', scope: 'burst', gpus: 8, balance: '-0.000000001' },
      ],
      next: 'more',
    });
  });

  it('shows a key its own accounts only', async () => {
    const { get } = open({}, { queries });
    expect((await get('/v1/orders', 'agent')).statusCode).toBe(403);
    expect((await get('/v1/orders?account_id=other', 'agent')).statusCode).toBe(403);
    expect((await get('/v1/orders?account_id=acme', 'agent')).statusCode).toBe(200);
    expect((await get('/v1/orders?id=c1')).statusCode).toBe(400);
  });
});
