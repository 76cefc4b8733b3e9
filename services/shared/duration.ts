import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

const DURATION = /^(\d{1,6})([smhd])$/;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['s', SECOND_MS],
  ['m', MINUTE_MS],
  ['h', HOUR_MS],
  ['d', DAY_MS],
]);
/** N1: no duration is longer. */
const LONGEST_MS = 36_500 * DAY_MS;

/** N1: reads `30s`, `15m`, `72h`, `14d` (at most 6 digits, at most `36500d`) as milliseconds; undefined for anything else. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = DURATION.exec(value);
  const unitMs = UNIT_MS.get(match?.[2] ?? '');
  if (match === null || unitMs === undefined) return undefined;
  const durationMs = Number(match[1]) * unitMs;
  return durationMs <= LONGEST_MS ? durationMs : undefined;
}
