import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { DoorDeps } from '../../services/ingest/context.ts';
import { type RunningDoor, startDoor } from '../../services/ingest/server.ts';
import {
  bearer,
  type ConfigInput,
  configWith,
  depsWith,
  type Json,
  MemorySink,
  NO_VERDICTS,
  usage,
} from './harness.ts';

interface Running {
  readonly door: RunningDoor;
  readonly sink: MemorySink;
  readonly metrics: Registry;
  readonly url: URL;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(config: ConfigInput = {}, given: Partial<DoorDeps> = {}): Promise<Running> {
  const sink = new MemorySink();
  const deps = depsWith(sink, given);
  const door = await startDoor(deps, configWith({ stopGraceMs: 0, ...config }));
  closing.push(() => door.stop());
  return { door, sink, metrics: deps.metrics, url: new URL(door.url) };
}

function post(
  running: Running,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(new URL('/v1/events', running.url), {
    method: 'POST',
    headers: { ...bearer('operator'), 'content-type': 'application/cloudevents+json', ...headers },
    body,
  });
}

/** Sends bytes as they are and gives all that comes back until the server closes. */
async function raw(running: Running, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = open(running);
  const heard = listen(socket);
  for (const part of parts) socket.write(part);
  return await heard;
}

function open(running: Running): Socket {
  const socket = connect(Number(running.url.port), running.url.hostname);
  socket.on('error', () => undefined);
  closing.push(async () => void socket.destroy());
  return socket;
}

function listen(socket: Socket): Promise<string> {
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
  });
  return new Promise((resolve) => socket.on('close', () => resolve(heard)));
}

const HEAD = `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer('operator').authorization}\r\nContent-Type: application/json\r\n`;

async function inFlight(metrics: Registry): Promise<number> {
  const text = await metrics.getSingleMetricAsString('tollgate_ingest_in_flight_bytes');
  return Number(/^tollgate_ingest_in_flight_bytes (\d+)$/m.exec(text)?.[1] ?? -1);
}

