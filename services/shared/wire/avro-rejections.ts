import { formatInstant, parseInstant } from '../time.ts';
import type * as Avro from './avro-types.ts';
import { isWellFormed, oneJson } from './well-formed.ts';

/** The two forms that records of `metering.rejected` have: the rater's, and that of ingest. */
type Rejected = {
  readonly reason: string;
  readonly detail: string;
  readonly event: Avro.EventText;
} & (
  | { readonly origin: Avro.LoggedAt; readonly truncated?: undefined }
  | { readonly origin: { readonly sent_by: string; readonly received_at: string }; readonly truncated: boolean }
);

/** A record of `metering.rejected` for its JSON text. @throws Error if it is no such text */
export function rejectionRecord(text: string): Avro.RejectedEvent {
  const rejected: Rejected = JSON.parse(text);
  const { reason, detail, event } = rejected;
  const record = { reason, detail, ...origin(rejected), event, exact: null };
  if (rejectionText(record) !== text) throw new Error(`no record of metering.rejected: ${text}`);
  // `text` itself holds such halves as escapes, and so every text can.
  return [reason, detail, event.text].every(isWellFormed) ? record : { ...record, exact: text };
}

/** The JSON text of a record, as `rejectionRecord` took it. @throws Error if it is not as that function makes them */
export function rejectionText({ reason, detail, logged, door, event, exact }: Avro.RejectedEvent): string {
  if (exact !== null) return oneJson(exact);
  const { encoding, text } = event;
  if (logged !== null) {
    const { partition, offset } = logged;
    return JSON.stringify({ reason, detail, origin: { partition, offset }, event: { encoding, text } });
  }
  if (door === null) throw new Error('a rejection without origin: of a kind that this release does not know');
  const { sent_by, received_at, truncated } = door;
  const from = { sent_by, received_at: formatInstant(received_at) };
  return JSON.stringify({ reason, detail, origin: from, truncated, event: { encoding, text } });
}

function origin(rejected: Rejected): Pick<Avro.RejectedEvent, 'logged' | 'door'> {
  if (rejected.truncated === undefined) return { logged: rejected.origin, door: null };
  const { sent_by, received_at } = rejected.origin;
  const at = parseInstant(received_at);
  if (at === undefined) throw new Error(`no instant: ${received_at}`);
  return { logged: null, door: { sent_by, received_at: at, truncated: rejected.truncated } };
}
