import { createConnection, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';
import { AbstractConnector } from 'ioredis';

/** How long a socket that was ended may stay open, ms. */
const DISCONNECT_MS = 2_000;

interface Address {
  readonly host: string;
  readonly port: number;
}

export type SocketConnector = ReturnType<typeof socketConnector>;

/**
 * What opens ioredis its sockets. Its own listens to the first fault of a socket only, and a TLS that is given up half-way
 * has two: the second would end the process. Its cluster keeps the faults of the nodes it asks to itself; `onFault` is told
 * of all.
 */
export function socketConnector(tls: TlsOptions | undefined, onFault: (fault: Error) => void) {
  return class SocketConnector extends AbstractConnector {
    readonly #address: Address;

    /** @param options ioredis's own, with the address of one node */
    constructor(options: unknown) {
      super(DISCONNECT_MS);
      this.#address = addressOf(options);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const socket = tls === undefined ? createConnection(this.#address) : connectTls({ ...this.#address, ...tls });
      socket.on('error', (fault) => {
        this.firstError ??= fault;
        onFault(fault);
      });
      this.stream = socket;
      return socket;
    }
  };
}

function addressOf(options: unknown): Address {
  if (typeof options === 'object' && options !== null && 'host' in options && 'port' in options) {
    const { host, port } = options;
    if (typeof host === 'string' && typeof port === 'number') return { host, port };
  }
  throw new TypeError('ioredis gives no address');
}