describe('a door that listens', () => {
  it('takes plain and gzipped bodies over HTTP, and listens on loopback', async () => {
    const running = await start();
    expect(running.url.hostname).toBe('127.0.0.1');
    expect((await post(running, JSON.stringify(usage('a')))).status).toBe(202);
    const lines = Array.from({ length: 1000 }, (_, at) => JSON.stringify(usage(`e${at}`))).join('\n');
    const packed = new Uint8Array(gzipSync(lines));
    const answer = await post(running, packed, { 'content-encoding': 'gzip', 'content-type': 'application/x-ndjson' });
    expect(await answer.json()).toMatchObject({ accepted: 1000, rejected: 0 });
    expect(running.sink.texts).toHaveLength(1001);
  });

  it('takes a chunked body, and bounds it', async () => {
    const running = await start({ bodyBytesMax: 2000 });
    const body = JSON.stringify(usage('a'));
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const head = `${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await raw(running, head, chunk(body.slice(0, 9)), chunk(body.slice(9)), '0\r\n\r\n')).toContain(
      'HTTP/1.1 202',
    );
    expect(await raw(running, head, chunk(body), chunk(' '.repeat(2000)), '0\r\n\r\n')).toContain('HTTP/1.1 413');
    await expect.poll(() => inFlight(running.metrics)).toBe(0);
  });

  it('bounds a bomb, and goes on', async () => {
    const running = await start({ inflatedBytesMax: 100_000 });
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(50_000_000)));
    expect((await post(running, bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await post(running, JSON.stringify(usage('a')))).status).toBe(202);
  });

  it('refuses wrong lengths and what is no HTTP, and goes on', async () => {
    const running = await start();
    expect(await raw(running, `${HEAD}Content-Length: -1\r\n\r\n{}`)).toContain('HTTP/1.1 400');
    expect(await raw(running, `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`)).toContain('HTTP/1.1 400');
    expect(await raw(running, `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`)).toContain(
      'HTTP/1.1 400',
    );
    expect(await raw(running, 'nonsense\r\n\r\n')).toContain('HTTP/1.1 400');
    expect(await raw(running, Buffer.alloc(100, 0xff))).toContain('HTTP/1.1 400');
    expect(await raw(running, `${HEAD}X: ${'x'.repeat(20_000)}\r\n\r\n`)).toContain('HTTP/1.1 431');
    expect((await post(running, JSON.stringify(usage('a')))).status).toBe(202);
  });

  it('lets go of a client that never ends its headers, or its body', async () => {
    const running = await start({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
    expect(await raw(running, HEAD)).toContain('HTTP/1.1 408');
    expect(await raw(running, `${HEAD}Content-Length: 100\r\n\r\n{`)).toContain('408');
    await expect.poll(() => inFlight(running.metrics)).toBe(0);
  });

  it('gives back the room of a client that goes away in the middle of its body', async () => {
    const running = await start();
    const socket = open(running);
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n{`);
    await expect.poll(() => inFlight(running.metrics)).toBe(100_000);
    socket.destroy();
    await expect.poll(() => inFlight(running.metrics)).toBe(0);
    expect(running.sink.rejected).toEqual([]);
  });

  it('gives back the room of a client that goes away while its body is unpacked', async () => {
    const running = await start();
    const body = gzipSync(Buffer.alloc(30_000_000, ' '));
    const socket = open(running);
    socket.write(`${HEAD}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(0, -1));
    await expect.poll(() => inFlight(running.metrics), { timeout: 30_000 }).toBe(body.length);
    await new Promise((resolve) => socket.write(body.subarray(-1), resolve));
    socket.destroy();
    // Unpacking goes on for a while, and what it makes is to be held by nobody.
    await expect.poll(() => inFlight(running.metrics), { timeout: 30_000 }).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await inFlight(running.metrics)).toBe(0);
    expect(running.sink.texts).toEqual([]);
  });
});

describe('a door that stops', () => {
  it('finishes what is under way and turns the rest away', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sink = new MemorySink();
    let appending = false;
    const running = await start(
      { stopGraceMs: 60_000 },
      {
        sink: {
          partitions: 1,
          append: async (...args) => {
            appending = true;
            await gate;
            return await sink.append(...args);
          },
          reject: async (...args) => await sink.reject(...args),
        },
      },
    );
    const underWay = post(running, JSON.stringify(usage('a')));
    await expect.poll(() => appending).toBe(true);
    // What comes on a connection that is open already is told 503, or finds it closed; it is never taken.
    const late = open(running);
    const heard = listen(late);
    late.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(late, 'data');
    const stopped = running.door.stop();
    late.write(`${HEAD}Content-Length: 2\r\n\r\n{}`);
    expect(await heard).toMatch(/^HTTP\/1\.1 200[\s\S]*?\{"status":"live"\}(HTTP\/1\.1 503[\s\S]*)?$/);
    release();
    const answer = await underWay;
    expect(answer.status).toBe(202);
    expect(((await answer.json()) as Json).accepted).toBe(1);
    await stopped;
    expect(sink.texts).toHaveLength(1);
    await expect(post(running, '{}')).rejects.toThrow();
  });

  it('tells who waits for a verdict that it is pending', async () => {
    let waiting = false;
    const running = await start(
      { stopGraceMs: 60_000 },
      {
        verdicts: {
          ...NO_VERDICTS,
          wait: (positions, _timeoutMs, signal) =>
            new Promise((resolve) => {
              waiting = true;
              signal.addEventListener('abort', () => resolve(positions.map(() => ({ status: 'pending' }))));
            }),
        },
      },
    );
    const answer = fetch(new URL('/v1/events?wait=applied', running.url), {
      method: 'POST',
      headers: { ...bearer('operator'), 'content-type': 'application/json' },
      body: JSON.stringify(usage('a')),
    });
    await expect.poll(() => waiting).toBe(true);
    await running.door.stop();
    expect(await (await answer).json()).toMatchObject({ results: [{ verdict: { status: 'pending' } }] });
  });

  it('cuts off, after its grace, a client that does not finish', async () => {
    const running = await start({ stopGraceMs: 50 });
    const socket = open(running);
    const heard = listen(socket);
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n{`);
    await expect.poll(() => inFlight(running.metrics)).toBe(100_000);
    await running.door.stop();
    expect(await heard).not.toContain('202');
  });
});
