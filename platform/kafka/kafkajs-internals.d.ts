/**
 * The parts of kafkajs 2.2.4 below its public face: a connection (socket, TLS, SASL, correlation, timeouts) and the
 * requests of the protocol. kafkajs is pinned to the exact version and has had no release since 2023.
 */
declare module 'kafkajs/src/network/connection.js' {
  interface ConnectionOptions {
    readonly host: string;
    readonly port: number;
    readonly clientId: string;
    readonly logger: unknown;
    readonly socketFactory: unknown;
    readonly ssl: object | null;
    readonly sasl: object | null;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
  }
  interface ProtocolRequest {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  }
  interface ProtocolResponse<Decoded> {
    readonly decode: (payload: Buffer) => Promise<Decoded>;
    readonly parse: (decoded: Decoded) => Promise<Decoded>;
  }
  export interface Protocol<Decoded> {
    readonly request: ProtocolRequest;
    readonly response: ProtocolResponse<Decoded>;
    readonly requestTimeout?: number;
    readonly logResponseError?: boolean;
  }
  export default class Connection {
    constructor(options: ConnectionOptions);
    readonly socket: { destroy(): void } | undefined;
    isConnected(): boolean;
    connect(): Promise<boolean>;
    disconnect(): Promise<boolean>;
    authenticate(): Promise<void>;
    setVersions(versions: ApiVersions): void;
    setSupportAuthenticationProtocol(supported: boolean): void;
    rejectRequests(error: Error): void;
    send<Decoded>(protocol: Protocol<Decoded>): Promise<Decoded>;
  }
  export type ApiVersions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>;
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    constructor(options: { readonly logger: object; readonly requestTimeout: number });
    pending: unknown[];
    readonly throttleCheckTimeoutId: unknown;
    destroy(): void;
    scheduleCheckPendingRequests: (this: RequestQueue) => void;
  }
}

declare module 'kafkajs/src/network/socketFactory.js' {
  export default function socketFactory(): unknown;
}

declare module 'kafkajs/src/loggers/index.js' {
  const loggers: { createLogger(options: { level: number; logCreator: () => (entry: unknown) => void }): unknown };
  export default loggers;
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type { ApiVersions, Protocol } from 'kafkajs/src/network/connection.js';
  /** The definitions of one request, by version. */
  export interface Definition {
    readonly versions: readonly string[];
    protocol(of: { version: number }): (args: object) => Protocol<unknown>;
  }
  const protocol: {
    readonly requests: Readonly<Record<string, Definition>>;
    lookup(versions: ApiVersions): (apiKey: number, definition: Definition) => (args: object) => Protocol<unknown>;
  };
  export default protocol;
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>;
  export default apiKeys;
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    createErrorFromCode(code: number): Error & { readonly type: string; readonly retriable: boolean };
  };
  export default errors;
}
