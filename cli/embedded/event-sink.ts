import { type EventLog, isLogError } from '../../platform/log/port.ts';
import type { EventSink } from '../../services/ingest/ports.ts';
import { formatInstant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { PARTITIONS } from './stores.ts';

/** How long a sender waits when the log is behind: about a group commit. */
const BUSY_MS = 1000;

/** The embedded log as the door's sink. */
export function eventSink(log: EventLog): EventSink {
  const busy = <Answer>(fault: unknown): Answer | { readonly kind: 'busy'; readonly retryAfterMs: number } => {
    if (isLogError(fault, 'LogBacklogFull')) return { kind: 'busy', retryAfterMs: BUSY_MS };
    throw fault;
  };
  return {
    partitions: PARTITIONS,
    append: async (partition, records) => {
      const values = records.map(({ account, at, text }) => ({
        key: account ?? '',
        value: text,
        ...(at === undefined ? {} : { time: at }),
      }));
      return log
        .append(TOPICS.events, partition, values)
        .then(({ firstOffset }) => ({ kind: 'appended' as const, firstOffset }), busy<never>);
    },
    reject: async (records) => {
      const values = records.map((record) => ({
        key: record.account ?? '',
        value: JSON.stringify({
          reason: record.reason,
          detail: record.detail,
          origin: { sent_by: record.sentBy, received_at: formatInstant(record.receivedAt) },
          truncated: record.truncated,
          event: record.event,
        }),
      }));
      return log.append(TOPICS.rejected, 0, values).then(() => ({ kind: 'kept' as const }), busy<never>);
    },
  };
}
