import { readFileSync } from 'node:fs';
import Schema from 'typebox/schema';
import { afterEach, describe, expect, it } from 'vitest';
import { doorConfig } from '../../services/ingest/config.ts';
import type { EnforcementControl, Verdicts } from '../../services/ingest/ports.ts';
import { PROBLEMS } from '../../services/ingest/problems.ts';
import { eventSchema } from '../../services/ingest/schemas/event.ts';
import { REJECTION_REASONS } from '../../services/shared/contracts/event.ts';
import { account, enforcedPartition, heldAccount, order, standing, usageLine } from './examples.ts';
import {
  bearer,
  DATA,
  eventOf,
  type Harness,
  harness,
  type Json,
  NO_QUERIES,
  NO_VERDICTS,
  NOW,
  usage,
} from './harness.ts';

interface Media {
  readonly schema: object;
}
interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}
interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const opened: Harness[] = [];
afterEach(async () => {
  for (const { door } of opened.splice(0)) await door.close();
});

function open(...args: Parameters<typeof harness>): Harness {
  const one = harness(...args);
  opened.push(one);
  return one;
}

async function served(one: Harness): Promise<OpenApi> {
  return (await one.door.inject('/openapi.json')).json<OpenApi>();
}

describe('the OpenAPI file', () => {
  it('in schemas/ is the one that is served (vitest -u writes it anew)', async () => {
    const one = open();
    const { body, headers } = await one.door.inject('/openapi.yaml');
    expect(headers['content-type']).toBe('application/yaml');
    await expect(body).toMatchFileSnapshot('../../schemas/openapi.yaml');
  });

  it('describes every answer that the door gives, and none that it never gives', async () => {
    const document = await served(open());
    const seen = new Set<string>();
    const check = (operationId: string, answer: Answer): void => {
      const media = String(answer.headers['content-type']).split(';')[0] ?? '';
      const operation = operationOf(document, operationId);
      const content = operation.responses[answer.statusCode]?.content?.[media];
      if (content === undefined)
        throw new Error(`${operationId} gave ${answer.statusCode} ${media}, which is not described`);
      const value: unknown = media === 'text/plain' ? answer.body : JSON.parse(answer.body);
      const validator = Schema.Compile({ ...content.schema, components: document.components });
      if (!validator.Check(value))
        throw new Error(
          `${operationId} ${answer.statusCode}: ${answer.body} ${JSON.stringify(validator.Errors(value))}`,
        );
      seen.add(`${operationId} ${answer.statusCode}`);
    };

    await checkEvents(check);
    await checkQueries(check);
    await checkEnforcement(check);
    await checkOperations(check);

    const described = Object.values(document.paths).flatMap((path) =>
      Object.values(path).flatMap(({ operationId, responses }) =>
        Object.keys(responses).map((status) => `${operationId} ${status}`),
      ),
    );
    expect(described.filter((one) => !seen.has(one))).toEqual([]);
  });

  it('names every code of the catalogue, and every reason of E4 that a verdict may have', async () => {
    const text = (await open().door.inject('/openapi.yaml')).body;
    for (const code of Object.keys(PROBLEMS)) expect(text).toContain(`- ${code}\n`);
    for (const reason of REJECTION_REASONS) expect(text).toContain(`- ${reason}\n`);
  });
});

