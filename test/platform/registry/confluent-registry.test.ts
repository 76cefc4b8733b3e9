import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { confluentRegistry } from '../../../platform/registry/confluent-registry.ts';

const SCHEMA = '{"type":"record","name":"R","fields":[]}';
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A registry at whatever answers as the listener does. */
async function at(listener: RequestListener, timeoutMs = 20_000) {
  let requests = 0;
  const listening = createServer((request, response) => {
    requests += 1;
    listener(request, response);
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const registry = confluentRegistry({ url: `http://127.0.0.1:${port}`, timeoutMs, attemptsMax: 2, pauseMs: 1 });
  return { registry, requests: () => requests };
}

const json = (status: number, value: unknown): RequestListener => {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
};

describe('a registry that does not answer as one is an outage, after a bounded number of tries', () => {
  test.each<[string, RequestListener]>([
    ['fails', json(500, { message: 'boom' })],
    ['hangs up', (request) => request.socket.destroy()],
  ])('one that %s', async (_, listener) => {
    const { registry, requests } = await at(listener);
    await expect(registry.typeOf(1)).rejects.toMatchObject({ name: 'RegistryUnreachable' });
    await expect(registry.idOf('a-value', SCHEMA)).rejects.toMatchObject({ name: 'RegistryUnreachable' });
    expect(requests()).toBe(4);
  });
});

test('a registry that wants another password is not asked again', async () => {
  for (const status of [401, 403]) {
    const { registry, requests } = await at(json(status, { message: 'who are you' }));
    await expect(registry.typeOf(1)).rejects.toMatchObject({ name: 'RegistryNotAllowed' });
    await expect(registry.idOf('a-value', SCHEMA)).rejects.toMatchObject({ name: 'RegistryNotAllowed' });
    expect(requests()).toBe(2);
  }
});

describe('a registry that does not come to an end is given up', () => {
  test.each<[string, RequestListener]>([
    ['says nothing', () => undefined],
    ['begins to answer and never ends', (_, response) => void response.writeHead(200).write('{')],
  ])('one that %s', async (_, listener) => {
    const { registry } = await at(listener, 50);
    await expect(registry.typeOf(1)).rejects.toMatchObject({ name: 'RegistryUnreachable' });
    await expect(registry.register('a-value', SCHEMA, 'FULL_TRANSITIVE')).rejects.toMatchObject({
      name: 'RegistryUnreachable',
    });
  });
});

describe('what a registry says', () => {
  test('404 is that there is no such thing, at the first try', async () => {
    const { registry, requests } = await at(json(404, { error_code: 40403, message: 'not found' }));
    expect(await registry.typeOf(1)).toBeUndefined();
    expect(await registry.idOf('a-value', SCHEMA)).toBeUndefined();
    expect(requests()).toBe(2);
  });

  test.each(['not JSON', '["string","string"]', '{"type":"no such type"}'])(
    'a schema that is none (%s) fits nothing',
    async (schema) => {
      const { registry } = await at(json(200, { schema }));
      expect(await registry.typeOf(1)).toBeUndefined();
    },
  );

  test.each([409, 422])('%s is that the schema breaks the level of compatibility', async (status) => {
    const { registry } = await at((request, response) => {
      const config = request.method === 'GET';
      json(config ? 404 : status, { message: 'incompatible' })(request, response);
    });
    const registered = registry.register('a-value', SCHEMA, 'FULL_TRANSITIVE');
    await expect(registered).rejects.toMatchObject({ name: 'SchemaIncompatible' });
  });
});
