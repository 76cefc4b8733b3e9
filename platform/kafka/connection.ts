import type { SASLOptions } from 'kafkajs';

/** The part of a logger that Kafka's adapters use; pino's loggers fit. */
export interface KafkaLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How a Kafka cluster is reached. */
export interface KafkaConnection {
  /** `host:port` of brokers to ask first; any one that answers tells of the others. */
  readonly brokers: readonly string[];
  /** What the brokers' logs and quotas call this client. */
  readonly clientId: string;
  /** TLS, if given; PEM texts. Node's store of authorities is used without `ca`. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    /** False takes any certificate: for tests only. Default true. */
    readonly rejectUnauthorized?: boolean;
  };
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
  /** Until a connection stands. Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Until a request is answered; a long poll waits that much longer. Default 10,000. */
  readonly requestTimeoutMs?: number;
  readonly logger: KafkaLogger;
}

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** The connection's times, with the defaults filled in. */
export function connectionTimeouts(connection: KafkaConnection): { connectMs: number; requestMs: number } {
  return {
    connectMs: connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    requestMs: connection.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  };
}

/** The SASL options in kafkajs's shape. */
export function saslOptions({ sasl }: KafkaConnection): SASLOptions | undefined {
  if (sasl === undefined) return undefined;
  const { mechanism, username, password } = sasl;
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
