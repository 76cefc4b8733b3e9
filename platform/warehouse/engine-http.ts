import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createGunzip } from 'node:zlib';
import { EngineRequestError, parseEngineRequest } from './engine-request.ts';
import type { EngineRunner, EngineSink } from './engine-run.ts';
import { createSlots, SlotsFullError } from './slots.ts';

export type EngineLimits = {
  /** Bytes of one request's body, unpacked. */
  readonly bodyBytesMax: number;
  /** Bytes of all bodies that are held at a time. */
  readonly bodiesBytesMax: number;
  readonly runningMax: number;
  readonly waitingMax: number;
  /** How long an answer may wait for its reader, ms. */
  readonly stallMs: number;
};

const EXCEPTION_TAG = 'tollgate-engine1';

/**
 * ClickHouse's HTTP interface, as much of it as the stock client uses: GET /ping, GET and POST / with the query in URL
 * or body. Errors are 500 with ClickHouse's code (400 and above for what is refused at the door, 503 when busy), and in
 * the middle of a stream they end it in ClickHouse's own way. It has no users, so it listens on loopback only and
 * refuses browsers.
 */
export function createEngineHttp(runner: EngineRunner, limits: EngineLimits): Server {
  const slots = createSlots(limits.runningMax, limits.waitingMax);
  let heldBytes = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://engine');
    refuseBrowsers(request);
    if (url.pathname === '/ping' || url.pathname === '/replicas_status') return void response.end('Ok.\n');
    if (url.pathname !== '/') throw new EngineRequestError(404, 48, 'NOT_IMPLEMENTED', `no such path: ${url.pathname}`);
    if (request.method !== 'GET' && request.method !== 'POST') {
      throw new EngineRequestError(405, 48, 'NOT_IMPLEMENTED', `method ${request.method}`);
    }
    const body: Body = { chunks: [], bytes: 0 };
    try {
      await readBody(request, body, limits, (bytes) => {
        heldBytes += bytes;
        if (heldBytes > limits.bodiesBytesMax) {
          throw new EngineRequestError(
            503,
            202,
            'TOO_MANY_SIMULTANEOUS_QUERIES',
            `${heldBytes} bytes of bodies are held`,
          );
        }
      });
      const bytes = Buffer.concat(body.chunks);
      const parsed = parseEngineRequest(request.method, url, request.headers, bytes, limits.bodyBytesMax);
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      response.setTimeout(limits.stallMs, () => response.destroy());
      await slots.run(async () => {
        if (gone.signal.aborted) return;
        const sink = responseSink(response, parsed.queryId, parsed.format);
        await runner.run(parsed, sink, gone.signal);
        response.end();
      });
    } finally {
      heldBytes -= body.bytes;
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => fail(request, response, error));
  });
  server.keepAliveTimeout = 10_000;
  return server;
}

/** A page in a browser can reach loopback; no client of a database sends these headers. */
function refuseBrowsers(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  const name = host?.replace(/:\d+$/, '');
  if (origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    throw new EngineRequestError(403, 497, 'ACCESS_DENIED', 'requests from web pages are refused');
  }
  if (name !== '127.0.0.1' && name !== 'localhost' && name !== '[::1]') {
    throw new EngineRequestError(403, 497, 'ACCESS_DENIED', `the host ${JSON.stringify(host)} is not loopback`);
  }
}

type Body = { readonly chunks: Buffer[]; bytes: number };

/** Reads the body into `body`, which at any time says how much is held, also when this throws. */
async function readBody(
  request: IncomingMessage,
  body: Body,
  limits: EngineLimits,
  hold: (bytes: number) => void,
): Promise<void> {
  const take = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      body.chunks.push(chunk);
      body.bytes += chunk.length;
      hold(chunk.length);
      if (body.bytes > limits.bodyBytesMax) {
        throw new EngineRequestError(413, 307, 'TOO_MANY_BYTES', `a body may have ${limits.bodyBytesMax} bytes`);
      }
    }
  };
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return take(request);
  if (encoding !== 'gzip') {
    throw new EngineRequestError(415, 48, 'NOT_IMPLEMENTED', `content-encoding ${encoding}: gzip or none`);
  }
  const unpacked = request.pipe(createGunzip());
  // a sender that breaks off would leave the unpacking waiting for ever
  request.once('close', () => {
    if (!request.complete) unpacked.destroy(new Error('the request broke off'));
  });
  await take(unpacked);
}

function responseSink(response: ServerResponse, queryId: string | undefined, format: string): EngineSink {
  return {
    begin(writtenRows) {
      response.writeHead(200, {
        'Content-Type': 'text/plain; charset=UTF-8',
        'X-ClickHouse-Server-Display-Name': 'tollgate',
        'X-ClickHouse-Timezone': 'UTC',
        'X-ClickHouse-Format': format,
        'X-ClickHouse-Exception-Tag': EXCEPTION_TAG,
        ...(queryId === undefined ? {} : { 'X-ClickHouse-Query-Id': queryId }),
        ...(writtenRows === undefined
          ? {}
          : { 'X-ClickHouse-Summary': JSON.stringify({ written_rows: String(writtenRows) }) }),
      });
    },
    async write(bytes) {
      if (response.destroyed) throw new Error('the reader is gone');
      if (bytes.length === 0 || response.write(bytes)) return;
      await new Promise<void>((resolve, reject) => {
        const onClose = () => {
          response.off('drain', onDrain);
          reject(new Error('the reader is gone'));
        };
        const onDrain = () => {
          response.off('close', onClose);
          resolve();
        };
        response.once('drain', onDrain);
        response.once('close', onClose);
      });
    },
  };
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  const { status, code, text } = describe(error);
  if (response.headersSent) {
    // ClickHouse's mark of an error in a stream: text, its length, and the tag that the head announced
    const length = Buffer.byteLength(text) + 1;
    const block = `\r\n__exception__\r\n${EXCEPTION_TAG}\r\n${text}\n${length} ${EXCEPTION_TAG}\r\n__exception__\r\n`;
    response.write(block, () => response.destroy());
    return;
  }
  const unread = !request.complete;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(code),
    ...(status === 503 ? { 'Retry-After': '1' } : {}),
    ...(unread ? { Connection: 'close' } : {}),
  });
  response.end(`${text}\n`, () => {
    if (unread) request.destroy();
  });
}

function describe(error: unknown): { readonly status: number; readonly code: number; readonly text: string } {
  if (error instanceof EngineRequestError) return describeAs(error.status, error.code, error.type, error.message);
  if (error instanceof SlotsFullError) return describeAs(503, 202, 'TOO_MANY_SIMULTANEOUS_QUERIES', error.message);
  const message = error instanceof Error ? error.message : String(error);
  const code = /^Code: (\d+)\./.exec(message)?.[1];
  return code === undefined
    ? describeAs(500, 1001, 'STD_EXCEPTION', message)
    : { status: 500, code: Number(code), text: message.trim() };
}

function describeAs(status: number, code: number, type: string, message: string) {
  return { status, code, text: `Code: ${code}. DB::Exception: ${message}. (${type})` };
}