describe('docs/AGENTS.md', () => {
  const text = readFileSync(new URL('../../docs/AGENTS.md', import.meta.url), 'utf8');

  it('says of every code what to do', () => {
    for (const [code, { status }] of Object.entries(PROBLEMS)) {
      expect(
        text.split('\n').filter((line) => line.startsWith(`| ${status} |`) && line.includes(`\`${code}\``)),
      ).toHaveLength(1);
    }
  });

  it('names the limits as they are by default', () => {
    const { bodyBytesMax, inflatedBytesMax, batchEventsMax, recordCharsMax, inFlightBytesMax, ...rest } =
      doorConfig.parse({});
    const { jsonDepthMax, jsonValuesMax, requestsPerKeyMax, rateWindowMs, waitMs } = rest;
    const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
    const limits = {
      body_bytes_max: mib(bodyBytesMax),
      inflated_bytes_max: mib(inflatedBytesMax),
      batch_events_max: batchEventsMax.toLocaleString('en'),
      record_chars_max: `${recordCharsMax.toLocaleString('en')} characters`,
      json_depth_max: String(jsonDepthMax),
      json_values_max: jsonValuesMax.toLocaleString('en'),
      requests_per_key_max: String(requestsPerKeyMax),
      in_flight_bytes_max: mib(inFlightBytesMax),
    };
    for (const [name, limit] of Object.entries(limits)) {
      const line = text.split('\n').find((one) => one.startsWith(`| \`${name}\` |`));
      expect([name, line?.endsWith(`| ${limit} |`)]).toEqual([name, true]);
    }
    expect([rateWindowMs, waitMs]).toEqual([1000, 10_000]);
  });
});

describe('the schema of events', () => {
  const validator = Schema.Compile(eventSchema);

  it('E: holds an event of each type', () => {
    for (const type of DATA.keys()) expect([type, validator.Check(eventOf(type))]).toEqual([type, true]);
  });

  it('E: agrees with the door on what a misspelt, missing or mistyped member is', async () => {
    const { send } = open();
    for (const event of variants()) {
      const answer = await send(event);
      expect([event, answer.statusCode === 202]).toEqual([event, validator.Check(event)]);
    }
  });
});

/** Each type with a member taken away, added, or made null, in the envelope and in its data. */
function* variants(): Generator<Json> {
  for (const [type, data] of DATA) {
    const event = eventOf(type);
    yield { ...event, data: { ...data, misspelt: 1 } };
    yield { ...event, data: [] };
    yield { ...event, data: null };
    for (const name of Object.keys(event)) {
      const { [name]: _, ...rest } = event;
      yield rest;
      yield { ...event, [name]: null };
    }
    for (const name of Object.keys(data)) {
      const { [name]: _, ...rest } = data;
      yield { ...event, data: rest };
      yield { ...event, data: { ...data, [name]: null } };
      yield { ...event, data: { ...data, [name]: {} } };
    }
    if (!('subject' in event)) yield { ...event, subject: 'acme' };
  }
}

type Check = (operationId: string, answer: Answer) => void;

async function checkEvents(check: Check): Promise<void> {
  const batch = 'application/cloudevents-batch+json';
  const verdicts: Verdicts = {
    ...NO_VERDICTS,
    of: async (_source: string, id: string) =>
      id === 'known'
        ? ([
            { account: undefined, position: { partition: 0, offset: 0 }, verdict: { status: 'pending' } },
            {
              account: 'acme',
              position: { partition: 0, offset: 1 },
              verdict: { status: 'rejected', reason: 'no_price', detail: 'x' },
            },
          ] as const)
        : [],
  };
  const one = open({ bodyBytesMax: 4096 }, { verdicts });
  check('sendEvents', await one.send(usage('a')));
  check(
    'sendEvents',
    await one.send([usage('a'), 1, { id: 'x', source: 's' }], { type: batch, query: '?wait=applied' }),
  );
  check('sendEvents', await one.send({}));
  check('sendEvents', await one.send(usage('a'), { query: '?x=1' }));
  check('sendEvents', await one.send(usage('a'), { headers: { authorization: '' } }));
  check('sendEvents', await one.send(eventOf('policy.set'), { key: 'agent' }));
  check('sendEvents', await one.send(' '.repeat(4097)));
  check('sendEvents', await one.send('x', { type: 'text/plain' }));
  check('getEvent', await one.get('/v1/events/s/known'));
  check('getEvent', await one.get('/v1/events/s/unknown'));
  check('getEvent', await one.get('/v1/events/s/%20'));
  check('getEvent', await one.door.inject('/v1/events/s/a'));
  const unready = open({}, { readiness: () => ({ ready: false, reasons: ['x'] }) });
  check('sendEvents', await unready.send(usage('a')));
  const failing = {
    ...one.sink,
    partitions: 1,
    reject: () => Promise.reject(new Error('x')),
    append: () => Promise.reject(new Error('x')),
  };
  check('sendEvents', await open({}, { sink: failing }).send(usage('a')));
  const broken = open(
    {},
    {
      verdicts: {
        ...NO_VERDICTS,
        of: () => Promise.reject(new Error('x')),
        wait: () => Promise.reject(new Error('x')),
      },
    },
  );
  check('sendEvents', await broken.send(usage('a'), { query: '?wait=applied' }));
  check('getEvent', await broken.get('/v1/events/s/a'));
}

