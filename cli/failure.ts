import { DataDirectoryInvalidError } from '../platform/lmdb/environment.ts';
import { DataDirectoryLockedError } from '../platform/lmdb/instance-lock.ts';
import { LogError } from '../platform/log/port.ts';
import { RedisError } from '../platform/redis/errors.ts';
import { RegistryError } from '../platform/registry/port.ts';
import { StateError } from '../platform/state/port.ts';
import { WarehouseError } from '../platform/warehouse/errors.ts';
import { warehouseRefusal } from '../platform/warehouse/refusal.ts';
import { RaterStopped } from '../services/rater/rater.ts';
import { TopicsMissing } from '../services/shared/runtime/connect.ts';
import { EnvironmentInvalid } from '../services/shared/runtime/variables.ts';
import { SchemasNotRegistered } from '../services/shared/wire/avro-topic.ts';
import { WireError } from '../services/shared/wire/wire-format.ts';
import { BadCall } from './replay.ts';
import { StackError } from './stack/errors.ts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, badCall: 2 } as const;

/** What a command could not do; the message says what, where, and what to do. The command exits with 1. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** What a user is told of a fault, and the exit code. Only a fault of the program itself shows where it arose. */
export function reportOf(fault: unknown): { readonly text: string; readonly exitCode: number } {
  if (fault instanceof BadCall) return { text: fault.message, exitCode: EXIT.badCall };
  if (fault instanceof EnvironmentInvalid) return { text: fault.message, exitCode: EXIT.badCall };
  if (fault instanceof DataDirectoryInvalidError) return { text: fault.message, exitCode: EXIT.badCall };
  if (isExpected(fault)) return { text: fault.message, exitCode: EXIT.failed };
  const refusal = warehouseRefusal('the request', fault);
  if (refusal !== undefined) return { text: refusal.message, exitCode: EXIT.failed };
  if (isConnectFault(fault)) return { text: `a server cannot be reached: ${fault.message}`, exitCode: EXIT.failed };
  if (isAddressFault(fault)) return { text: addressText(fault), exitCode: EXIT.failed };
  if (isFileFault(fault)) return { text: fault.message, exitCode: EXIT.failed };
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  return { text: `a fault of this program, please report it: ${text}`, exitCode: EXIT.failed };
}

function isExpected(fault: unknown): fault is Error {
  return (
    fault instanceof CommandFailed ||
    fault instanceof DataDirectoryLockedError ||
    fault instanceof LogError ||
    fault instanceof StateError ||
    fault instanceof WarehouseError ||
    fault instanceof RedisError ||
    fault instanceof RegistryError ||
    fault instanceof WireError ||
    fault instanceof SchemasNotRegistered ||
    fault instanceof TopicsMissing ||
    fault instanceof RaterStopped ||
    fault instanceof StackError
  );
}

interface SystemFault extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly port?: number;
}

function isSystemFault(fault: unknown): fault is SystemFault {
  return fault instanceof Error && 'code' in fault && 'syscall' in fault && typeof fault.code === 'string';
}

function isAddressFault(fault: unknown): fault is SystemFault {
  return isSystemFault(fault) && fault.syscall === 'listen';
}

/** Of the warehouse: log, state and registry have errors of their own. */
function isConnectFault(fault: unknown): fault is SystemFault {
  return isSystemFault(fault) && (fault.syscall === 'connect' || fault.syscall === 'getaddrinfo');
}

function addressText(fault: SystemFault): string {
  if (fault.code === 'EADDRINUSE') {
    return `port ${fault.port} of 127.0.0.1 is taken: give another with --port, or --port 0 for any free one`;
  }
  if (fault.code === 'EACCES')
    return `port ${fault.port} may not be opened by this user: give one above 1023 with --port`;
  return fault.message;
}

/** A folder that may not be written, a disk that is full: the message of Node names what and where. */
function isFileFault(fault: unknown): fault is SystemFault {
  return isSystemFault(fault) && /^E(ACCES|PERM|NOSPC|ROFS|NOTDIR|ISDIR|EXIST|NOENT|MFILE|DQUOT|IO)$/.test(fault.code);
}
