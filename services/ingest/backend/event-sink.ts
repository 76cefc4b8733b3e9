import { type EventLog, isLogError } from '../../../platform/log/port.ts';
import { partitionOf } from '../../shared/partition.ts';
import { formatInstant } from '../../shared/time.ts';
import { TOPICS } from '../../shared/topics.ts';
import type { WireFormat } from '../../shared/wire/wire-format.ts';
import type { EventSink, RejectedRecord } from '../ports.ts';

/** How long a sender waits when the log is behind: about a group commit. */
const BUSY_MS = 1000;

type Busy = { readonly kind: 'busy'; readonly retryAfterMs: number };

/** The log as the door's sink. What was refused without an account goes to partition 0. */
export function eventSink(log: EventLog, wire: WireFormat): EventSink {
  const partitions = log.partitions(TOPICS.events);
  const busy = (fault: unknown): Busy => {
    if (isLogError(fault, 'LogBacklogFull')) return { kind: 'busy', retryAfterMs: BUSY_MS };
    throw fault;
  };
  return {
    partitions,
    append: async (partition, records) => {
      const values = records.map(({ account, at, text }) => ({
        key: account ?? '',
        value: wire.encode(TOPICS.events, text),
        ...(at === undefined ? {} : { time: at }),
      }));
      return log
        .append(TOPICS.events, partition, values)
        .then(({ firstOffset }) => ({ kind: 'appended' as const, firstOffset }), busy);
    },
    reject: async (records) => {
      const byPartition = new Map<number, { readonly key: string; readonly value: string | Uint8Array }[]>();
      for (const record of records) {
        const key = record.account ?? '';
        const partition = key === '' ? 0 : partitionOf(key, partitions);
        const values = byPartition.get(partition) ?? [];
        byPartition.set(partition, values);
        values.push({ key, value: wire.encode(TOPICS.rejected, rejectedText(record)) });
      }
      const appended = [...byPartition].map(([partition, values]) => log.append(TOPICS.rejected, partition, values));
      return Promise.all(appended).then(() => ({ kind: 'kept' as const }), busy);
    },
  };
}

function rejectedText(record: RejectedRecord): string {
  return JSON.stringify({
    reason: record.reason,
    detail: record.detail,
    origin: { sent_by: record.sentBy, received_at: formatInstant(record.receivedAt) },
    truncated: record.truncated,
    event: record.event,
  });
}
