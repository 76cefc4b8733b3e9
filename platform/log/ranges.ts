import { LogError, type ReadLimits } from './port.ts';

/** Throws `LogOffsetTrimmed` or `LogOffsetBeyondEnd` unless `offset` is in `[start, end]`. */
export function checkOffset(where: string, offset: number, start: number, end: number): void {
  if (!Number.isSafeInteger(offset) || offset < start) {
    throw new LogError('LogOffsetTrimmed', `${where}: offset ${offset}, the start is ${start}`);
  }
  if (offset > end) throw new LogError('LogOffsetBeyondEnd', `${where}: offset ${offset}, the end is ${end}`);
}

/** Throws a `RangeError` for a read that could never give anything. */
export function checkLimits(limits: ReadLimits): void {
  if (!(limits.recordsMax >= 1) || !(limits.bytesMax >= 1)) {
    throw new RangeError(`a read takes at least 1 record and 1 byte, not ${limits.recordsMax} and ${limits.bytesMax}`);
  }
}
