import { setTimeout as delay } from 'node:timers/promises';
import { build, type Histogram } from 'hdr-histogram-js';
import { TOPICS, type Topic } from '../../services/shared/topics.ts';
import type { BenchEvent, Fleet } from '../fleet.ts';
import { sample } from '../fleet.ts';
import type { Client } from './backlog.ts';

const PROBES = 200;
const PROBE_PAUSE_MS = 50;
const PIECE_MS = 20;
const WITHIN_MS = 60_000;
const READ = { recordsMax: 10_000, bytesMax: 8 << 20 } as const;
/** In microseconds. */
const HISTOGRAM = { highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: 3 } as const;

/** How long after its append an event showed, in ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  readonly fleet: Fleet;
  /** The first sample that the log does not have yet. */
  readonly next: number;
  readonly perSecond: number;
}

/**
 * From the append of a sample that exhausts its account until `balance.updates` says so, and until `control.alerts` has the
 * alert, read by a consumer of each topic; beside a steady load. Every probe has an account of its own.
 */
export async function latencies(
  client: Client,
  load: Load,
): Promise<{ readonly update: Latency; readonly alert: Latency }> {
  await client.append(Array.from({ length: PROBES }, (_, probe) => openingsOf(load, probe)).flat());
  const updates = await Sightings.of(client, TOPICS.updates);
  const alerts = await Sightings.of(client, TOPICS.alerts);
  const stop = new AbortController();
  const running = [steady(client, load, stop.signal), updates.watch(stop.signal), alerts.watch(stop.signal)];
  const update = build(HISTOGRAM);
  const alert = build(HISTOGRAM);
  try {
    // The accounts have been opened, and told of, once the load that came after them has been.
    await delay(2000);
    for (let probe = 0; probe < PROBES; probe += 1) {
      const account = accountOf(probe);
      const seen = [updates.next(account), alerts.next(account)] as const;
      const begun = performance.now();
      await client.append([usageOf(load, probe)]);
      update.recordValue(((await within(seen[0])) - begun) * 1000);
      alert.recordValue(((await within(seen[1])) - begun) * 1000);
      await delay(PROBE_PAUSE_MS);
    }
  } finally {
    stop.abort();
    await Promise.all(running);
  }
  return { update: percentiles(update), alert: percentiles(alert) };
}

/** Samples go on in small appends, so many a second. @returns the first that was not sent */
export async function steady(client: Client, { fleet, next, perSecond }: Load, signal: AbortSignal): Promise<number> {
  const begun = performance.now();
  let sent = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - begun) / 1000) * perSecond);
    await client.append(Array.from({ length: due - sent }, (_, index) => sample(fleet, next + sent + index)));
    sent = due;
    await delay(PIECE_MS);
  }
  return next + sent;
}

/** Who waits for the next record of an account in a topic. */
class Sightings {
  readonly #client: Client;
  readonly #topic: Topic;
  readonly #ends: readonly number[];
  readonly #waiting = new Map<string, (at: number) => void>();

  private constructor(client: Client, topic: Topic, ends: readonly number[]) {
    this.#client = client;
    this.#topic = topic;
    this.#ends = ends;
  }

  static async of(client: Client, topic: Topic): Promise<Sightings> {
    const { log } = client;
    const partitions = Array.from({ length: log.partitions(topic) }, (_, partition) => partition);
    return new Sightings(client, topic, await Promise.all(partitions.map((one) => log.endOffset(topic, one))));
  }

  /** When the account's next record was read. */
  next(account: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(account, resolve));
  }

  /** Reads all partitions until aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#ends.map((end, partition) => this.#watch(partition, end, signal)));
  }

  async #watch(partition: number, end: number, signal: AbortSignal): Promise<void> {
    const { log } = this.#client;
    for (let offset = end; await log.waitFor(this.#topic, partition, offset, signal); ) {
      const records = await log.read(this.#topic, partition, offset, READ);
      const at = performance.now();
      // The key begins with the account; that of an alert goes on.
      for (const { key } of records) this.#see(key.split('/', 1)[0] ?? '', at);
      offset += records.length;
    }
  }

  #see(account: string, at: number): void {
    this.#waiting.get(account)?.(at);
    this.#waiting.delete(account);
  }
}

async function within(seen: Promise<number>): Promise<number> {
  const late = new AbortController();
  const waiting = delay(WITHIN_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`nothing was seen within ${WITHIN_MS} ms`);
  });
  try {
    return await Promise.race([seen, waiting]);
  } finally {
    late.abort();
    waiting.catch(() => {});
  }
}

function percentiles(histogram: Histogram): Latency {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000;
  return { p50: at(50), p99: at(99) };
}

function accountOf(probe: number): string {
  return `probe-${probe}`;
}

function openingsOf({ fleet, next }: Load, probe: number): readonly BenchEvent[] {
  const { time } = sample(fleet, next);
  const about = { specversion: '1.0', source: 'probe', subject: accountOf(probe), time } as const;
  return [
    { ...about, id: `opened-${probe}`, type: 'account.opened', data: {} },
    {
      ...about,
      id: `granted-${probe}`,
      type: 'credits.granted',
      data: { grant_id: 'g1', amount: '0.10', kind: 'paid' },
    },
  ];
}

/** More than its account has. */
function usageOf({ fleet, next }: Load, probe: number): BenchEvent {
  const event = sample(fleet, next);
  const data = { ...event.data, cluster_id: 'probe', node_id: `probe-${probe}` };
  return { ...event, id: `used-${probe}`, source: 'probe', subject: accountOf(probe), data };
}
