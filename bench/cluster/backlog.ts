import type { AppendRecord, EventLog } from '../../platform/log/port.ts';
import { forwardedText } from '../../services/shared/contracts/event-record.ts';
import { PARTITION_OF_PRICES, partitionOf } from '../../services/shared/partition.ts';
import { kafkaConnection, openClusterLog, openClusterWire } from '../../services/shared/runtime/connect.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { AvroWire } from '../../services/shared/wire/avro-wire.ts';
import { type BenchEvent, type Fleet, openings, sample } from '../fleet.ts';
import { type Environment, SILENT, settingsOf } from './servers.ts';

/** As many as a batch of the HTTP door has. */
const APPEND_RECORDS = 1000;

/** Writes events to the log and reads what comes of them, as the services themselves would. */
export interface Client {
  readonly log: EventLog;
  readonly wire: AvroWire;
  /** Resolves once all are durable. Prices go to every partition, as its rater would get them forwarded. */
  append(events: Iterable<BenchEvent>): Promise<void>;
  /** By partition, where the log of events ends. */
  ends(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Connects to Kafka and the registry. */
export async function openClient(environment: Environment): Promise<Client> {
  const settings = settingsOf(environment);
  const { log, partitions } = await openClusterLog(kafkaConnection(settings, 'tollgate-bench', SILENT));
  const wire = await openClusterWire(settings);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const append = async (events: Iterable<BenchEvent>): Promise<void> => {
    const waiting = all.map((): AppendRecord[] => []);
    const underWay = all.map((): Promise<unknown> => Promise.resolve());
    const flush = async (partition: number): Promise<void> => {
      const records = waiting[partition] ?? [];
      waiting[partition] = [];
      await underWay[partition];
      if (records.length > 0) underWay[partition] = log.append(TOPICS.events, partition, records);
    };
    for (const event of events) {
      const { subject } = event;
      const targets = subject === undefined ? all : [partitionOf(subject, partitions)];
      for (const partition of targets) {
        const forwarded = subject === undefined && partition !== PARTITION_OF_PRICES;
        const record = recordOf(wire, event, forwarded);
        if ((waiting[partition]?.push(record) ?? 0) >= APPEND_RECORDS) await flush(partition);
      }
    }
    await Promise.all(all.map(flush));
    await Promise.all(underWay);
  };
  return {
    ...{ log, wire, append },
    ends: () => Promise.all(all.map((partition) => log.endOffset(TOPICS.events, partition))),
    close: () => log.close(),
  };
}

/** What opens the accounts of a fleet, and then so many of its samples. */
export function* backlog(fleet: Fleet, samples: number): Generator<BenchEvent> {
  yield* openings(fleet);
  for (let n = 0; n < samples; n += 1) yield sample(fleet, n);
}

/** A record as ingest writes it. */
function recordOf(wire: AvroWire, event: BenchEvent, forwarded: boolean): AppendRecord {
  const { time, subject, ...envelope } = event;
  const { specversion, id, source, type, data } = envelope;
  const about = subject === undefined ? {} : { subject };
  const text = JSON.stringify({ specversion, id, source, type, ...about, data });
  const value = wire.encode(TOPICS.events, forwarded ? forwardedText(text) : text);
  return { key: subject ?? '', value, time: Date.parse(time) };
}
