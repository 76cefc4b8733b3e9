import { afterEach, beforeEach, expect, test } from 'vitest';
import { doorBackend } from '../../cli/embedded/door-backend.ts';
import { type Instance, removeFolder, startInstance, temporaryFolder } from './support/embedded.ts';

const AT = Date.UTC(2026, 4, 4, 10);
const HOUR = 3_600_000;

let folder = '';
let instance: Instance;

beforeEach(async () => {
  folder = temporaryFolder();
  instance = await startInstance(folder, 'event', Date.now);
});

afterEach(async () => {
  await instance.stop();
  removeFolder(folder);
});

function event(id: string, type: string, subject: string | undefined, data: object): string {
  const envelope = { specversion: '1.0', id, source: 'ops/1', type, time: AT, data };
  return JSON.stringify(subject === undefined ? envelope : { ...envelope, subject });
}

const usage = (id: string, gpus: number) =>
  event(id, 'usage.gpu', 'acme', {
    ...{ cluster_id: 'c', node_id: 'n', gpu_type: 'H100', gpus },
    ...{ start: AT - HOUR, end: AT },
  });

const OPENING = [
  event('p', 'prices.published', undefined, { effective_from: AT - HOUR, gpu_hour: { H100: '2.5' } }),
  event('o', 'account.opened', 'acme', {}),
  event('g', 'credits.granted', 'acme', { grant_id: 'g1', amount: '100', kind: 'paid' }),
];

test('E4, R5: who was told 202 finds at once what was used, what it cost, and what became of each event', async () => {
  await instance.post([...OPENING, usage('u', 8)]);
  const range = `from=${AT - HOUR}&to=${AT}`;
  expect(await instance.get(`/v1/accounts/acme/usage?${range}`)).toMatchObject({
    as_of: '2026-05-04T10:00:00.000Z',
    lines: [{ resource_id: 'c', category: 'on_demand', quantity_ms: `${8 * HOUR}`, amount: '20.000000000' }],
  });
  await instance.post([usage('u', 8)]);
  expect(await instance.get('/v1/events/ops%2F1/u')).toMatchObject({
    status: 'duplicate',
    events: [{ verdict: { status: 'applied' } }, { verdict: { status: 'duplicate' } }],
  });
  await instance.post([event('g', 'credits.granted', 'acme', { grant_id: 'g1', amount: '7', kind: 'paid' })]);
  expect(await instance.get('/v1/events/ops%2F1/g')).toMatchObject({
    status: 'rejected',
    events: [{ verdict: { status: 'applied' } }, { verdict: { status: 'rejected', reason: 'conflict' } }],
  });
});

test('C1: an account that the rater no longer has in memory is told of all the same', async () => {
  await instance.post([...OPENING, usage('u', 8)], '?wait=applied');
  const { pipeline, stores } = instance.embedded;
  await pipeline.drained();
  const inMemory = await doorBackend(pipeline, stores, Date.now).queries.account('acme');
  const { progress, verdicts } = pipeline.rater;
  const rater = { account: () => undefined, progress, verdicts };
  const forgotten = doorBackend({ rater, enforcer: pipeline.enforcer }, stores, Date.now).queries;
  expect(await forgotten.account('acme')).toEqual(inMemory);
  expect(inMemory?.balanceNanos).toBe(80_000_000_000n);
  expect(await forgotten.account('__proto__')).toBeUndefined();
  const query = { accountId: 'acme', from: AT - HOUR, to: AT, limit: 10, after: undefined };
  expect((await forgotten.usage(query))?.items).toHaveLength(1);
  expect(await forgotten.usage({ ...query, accountId: 'nobody' })).toBeUndefined();
});
