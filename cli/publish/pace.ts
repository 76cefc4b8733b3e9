import { parseInstant } from '../../services/shared/time.ts';
import type { Line } from './batches.ts';

/** When events are due that are sent so many times as fast as they once came. */
export interface Pace {
  /** How long after the first event this one is due, ms; one without a time is due with the one before. */
  dueAfterMs(line: Line): number;
}

export function paceOf(speed: number): Pace {
  let first: number | undefined;
  let dueMs = 0;
  return {
    dueAfterMs: (line) => {
      const at = timeOf(line);
      if (at === undefined) return dueMs;
      first ??= at;
      dueMs = Math.max(dueMs, (at - first) / speed);
      return dueMs;
    },
  };
}

function timeOf(line: Line): number | undefined {
  try {
    const value: unknown = JSON.parse(line.bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && 'time' in value ? parseInstant(value.time) : undefined;
  } catch {
    return undefined;
  }
}
