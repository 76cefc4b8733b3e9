import loggers from 'kafkajs/src/loggers/index.js';
import Connection, { type ApiVersions, type Protocol } from 'kafkajs/src/network/connection.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';
import { connectionTimeouts, type KafkaConnection, saslOptions } from './connection.ts';
import { asFault, checkCode, KafkaFault, LOGIN_FAULT } from './faults.ts';
import { mendIdleSpin } from './idle-spin.ts';

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A request of our own making, beside those that kafkajs defines. */
export interface RawRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly body: Buffer;
  /** How long the broker may hold the request back, in ms, on top of the time that any request has. */
  readonly holdMs: number;
}

interface VersionsAnswer {
  readonly errorCode: number;
  readonly apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
}

/** What was thrown as a `KafkaFault`; a bug comes back as it is. */
type ToFault = (error: unknown, where: string) => unknown;

const API_VERSIONS_VERSION = 2;
const SILENT = loggers.createLogger({ level: 0, logCreator: () => () => {} });

/** One connection to one broker, authenticated. Its faults are `KafkaFault`s; after one of the connection it is dead. */
export class Wire {
  readonly address: Address;
  readonly #connection: Connection;
  readonly #versions: ApiVersions;
  readonly #requestMs: number;
  readonly #toFault: ToFault;
  #closed = false;

  private constructor(
    address: Address,
    connection: Connection,
    versions: ApiVersions,
    requestMs: number,
    toFault: ToFault,
  ) {
    this.address = address;
    this.#connection = connection;
    this.#versions = versions;
    this.#requestMs = requestMs;
    this.#toFault = toFault;
  }

  /** Connects and, if it is asked for, authenticates. */
  static async open(options: KafkaConnection, address: Address): Promise<Wire> {
    mendIdleSpin();
    const { connectMs, requestMs } = connectionTimeouts(options);
    const connection = new Connection({
      ...address,
      clientId: options.clientId,
      logger: SILENT,
      socketFactory: socketFactory(),
      ssl: options.tls ?? null,
      sasl: saslOptions(options) ?? null,
      connectionTimeout: connectMs,
      requestTimeout: requestMs,
    });
    const where = nameOf(address);
    const toFault = watchLogins(connection);
    try {
      await connection.connect();
      const versions = await askVersions(connection, where);
      connection.setVersions(versions);
      connection.setSupportAuthenticationProtocol(versions[apiKeys.SaslAuthenticate ?? -1] !== undefined);
      await connection.authenticate();
      return new Wire(address, connection, versions, requestMs, toFault);
    } catch (error) {
      const fault = toFault(error, where);
      destroy(connection, where);
      throw fault;
    }
  }

  get open(): boolean {
    return !this.#closed && this.#connection.isConnected();
  }

  /** Sends a request that kafkajs defines and gives its answer as decoded, error codes and all. */
  async ask<Answer>(apiName: string, args: object): Promise<Answer> {
    const definition = protocol.requests[apiName];
    const apiKey = apiKeys[apiName];
    if (definition === undefined || apiKey === undefined) throw new Error(`kafkajs knows no request ${apiName}`);
    const made = protocol.lookup(this.#versions)(apiKey, definition)(args) as Protocol<Answer>;
    return this.#send(apiName, { ...made, response: { decode: made.response.decode, parse: async (data) => data } });
  }

  /** Sends a request of our own making and gives the bytes of the answer. */
  async askRaw(request: RawRequest): Promise<Buffer> {
    const { apiKey, apiVersion, apiName, body, holdMs } = request;
    const range = this.#versions[apiKey];
    if (range === undefined || apiVersion < range.minVersion || apiVersion > range.maxVersion) {
      throw new KafkaFault('UNSUPPORTED_VERSION', false, `${nameOf(this.address)}: ${apiName} ${apiVersion}`);
    }
    const answer = await this.#send(apiName, {
      request: { apiKey, apiVersion, apiName, encode: async () => ({ buf: body, buffer: body }) },
      response: { decode: async (payload) => ({ payload }), parse: async (decoded) => decoded },
      requestTimeout: this.#requestMs + holdMs,
    });
    return answer.payload;
  }

  /** Ends the connection at once; what was asked and not yet answered is refused with a fault of the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    destroy(this.#connection, nameOf(this.address));
  }

  async #send<Answer>(apiName: string, made: Protocol<Answer>): Promise<Answer> {
    const where = `${nameOf(this.address)}: ${apiName}`;
    try {
      return await this.#connection.send({ ...made, logResponseError: false });
    } catch (error) {
      const fault = this.#toFault(error, where);
      // An answer that did not come in time may come still, a login was refused: the connection is of no use any more.
      if (fault instanceof KafkaFault) this.close();
      throw fault;
    }
  }
}

/** `host:port`, brackets and all. Throws a `KafkaFault` that is final for anything else. */
export function parseAddress(text: string): Address {
  const [, host, port] = /^\[?([^[\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined) throw new KafkaFault('INVALID_ADDRESS', false, JSON.stringify(text));
  return { host, port: Number(port) };
}

export function nameOf(address: Address): string {
  return `${address.host}:${address.port}`;
}

async function askVersions(connection: Connection, where: string): Promise<ApiVersions> {
  const made = protocol.requests.ApiVersions?.protocol({ version: API_VERSIONS_VERSION })({});
  if (made === undefined) throw new Error('kafkajs knows no request ApiVersions');
  const parse = async (decoded: unknown) => decoded;
  const answer = (await connection.send({
    ...made,
    response: { decode: made.response.decode, parse },
    logResponseError: false,
  })) as VersionsAnswer;
  checkCode(answer.errorCode, where);
  return Object.fromEntries(answer.apiVersions.map(({ apiKey, ...range }) => [apiKey, range]));
}

/**
 * kafkajs tells of a connection that broke off during a login as of a login that was refused, and the one heals while the
 * other does not. So the requests of a login are listened to. A login may come at any time: where sessions have an end,
 * kafkajs logs in anew before the next request.
 */
function watchLogins(connection: Connection): ToFault {
  const send = connection.send.bind(connection);
  let last: unknown;
  connection.send = async (made) => {
    if (made.request.apiKey !== apiKeys.SaslAuthenticate) return send(made);
    try {
      return await send(made);
    } catch (error) {
      last = error;
      throw error;
    }
  };
  return (error, where) => {
    const broke = error instanceof Error && error.name === LOGIN_FAULT ? asFault(last, where) : undefined;
    return broke instanceof KafkaFault && broke.type === 'CONNECTION' ? broke : asFault(error, where);
  };
}

/** kafkajs's `disconnect` waits for answers that may never come: they are refused first. */
function destroy(connection: Connection, where: string): void {
  connection.rejectRequests(new KafkaFault('CONNECTION', true, `${where}: closed`));
  connection.disconnect().catch(() => {}); // nothing is left to be told of it
  connection.socket?.destroy();
}
