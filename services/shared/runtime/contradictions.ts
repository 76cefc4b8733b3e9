import { isLogError, type LogErrorCode } from '../../../platform/log/port.ts';
import { isStateError } from '../../../platform/state/port.ts';
import { isWireError } from '../wire/wire-format.ts';

const OF_LOG: readonly LogErrorCode[] = [
  'LogCorrupt',
  'LogGap',
  'LogOffsetBeyondEnd',
  'LogOffsetTrimmed',
  'LogTopicChanged',
  'LogTopicInvalid',
];

/** Whether a fault says that what the stores hold contradicts itself, so that trying again cannot help: a person must look. */
export function isContradiction(fault: unknown): boolean {
  return (
    OF_LOG.some((code) => isLogError(fault, code)) ||
    isStateError(fault, 'StateCorrupt') ||
    isStateError(fault, 'StateInputInvalid') ||
    isWireError(fault, 'RecordUndecodable') ||
    isWireError(fault, 'SchemaUnknown')
  );
}
