import { afterEach, describe, expect, it } from 'vitest';
import { createKeyRing, makeKey } from '../../services/ingest/keys.ts';
import type { EnforcementAct, EnforcementControl, HeldAccountsQuery } from '../../services/ingest/ports.ts';
import { enforcedPartition, heldAccount } from './examples.ts';
import { bearer, type Harness, harness, KEYS, NO_ENFORCEMENT, NOW } from './harness.ts';

const opened: Harness[] = [];
afterEach(async () => {
  for (const { door } of opened.splice(0)) await door.close();
});

const ACME_OPERATOR = makeKey('acme-op', 'operator', ['acme'], new Uint8Array(32).fill(5));

/** A door to an enforcer that knows `acme` only. */
function open(enforcement: Partial<EnforcementControl> = {}) {
  const acts: EnforcementAct[] = [];
  const asked: HeldAccountsQuery[] = [];
  const one = harness(
    {},
    {
      keys: createKeyRing([...Object.values(KEYS), ACME_OPERATOR].map(({ entry }) => entry)),
      enforcement: {
        act: async (act) => {
          acts.push(act);
          const known = act.target === 'all' || act.target.accountId === 'acme';
          return known ? { kind: 'done', at: NOW } : { kind: 'unknown_account' };
        },
        partitions: async () => [enforcedPartition],
        heldAccounts: async (query) => {
          asked.push(query);
          return { items: [heldAccount], next: 'acme' };
        },
        ...enforcement,
      },
    },
  );
  opened.push(one);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    one.door.inject({
      method: 'POST',
      url: `/v1/enforcement/${path}`,
      headers: { ...bearer('operator'), 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
  return { acts, asked, post, get: one.get, door: one.door };
}

const PARTITION = {
  partition: 0,
  as_of: '2026-05-04T10:00:00.000Z',
  hold: { by: 'op', reason: 'a "migration"', since: '2026-05-04T10:00:00.000Z' },
  brake: { reason: '11 accounts within one hour', since: '2026-05-04T10:00:00.001Z' },
  suspended: true,
  last_release: { by: 'op', reason: 'over', at: '2026-05-04T09:59:59.999Z' },
};

describe('GET /v1/enforcement', () => {
  it('N11: tells who holds, why and since when, the brake, and N9', async () => {
    const { get, asked } = open();
    const answer = await get('/v1/enforcement');
    expect(answer.json()).toEqual({
      partitions: [PARTITION],
      accounts: [{ account_id: 'acme', by: 'op', reason: 'a dispute', since: '2026-05-04T10:00:00.000Z' }],
      next: 'acme',
    });
    expect(asked).toEqual([{ among: 'all', limit: 1000, after: undefined }]);
    await get('/v1/enforcement?limit=1&after=acme');
    expect(asked.at(-1)).toEqual({ among: 'all', limit: 1, after: 'acme' });
  });

  it('N11: where nothing is held it says null', async () => {
    const free = { partition: 1, asOf: NOW, suspended: false };
    const nobody = { hold: undefined, brake: undefined, lastRelease: undefined };
    const { get } = open({ ...NO_ENFORCEMENT, partitions: async () => [{ ...free, ...nobody }] });
    expect((await get('/v1/enforcement')).json()).toEqual({
      partitions: [
        {
          ...{ partition: 1, as_of: '2026-05-04T10:00:00.000Z', hold: null, brake: null },
          ...{ suspended: false, last_release: null },
        },
      ],
      accounts: [],
      next: null,
    });
  });

  it('N11: is for operators; one of some accounts sees the holds of those', async () => {
    const { get, door, asked } = open();
    expect((await get('/v1/enforcement', 'agentOfAll')).statusCode).toBe(403);
    expect((await get('/v1/enforcement', 'controlPlane')).statusCode).toBe(403);
    expect((await door.inject('/v1/enforcement')).statusCode).toBe(401);
    const headers = { authorization: `Bearer ${ACME_OPERATOR.key}` };
    expect((await door.inject({ url: '/v1/enforcement', headers })).statusCode).toBe(200);
    expect(asked).toEqual([{ among: new Set(['acme']), limit: 1000, after: undefined }]);
  });
});

describe('POST /v1/enforcement/hold and /release', () => {
  it.each(['hold', 'release'] as const)('N11: %s one account, or all, with the key and the reason', async (kind) => {
    const { post, acts } = open();
    const one = await post(kind, { account_id: 'acme', reason: 'a dispute' });
    expect([one.statusCode, one.json()]).toEqual([
      200,
      {
        ...{ account_id: 'acme', by: 'op', reason: 'a dispute', at: '2026-05-04T10:00:00.000Z' },
        partitions: [PARTITION],
      },
    ]);
    const all = await post(kind, { reason: 'a "migration"' });
    expect(all.json()).toMatchObject({ account_id: null, reason: 'a "migration"' });
    expect(acts).toEqual([
      { kind, target: { accountId: 'acme' }, by: 'op', why: 'a dispute' },
      { kind, target: 'all', by: 'op', why: 'a "migration"' },
    ]);
  });

  it('N11: is for operators, and for the accounts of their key', async () => {
    const { post, acts } = open();
    for (const key of ['agentOfAll', 'controlPlane'] as const) {
      expect((await post('release', { reason: 'x' }, bearer(key))).statusCode).toBe(403);
    }
    const some = { authorization: `Bearer ${ACME_OPERATOR.key}` };
    expect((await post('release', { reason: 'x' }, some)).statusCode).toBe(403);
    expect((await post('release', { account_id: 'beta', reason: 'x' }, some)).statusCode).toBe(403);
    expect((await post('release', { reason: 'x' }, { authorization: '' })).statusCode).toBe(401);
    expect(acts).toEqual([]);
    expect((await post('hold', { account_id: 'acme', reason: 'x' }, some)).statusCode).toBe(200);
  });

  it('N11: a misspelt account is never taken for all', async () => {
    const { post, acts } = open();
    const bodies = [
      { account: 'acme', reason: 'x' },
      { account_id: null, reason: 'x' },
      { account_id: '', reason: 'x' },
      { account_id: ['acme'], reason: 'x' },
      { account_id: 'acme' },
      { account_id: 'acme', reason: '' },
      { account_id: 'acme', reason: ' \n' },
      { account_id: 'acme', reason: 'x'.repeat(501) },
      { account_id: 'acme', reason: 7 },
      [],
      null,
      'x',
      '',
      Buffer.from([0x22, 0xff, 0x22]),
    ];
    for (const body of bodies) {
      const answer = await post('release', body);
      expect([body, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([body, 400, 'bad_request']);
    }
    expect(acts).toEqual([]);
    expect((await post('release', { account_id: '__proto__', reason: 'x' })).statusCode).toBe(404);
    expect((await post('release', { reason: 'x' }, { 'content-type': 'application/x-ndjson' })).statusCode).toBe(415);
    expect((await post('release', ' '.repeat(20_000))).statusCode).toBe(413);
  });

  it('N11: says when the enforcer is busy, or does not run: nothing may be believed to be held then', async () => {
    const busy = open({ act: async () => ({ kind: 'busy', retryAfterMs: 1000 }) });
    const answer = await busy.post('hold', { reason: 'x' });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '1']);
    const stopped = open({ act: () => Promise.reject(new Error('stopped')) });
    expect((await stopped.post('hold', { reason: 'x' })).statusCode).toBe(500);
  });
});
