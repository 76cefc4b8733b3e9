import errors from 'kafkajs/src/protocol/error.js';
import { isTlsRefusal } from '../tls/refusal.ts';

/** Anything that a broker or the way to it answers instead of what was asked for. */
export class KafkaFault extends Error {
  /** The protocol's name of the error, `CONNECTION`, or `TLS_REFUSED`. */
  readonly type: string;
  /** Whether the same request may succeed later: another leader, a restarted broker, a connection made anew. */
  readonly retriable: boolean;

  constructor(type: string, retriable: boolean, detail: string, options?: ErrorOptions) {
    super(`${detail}: ${type}`, options);
    this.name = 'KafkaFault';
    this.type = type;
    this.retriable = retriable;
  }
}

/** kafkajs 2.2.4 knows these not at all, or as final though a moment heals them. */
const RETRIABLE_CODES: ReadonlyMap<number, string> = new Map([
  [8, 'BROKER_NOT_AVAILABLE'],
  [56, 'KAFKA_STORAGE_ERROR'],
  [74, 'FENCED_LEADER_EPOCH'],
  [75, 'UNKNOWN_LEADER_EPOCH'],
  [78, 'OFFSET_NOT_AVAILABLE'],
  [89, 'THROTTLING_QUOTA_EXCEEDED'],
]);
const CONNECTION_FAULTS = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
]);

/** What kafkajs throws for anything that goes wrong during a login. */
export const LOGIN_FAULT = 'KafkaJSSASLAuthenticationError';

/** Throws the `KafkaFault` that an error code of the protocol stands for; 0 is none. */
export function checkCode(code: number, where: string): void {
  if (code === 0) return;
  const known = RETRIABLE_CODES.get(code);
  if (known !== undefined) throw new KafkaFault(known, true, where);
  const { type, retriable } = errors.createErrorFromCode(code);
  throw new KafkaFault(type, retriable, where);
}

/** What was thrown as a `KafkaFault`, if it is the way to the broker or the broker; anything else is a bug and comes back as it is. */
export function asFault(error: unknown, where: string): unknown {
  if (error instanceof KafkaFault || !(error instanceof Error)) return error;
  const said = `${where}: ${error.message.replace(/\s+/g, ' ').trim()}`; // OpenSSL ends its own with a line break
  if (isTlsRefusal(error)) return new KafkaFault('TLS_REFUSED', false, said, { cause: error });
  if (CONNECTION_FAULTS.has(error.name)) return new KafkaFault('CONNECTION', true, said, { cause: error });
  if (error.name === LOGIN_FAULT) return new KafkaFault('SASL_AUTHENTICATION_FAILED', false, said, { cause: error });
  if (error.name === 'KafkaJSProtocolError' && 'type' in error && 'retriable' in error) {
    return new KafkaFault(String(error.type), error.retriable === true, said, { cause: error });
  }
  if (error.name.startsWith('KafkaJS')) return new KafkaFault(error.name, false, said, { cause: error });
  return error;
}