async function checkQueries(check: Check): Promise<void> {
  const queries = {
    account: async (id: string) =>
      id === 'acme' ? account : id === 'idle' ? { ...account, burnRateNanos: 0n, coming: [] } : undefined,
    usage: async ({ accountId }: { accountId: string }) =>
      accountId === 'acme'
        ? { items: [usageLine, { ...usageLine, reservationId: undefined }], next: 'more', asOf: NOW }
        : undefined,
    orders: async () => ({
      items: [standing(order), standing({ ...order, gpus: undefined, keep: undefined })],
      next: undefined,
    }),
  };
  const one = open({}, { queries });
  for (const id of ['acme', 'idle', 'unknown', 'a%20b']) check('getAccount', await one.get(`/v1/accounts/${id}`));
  for (const id of ['acme', 'unknown', 'a%20b']) check('getUsage', await one.get(`/v1/accounts/${id}/usage`));
  for (const query of ['', '?account_id=acme', '?kind=node']) check('getOrders', await one.get(`/v1/orders${query}`));
  const paths = [
    ['getAccount', '/v1/accounts/other'],
    ['getUsage', '/v1/accounts/other/usage'],
    ['getOrders', '/v1/orders'],
  ] as const;
  const broken = open(
    {},
    {
      queries: {
        account: () => Promise.reject(new Error('x')),
        usage: () => Promise.reject(new Error('x')),
        orders: () => Promise.reject(new Error('x')),
      },
    },
  );
  for (const [operationId, path] of paths) {
    check(operationId, await one.get(path, 'agent'));
    check(operationId, await one.door.inject(path));
    check(operationId, await broken.get(path));
  }
}

