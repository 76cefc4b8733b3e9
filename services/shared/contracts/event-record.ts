import { formatInstant, type Instant } from '../time.ts';

/**
 * An event in the log is one JSON text without its time, which is the log's own. This is the event as `log dump` writes it
 * and `replay` reads it: the same text with the time put in front.
 */
export function eventLine(recordText: string, time: Instant): string {
  return `{"time":"${formatInstant(time)}",${recordText.slice(1)}`;
}

/** E1: the same event as it is passed on to other partitions, which do not judge it again. */
export function forwardedText(recordText: string): string {
  return `{"forwarded":true,${recordText.slice(1)}`;
}
