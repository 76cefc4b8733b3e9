import type { KafkaConfig, logCreator, SASLOptions } from 'kafkajs';
import { logLevel } from 'kafkajs';
import { mendIdleSpin } from './idle-spin.ts';

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
const CONTROL_RETRIES = 5;

/** The connection with its defaults filled in. */
export function connectionTimeouts(connection: KafkaConnection): { connectMs: number; requestMs: number } {
  return {
    connectMs: connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    requestMs: connection.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  };
}

/** What kafkajs's own client is made with. Make one client a consumer: it caches committed offsets. */
export function kafkaConfig(connection: KafkaConnection): KafkaConfig {
  mendIdleSpin();
  const { connectMs, requestMs } = connectionTimeouts(connection);
  const sasl = saslOptions(connection);
  return {
    brokers: [...connection.brokers],
    clientId: connection.clientId,
    connectionTimeout: connectMs,
    requestTimeout: requestMs,
    retry: { retries: CONTROL_RETRIES, initialRetryTime: 100, maxRetryTime: 2_000 },
    logLevel: logLevel.INFO,
    logCreator: ontoLogger(connection.logger),
    ...(connection.tls === undefined ? {} : { ssl: { ...connection.tls } }),
    ...(sasl === undefined ? {} : { sasl }),
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

/** kafkajs calls its own retries errors; what ends a service is told by the adapters, so its errors are warnings here. */
function ontoLogger(logger: KafkaLogger): logCreator {
  return () =>
    ({ level, namespace, log: { message, timestamp: _timestamp, logger: _name, stack: _stack, ...fields } }) => {
      const told = { kafkajs: namespace, ...fields };
      if (level === logLevel.ERROR || level === logLevel.WARN) logger.warn(told, message);
      else logger.debug(told, message);
    };
}
