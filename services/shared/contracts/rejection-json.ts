import type { Refusal } from './event.ts';

/**
 * X: one row of `rejected.ndjson`.
 * @param eventJson the event as it was sent: JSON text, put in as it stands, for a deep value cannot be written anew
 */
export function rejectionJson(line: number, refusal: Refusal, eventJson: string): string {
  return `{"line":${line},"reason":"${refusal.reason}","detail":${JSON.stringify(refusal.detail)},"event":${eventJson}}`;
}
