import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportOf } from '../../cli/failure.ts';
import { migrate, readMigrations } from '../../platform/warehouse/migrations.ts';
import { createWarehouseWriter } from '../../platform/warehouse/writer.ts';
import { clusterRegistry, clusterWarehouse } from '../../services/shared/runtime/connect.ts';
import { CLUSTER_VARIABLES, EnvironmentInvalid, readVariables } from '../../services/shared/runtime/variables.ts';
import { MIGRATIONS, rowsOf, startTestEngine, type TestEngine } from '../platform/warehouse/fixture.ts';
import { type Authority, makeAuthority } from './support/certificates.ts';
import { type HttpsProxy, refuseAsClickHouse, refuseAsRegistry, startHttpsProxy } from './support/https-proxy.ts';
import { Secrets } from './support/secrets.ts';

const START_MS = 180_000;
const USERNAME = 'tollgate_rater';
const PASSWORD = 'pw+/%@:of-https=';
const WRONG = 'wrong-and-secret';
/** What is in no URL, no error and no line of a log. */
const HIDDEN = [PASSWORD, WRONG, `${USERNAME}:${PASSWORD}`, `${USERNAME}:${WRONG}`];
const SCHEMA = '{"type":"record","name":"R","fields":[]}';

let folder = '';
let authority: Authority;
let stranger: Authority;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-https-'));
  authority = makeAuthority(folder, 'authority');
  stranger = makeAuthority(folder, 'stranger');
}, START_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settingsOf = (environment: Readonly<Record<string, string>>) => readVariables(CLUSTER_VARIABLES, environment);

/** How it is rejected; no secret may be seen in it. */
async function faultOf(promised: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promised]);
  const secrets = new Secrets(HIDDEN);
  secrets.hear(outcome);
  secrets.check();
  return outcome.status === 'rejected' ? outcome.reason : undefined;
}

describe('ClickHouse by https', () => {
  let engine: TestEngine;
  let proxy: HttpsProxy;
  const environment = (other: Readonly<Record<string, string>> = {}) => ({
    ...{ TOLLGATE_CLICKHOUSE_URL: proxy.url, TOLLGATE_CLICKHOUSE_TLS_CA: authority.ca },
    ...{ TOLLGATE_CLICKHOUSE_USERNAME: USERNAME, TOLLGATE_CLICKHOUSE_PASSWORD: PASSWORD },
    ...other,
  });
  /** The faults of an insert and of a look at the tables. */
  const refusals = async (other: Readonly<Record<string, string>>) => {
    const client = clusterWarehouse(settingsOf(environment(other)));
    try {
      const writer = createWarehouseWriter({ client, attemptsMax: 1 });
      const insert = await faultOf(writer.insertBlock('t', ['["1"]'], { token: 'a:0:0-0' }));
      return [insert, await faultOf(migrate(client, []))];
    } finally {
      await client.close();
    }
  };

  beforeAll(async () => {
    engine = await startTestEngine();
    const login = { username: USERNAME, password: PASSWORD, refuse: refuseAsClickHouse };
    proxy = await startHttpsProxy({ identity: authority.issue('clickhouse'), target: engine.engine.url, ...login });
  }, START_MS);

  afterAll(async () => {
    await proxy.close();
    await engine.close();
  }, START_MS);

  test(
    'tables are made, rows written and read, and the password travels in a header only',
    async () => {
      const client = clusterWarehouse(settingsOf(environment()));
      await migrate(client, await readMigrations(MIGRATIONS));
      await client.command({ query: 'CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a' });
      const rows = Array.from({ length: 1000 }, (_, row) => JSON.stringify([String(row)]));
      await createWarehouseWriter({ client }).insertBlock('t', rows, { token: 'a:0:0-999' });
      expect(await rowsOf(client, 'SELECT count() AS n FROM t')).toEqual([{ n: '1000' }]);
      await client.close();
      const secrets = new Secrets(HIDDEN);
      secrets.hear(proxy.asked);
      secrets.check();
      expect(proxy.asked.length).toBeGreaterThan(10);
    },
    START_MS,
  );

  test('a wrong password is refused by name, and is not tried again', async () => {
    const before = proxy.asked.length;
    const [insert, look] = await refusals({ TOLLGATE_CLICKHOUSE_PASSWORD: WRONG });
    expect(insert).toMatchObject({ code: 'warehouse_not_allowed' });
    expect(reportOf(look)).toMatchObject({ exitCode: 1, text: expect.stringMatching(/^warehouse_not_allowed: /) });
    expect(proxy.asked).toHaveLength(before + 2);
  });

  test('an authority that is not trusted is refused by name', async () => {
    const [insert, look] = await refusals({ TOLLGATE_CLICKHOUSE_TLS_CA: stranger.ca });
    expect(insert).toMatchObject({ code: 'warehouse_not_trusted' });
    expect(reportOf(look)).toMatchObject({ exitCode: 1, text: expect.stringMatching(/^warehouse_not_trusted: /) });
  });

  test('a certificate that has expired, or is of another host, and a port without TLS', async () => {
    for (const of of [{ days: -1 }, { host: 'clickhouse.example' }]) {
      const login = { username: USERNAME, password: PASSWORD, refuse: refuseAsClickHouse };
      const identity = authority.issue('wrong', of);
      const wrong = await startHttpsProxy({ identity, target: engine.engine.url, ...login });
      const [insert] = await refusals({ TOLLGATE_CLICKHOUSE_URL: wrong.url });
      expect(insert).toMatchObject({ code: 'warehouse_not_trusted' });
      await wrong.close();
    }
    const [insert] = await refusals({ TOLLGATE_CLICKHOUSE_URL: engine.engine.url.replace('http:', 'https:') });
    expect(insert).toMatchObject({ code: 'warehouse_not_trusted' });
  });
});

