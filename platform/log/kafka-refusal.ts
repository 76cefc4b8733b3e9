import type { KafkaFault } from '../kafka/faults.ts';
import { LogError, type LogErrorCode } from './port.ts';

/** A login or a right is missing; who gives it mends it. */
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  ...['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE', 'SECURITY_DISABLED'],
  ...['TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'],
]);

/** What a caller of the log is told of a fault of Kafka: `code`, unless it is a matter of rights or of trust. */
export function logRefusal(code: LogErrorCode, where: string, fault: KafkaFault): LogError {
  return new LogError(codeOf(fault) ?? code, `${where}: ${fault.message}`, { cause: fault });
}

function codeOf({ type }: KafkaFault): LogErrorCode | undefined {
  if (type === 'TLS_REFUSED') return 'LogNotTrusted';
  return NOT_ALLOWED.has(type) ? 'LogNotAllowed' : undefined;
}
