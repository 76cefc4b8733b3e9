import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import type { Authority, Identity } from './certificates.ts';

/** Servers that are not what they should be, on free ports of loopback. */
export class Stubs {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /** Takes connections and says nothing. @returns where it listens */
  silent(): Promise<string> {
    return this.#listen(createServer(() => {}));
  }

  /** Shows a certificate, and then says nothing. */
  silentTls(identity: Identity): Promise<string> {
    return this.#listen(createTlsServer(secretsOf(identity)));
  }

  /** A way to a broker with TLS that breaks off so many logins half-way: at the third request, the one with the password. */
  breaksOffLogins(authority: Authority, broker: string, logins: number): Promise<string> {
    const [host = '', port = ''] = broker.split(':');
    let left = logins;
    const proxy = createTlsServer(secretsOf(authority.issue('proxy')), (near) => {
      const far = tlsConnect({ host, port: Number(port), ca: authority.pem });
      const end = (): void => {
        near.destroy();
        far.destroy();
      };
      let requests = 0;
      near.on('data', (chunk) => {
        requests += 1;
        if (requests === 3 && left > 0) {
          left -= 1;
          end();
        } else far.write(chunk);
      });
      far.on('data', (chunk) => near.write(chunk));
      for (const socket of [near, far]) {
        this.#keep(socket);
        socket.on('close', end);
      }
    });
    return this.#listen(proxy);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) {
      server.close();
      await once(server, 'close');
    }
  }

  async #listen(server: Server): Promise<string> {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => this.#keep(socket));
    server.on('tlsClientError', () => {}); // the client refuses, as it is meant to
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `127.0.0.1:${address.port}`;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function secretsOf({ key, cert }: Identity): { readonly key: Buffer; readonly cert: Buffer } {
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
