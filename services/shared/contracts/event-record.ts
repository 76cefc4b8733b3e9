import { formatInstant, type Instant } from '../time.ts';

/**
 * An event in the log is one JSON text without its time, which is the log's own. This is the event as `log dump` writes it
 * and `replay` reads it: the same text with the time put in front.
 */
export function eventLine(recordText: string, time: Instant): string {
  return `{"time":"${formatInstant(time)}",${recordText.slice(1)}`;
}
