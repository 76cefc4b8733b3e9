export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

/** Second 0 of the trace, which says no date. It makes a month end inside the busy five weeks (days 115 to 149). */
export const TRACE_START_AT = Date.UTC(2025, 7, 1);

/** What of the trace is converted: `[startAt, endAt)`, in ms. Pods that run across an edge are cut there. */
export interface Window {
  readonly startAt: number;
  readonly endAt: number;
}

/** The day of the trace (from 0, fractions allowed) as an instant in ms. */
export function dayAt(day: number): number {
  return TRACE_START_AT + Math.round(day * DAY_MS);
}

/** U1: RFC 3339 with milliseconds and `Z`. */
export function rfc3339(at: number): string {
  return new Date(at).toISOString();
}
