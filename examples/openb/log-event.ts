import { rfc3339 } from './time.ts';

/** One event of the log before it is written: `at` becomes the envelope's `time`. */
export interface LogEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** The account; absent for `prices.published` and `clock.tick`. */
  readonly subject?: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** SPEC E: the event as one line of NDJSON, without the line's end. Members stand in one fixed order. */
export function toLine(event: LogEvent): string {
  return JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    ...(event.subject === undefined ? {} : { subject: event.subject }),
    time: rfc3339(event.at),
    data: event.data,
  });
}
