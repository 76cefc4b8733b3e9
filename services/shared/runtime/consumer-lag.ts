import { Counter, Gauge, type Registry } from 'prom-client';
import type { ReadOffset } from '../../../platform/log/membership.ts';
import { type EventLog, LogError } from '../../../platform/log/port.ts';

/** Tells at each scrape how far readers are behind the ends of what they read. */
export interface ConsumerLag {
  /** From now on tells of the partitions of `topic` that `readers` gives. */
  follow(topic: string, log: Pick<EventLog, 'endOffset'>, readers: () => Iterable<ReadOffset>): void;
}

/** So long a scrape waits for the log; Prometheus gives up after 10 s by default. */
export const LAG_TIMEOUT_MS = 2_000;

interface Followed {
  readonly topic: string;
  readonly log: Pick<EventLog, 'endOffset'>;
  readonly readers: () => Iterable<ReadOffset>;
  /** One question a partition at a time: a log that does not answer is not asked again at every scrape. */
  readonly asked: Map<number, Promise<number>>;
}

interface Lag {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
}

class LagTimeout extends Error {
  override readonly name = 'LagTimeout';
}

/**
 * Registers the lag of all topics that are followed. A partition whose end is not known within `timeoutMs` has no lag at that
 * scrape, which `tollgate_consumer_lag_failures_total` counts: a scrape never fails and never waits for longer.
 */
export function consumerLag(registry: Registry, timeoutMs: number): ConsumerLag {
  const followed: Followed[] = [];
  const failures = new Counter({
    name: 'tollgate_consumer_lag_failures_total',
    help: 'Partitions whose lag could not be told at a scrape, by why not: LagTimeout, or an error of the log',
    labelNames: ['topic', 'code'],
    registers: [registry],
  });
  new Gauge({
    name: 'tollgate_consumer_lag_records',
    help: 'Records of a partition that are not processed durably yet: the end of the log less the checkpoint',
    labelNames: ['topic', 'partition'],
    registers: [registry],
    async collect() {
      const told = await Promise.all(followed.flatMap((one) => lagsOf(one, timeoutMs, failures)));
      this.reset();
      for (const lag of told) {
        if (lag !== undefined) this.set({ topic: lag.topic, partition: lag.partition }, lag.records);
      }
    },
  });
  return { follow: (topic, log, readers) => followed.push({ topic, log, readers, asked: new Map() }) };
}

function lagsOf(
  followed: Followed,
  timeoutMs: number,
  failures: Counter<'topic' | 'code'>,
): Promise<Lag | undefined>[] {
  const { topic } = followed;
  return [...followed.readers()].map(async ({ partition, offset }) => {
    try {
      const end = await within(timeoutMs, endOf(followed, partition));
      // The reader may have come further while the log was asked.
      return { topic, partition, records: Math.max(0, end - offset) };
    } catch (fault) {
      failures.inc({ topic, code: fault instanceof LogError || fault instanceof LagTimeout ? fault.name : 'other' });
      return undefined;
    }
  });
}

function endOf({ topic, log, asked }: Followed, partition: number): Promise<number> {
  const known = asked.get(partition);
  if (known !== undefined) return known;
  const asking = log.endOffset(topic, partition).finally(() => asked.delete(partition));
  asked.set(partition, asking);
  return asking;
}

/** @throws LagTimeout, and what `pending` rejects with */
async function within<T>(timeoutMs: number, pending: Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(new LagTimeout(`${timeoutMs} ms`)), { once: true });
  });
  return Promise.race([pending, late]);
}
