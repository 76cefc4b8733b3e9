import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Identity } from './certificates.ts';

export interface HttpsProxyOptions {
  readonly identity: Identity;
  /** The server behind it, which knows neither TLS nor logins. */
  readonly target: string;
  readonly username: string;
  readonly password: string;
  /** How the server of that kind answers to another login, or to none. */
  readonly refuse: (response: ServerResponse) => void;
}

/** A door with TLS and a login in front of a server that has neither. */
export interface HttpsProxy {
  readonly url: string;
  /** Method and address of all that was asked. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function startHttpsProxy(options: HttpsProxyOptions): Promise<HttpsProxy> {
  const { identity, target, refuse } = options;
  const login = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`;
  const asked: string[] = [];
  const server = createServer(
    { key: readFileSync(identity.key), cert: readFileSync(identity.cert) },
    (near, answer) => {
      asked.push(`${near.method} ${near.url}`);
      if (near.headers.authorization === login || isLogin(near, options)) return handOn(near, answer, target);
      near.resume();
      near.on('end', () => refuse(answer));
    },
  );
  server.on('tlsClientError', () => {}); // a client that does not trust it
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  return { url: `https://127.0.0.1:${port}${pathOf(target)}`, asked, close: () => close(server) };
}

/** ClickHouse's client logs in by headers of ClickHouse's own where an authority is given. */
function isLogin({ headers }: IncomingMessage, { username, password }: HttpsProxyOptions): boolean {
  return headers['x-clickhouse-user'] === username && headers['x-clickhouse-key'] === password;
}

/** The path of the target is the client's to send: the registry's ends in one. */
function pathOf(target: string): string {
  const { pathname } = new URL(target);
  return pathname === '/' ? '' : pathname;
}

function handOn(near: IncomingMessage, answer: ServerResponse, target: string): void {
  const { authorization: _, 'x-clickhouse-user': __, 'x-clickhouse-key': ___, ...headers } = near.headers;
  const { origin } = new URL(target);
  const far = request(new URL(near.url ?? '/', origin), { method: near.method ?? 'GET', headers }, (found) => {
    answer.writeHead(found.statusCode ?? 502, found.headers);
    found.pipe(answer);
  });
  far.on('error', () => answer.destroy());
  near.pipe(far);
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** As ClickHouse says it. */
export function refuseAsClickHouse(response: ServerResponse): void {
  const said =
    'Code: 516. DB::Exception: somebody: Authentication failed: password is incorrect, or there is no user with such name. ' +
    '(AUTHENTICATION_FAILED) (version 26.7.2.1)';
  response.writeHead(403, { 'x-clickhouse-exception-code': '516', 'content-type': 'text/plain' }).end(said);
}

/** As Confluent's registry says it. */
export function refuseAsRegistry(response: ServerResponse): void {
  const said = JSON.stringify({ error_code: 401, message: 'Unauthorized' });
  response.writeHead(401, { 'content-type': 'application/json' }).end(said);
}