/** Posts to enforcement as an operator does, unless told otherwise. */
function postAct(one: Harness, kind: 'hold' | 'release', body: unknown, headers: Record<string, string> = {}) {
  return one.door.inject({
    method: 'POST',
    url: `/v1/enforcement/${kind}`,
    headers: { ...bearer('operator'), 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });
}

async function checkEnforcement(check: Check): Promise<void> {
  const free = { ...enforcedPartition, hold: undefined, brake: undefined, lastRelease: undefined };
  const enforcement: EnforcementControl = {
    act: async ({ target }) => (target === 'all' ? { kind: 'done', at: 0 } : { kind: 'unknown_account' }),
    partitions: async () => [enforcedPartition, free],
    heldAccounts: async ({ after }) => ({ items: [heldAccount], next: after }),
  };
  const fail = () => Promise.reject(new Error('x'));
  const one = open({}, { enforcement });
  const recorded = open({}, { enforcement: { ...enforcement, act: async () => ({ kind: 'recorded', at: 0 }) } });
  const busy = open({}, { enforcement: { ...enforcement, act: async () => ({ kind: 'busy', retryAfterMs: 1 }) } });
  const broken = open({}, { enforcement: { act: fail, partitions: fail, heldAccounts: fail } });
  for (const query of ['', '?after=x', '?limit=0']) {
    check('getEnforcement', await one.get(`/v1/enforcement${query}`));
  }
  check('getEnforcement', await one.get('/v1/enforcement', 'agent'));
  check('getEnforcement', await one.door.inject('/v1/enforcement'));
  check('getEnforcement', await broken.get('/v1/enforcement'));
  for (const [kind, operationId] of ACTS) {
    check(operationId, await postAct(one, kind, { reason: 'x' }));
    check(operationId, await postAct(one, kind, { account_id: 'other', reason: 'x' }));
    check(operationId, await postAct(one, kind, {}));
    check(operationId, await postAct(one, kind, { reason: 'x' }, { authorization: '' }));
    check(operationId, await postAct(one, kind, { reason: 'x' }, bearer('agent')));
    check(operationId, await postAct(one, kind, { reason: 'x' }, { 'content-type': 'text/plain' }));
    check(operationId, await postAct(one, kind, { reason: 'x'.repeat(20_000) }));
    check(operationId, await postAct(recorded, kind, { reason: 'x' }));
    check(operationId, await postAct(busy, kind, { reason: 'x' }));
    check(operationId, await postAct(broken, kind, { reason: 'x' }));
  }
}

const ACTS = [
  ['hold', 'holdEnforcement'],
  ['release', 'releaseEnforcement'],
] as const;

async function checkOperations(check: Check): Promise<void> {
  const one = open({ requestsPerKeyMax: 1, rateWindowMs: 3_600_000 }, { queries: NO_QUERIES });
  for (const [operationId, path] of [
    ['getLive', '/livez'],
    ['getReady', '/readyz'],
    ['getMetrics', '/metrics'],
  ] as const) {
    check(operationId, await one.door.inject(path));
  }
  check('getReady', await open({}, { readiness: () => ({ ready: false, reasons: ['x'] }) }).door.inject('/readyz'));
  const guarded = [
    ['getEvent', '/v1/events/s/a'],
    ['getAccount', '/v1/accounts/a'],
    ['getUsage', '/v1/accounts/a/usage'],
    ['getOrders', '/v1/orders'],
    ['getEnforcement', '/v1/enforcement'],
  ] as const;
  await one.get('/v1/orders');
  for (const [operationId, path] of guarded) check(operationId, await one.get(path));
  check('sendEvents', await one.send(usage('a')));
  for (const [kind, operationId] of ACTS) check(operationId, await postAct(one, kind, { reason: 'x' }));

  await checkStopping(check, guarded);
}

/** While a door stops, what comes on connections that are open already is told so. */
async function checkStopping(check: Check, guarded: readonly (readonly [string, string])[]): Promise<void> {
  const { door } = open();
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stopping = new Promise<void>((resolve) => {
    door.addHook('preClose', () => {
      resolve();
      return finished;
    });
  });
  const url = await door.listen({ host: '127.0.0.1', port: 0 });
  const closed = door.close();
  await stopping;
  const acts = ACTS.map(([kind, operationId]) => [operationId, `/v1/enforcement/${kind}`] as const);
  for (const [operationId, path] of [...guarded, ...acts, ['getReady', '/readyz'] as const]) {
    const isAct = acts.some(([id]) => id === operationId);
    const posted = isAct ? { method: 'POST', body: '{}' } : {};
    const headers = { ...bearer('operator'), ...(isAct && { 'content-type': 'application/json' }) };
    const response = await fetch(new URL(path, url), { ...posted, headers });
    const body = await response.text();
    expect(response.status).toBe(503);
    check(operationId, { statusCode: response.status, headers: Object.fromEntries(response.headers), body });
  }
  finish();
  await closed;
}

function operationOf(document: OpenApi, operationId: string): Operation {
  for (const path of Object.values(document.paths)) {
    const found = Object.values(path).find((operation) => operation.operationId === operationId);
    if (found !== undefined) return found;
  }
  throw new Error(`no operation ${operationId}`);
}