describe('a schema registry by https', () => {
  let behind: Server;
  let proxy: HttpsProxy;
  const registryOf = (other: Readonly<Record<string, string>> = {}) =>
    clusterRegistry(
      settingsOf({
        ...{ TOLLGATE_REGISTRY_URL: proxy.url, TOLLGATE_REGISTRY_TLS_CA: authority.ca },
        ...{ TOLLGATE_REGISTRY_USERNAME: USERNAME, TOLLGATE_REGISTRY_PASSWORD: PASSWORD },
        ...other,
      }),
    );

  beforeAll(async () => {
    behind = createServer((asked, answer) => {
      const found = asked.url === '/apis/ccompat/v7/schemas/ids/7';
      answer.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(found ? { schema: SCHEMA } : { error_code: 40403, message: 'Schema not found' }));
    });
    behind.listen(0, '127.0.0.1');
    await once(behind, 'listening');
    const address = behind.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    const login = { username: USERNAME, password: PASSWORD, refuse: refuseAsRegistry };
    const target = `http://127.0.0.1:${port}/apis/ccompat/v7`;
    proxy = await startHttpsProxy({ identity: authority.issue('registry'), target, ...login });
  }, START_MS);

  afterAll(async () => {
    await proxy.close();
    behind.closeAllConnections();
    behind.close();
  });

  test('is asked, and the password travels in a header only', async () => {
    const registry = registryOf();
    expect((await registry.typeOf(7))?.name).toBe('R');
    expect(await registry.typeOf(8)).toBeUndefined();
    const secrets = new Secrets(HIDDEN);
    secrets.hear(proxy.asked);
    secrets.check();
  });

  test('a wrong password is refused by name, and is not tried again', async () => {
    const before = proxy.asked.length;
    const fault = await faultOf(registryOf({ TOLLGATE_REGISTRY_PASSWORD: WRONG }).typeOf(7));
    expect(fault).toMatchObject({ name: 'RegistryNotAllowed', message: expect.stringContaining('Unauthorized') });
    expect(proxy.asked).toHaveLength(before + 1);
  });

  test('an authority that is not trusted, a certificate that is not right, and a port without TLS', async () => {
    const untrusted = registryOf({ TOLLGATE_REGISTRY_TLS_CA: stranger.ca });
    expect(await faultOf(untrusted.typeOf(7))).toMatchObject({ name: 'RegistryNotTrusted' });
    for (const of of [{ days: -1 }, { host: 'registry.example' }]) {
      const login = { username: USERNAME, password: PASSWORD, refuse: refuseAsRegistry };
      const identity = authority.issue('wrong', of);
      const wrong = await startHttpsProxy({ identity, target: 'http://127.0.0.1:1', ...login });
      const fault = await faultOf(registryOf({ TOLLGATE_REGISTRY_URL: wrong.url }).typeOf(7));
      expect(fault).toMatchObject({ name: 'RegistryNotTrusted' });
      await wrong.close();
    }
    const address = behind.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    const plain = registryOf({ TOLLGATE_REGISTRY_URL: `https://127.0.0.1:${port}` });
    expect(await faultOf(plain.typeOf(7))).toMatchObject({ name: 'RegistryNotTrusted' });
  });
});

describe('the environment', () => {
  test.each(['REGISTRY', 'CLICKHOUSE'])('%s: a URL holds no login, and an authority is for https', async (server) => {
    const url = (value: string) => ({ [`TOLLGATE_${server}_URL`]: value });
    const fault = await faultOf(Promise.resolve().then(() => settingsOf(url(`https://${USERNAME}:${WRONG}@h:1`))));
    expect(fault).toBeInstanceOf(EnvironmentInvalid);
    const settings = settingsOf({ ...url('http://127.0.0.1:1'), [`TOLLGATE_${server}_TLS_CA`]: authority.ca });
    const open = server === 'REGISTRY' ? clusterRegistry : clusterWarehouse;
    expect(() => open(settings)).toThrow(`TOLLGATE_${server}_TLS_CA needs a URL of https`);
  });
});
