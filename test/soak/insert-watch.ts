import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between the services and ClickHouse, hands on every byte, and knows how many inserts have no answer yet. */
export interface InsertWatch {
  readonly url: string;
  readonly unanswered: number;
  /** Resolves true once an insert has begun, false after so long. */
  untilInsert(waitMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** The first line of a request of the writer of the warehouse: `POST /?query=INSERT+INTO...`. */
const INSERT = /^POST [^\r\n]*[?&]query=INSERT/;

/** @param target where the engine listens: it may be away for a while, then so is this */
export async function watchInserts(target: string): Promise<InsertWatch> {
  const { hostname, port } = new URL(target);
  const inserting = new Set<Socket>();
  const sockets = new Set<Socket>();
  let wake: (() => void)[] = [];

  const server = createServer((client) => {
    const engine = connect({ host: hostname, port: Number(port) });
    let asked = false; // between a request's first byte and its answer's
    const drop = (): void => {
      inserting.delete(client);
      for (const socket of [client, engine]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', drop).on('close', drop);
    }
    client.on('data', (bytes: Buffer) => {
      if (!asked && INSERT.test(bytes.toString('latin1', 0, 2000))) {
        inserting.add(client);
        for (const resolve of wake) resolve();
        wake = [];
      }
      asked = true;
      engine.write(bytes);
    });
    engine.on('data', (bytes: Buffer) => {
      asked = false;
      inserting.delete(client);
      client.write(bytes);
    });
  });
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the watch has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get unanswered() {
      return inserting.size;
    },
    untilInsert: (waitMs) =>
      new Promise((resolve) => {
        if (inserting.size > 0) return resolve(true);
        const timer = setTimeout(() => resolve(false), waitMs);
        wake.push(() => {
          clearTimeout(timer);
          resolve(true);
        });
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
