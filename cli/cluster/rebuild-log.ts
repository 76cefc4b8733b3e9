import { openMemoryLog } from '../../platform/log/memory-log.ts';
import type { Appended, AppendRecord, EventLog, LogReader, LogRecord, ReadLimits } from '../../platform/log/port.ts';
import { TOPICS, type Topic } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import type { WireFormat } from '../../services/shared/wire/wire-format.ts';

/** Balance updates that the enforcer has not read yet: so many may be in memory before the rater has to wait. */
const UPDATES_MAX = 20_000;
/** An update tells of all reservations of its account, and may be long. */
const RECORD_BYTES_MAX = 16 << 20;
const KEPT = [TOPICS.updates, TOPICS.operations];

/**
 * The log as rater and enforcer of a rebuild see it: one partition's events are read from the real log, up to an end; balance
 * updates go from one to the other through memory; nothing else that they append is kept, and nothing reaches the real log.
 */
export class RebuildLog implements EventLog {
  readonly #real: Pick<LogReader, 'read'>;
  readonly #to: number;
  readonly #memory: EventLog;
  readonly #ended = new AbortController();
  /** Of balance updates: how many were appended, and up to which the enforcer is done with them. */
  #appended = 0;
  #consumed = 0;
  #fault: Error | undefined;
  #moved: () => void = () => undefined;

  /** @param to offset of the first event that does not count */
  constructor(real: Pick<LogReader, 'read'>, to: number) {
    this.#real = real;
    this.#to = to;
    const topics = KEPT.map((name) => ({ name, partitions: 1, time: 'append' as const }));
    this.#memory = openMemoryLog({ topics, now: () => 0, bounds: { recordBytesMax: RECORD_BYTES_MAX } });
  }

  /** Aborted once the rater has folded the last event. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Resolves once the enforcer is done with all that was appended. @throws what `breakOff` was told */
  drained(): Promise<void> {
    return this.#untilWaiting(0);
  }

  /** The enforcer has failed: nobody waits for it any more. */
  breakOff(fault: unknown): void {
    this.#fault = fault instanceof Error ? fault : new Error(String(fault));
    this.#moved();
  }

  partitions(): number {
    return 1;
  }

  async append(topic: string, _partition: number, records: readonly AppendRecord[]): Promise<Appended> {
    if (!isKept(topic)) return { firstOffset: 0, times: records.map(() => 0) };
    const appended = await this.#memory.append(topic, 0, records);
    if (topic === TOPICS.updates) this.#appended = appended.firstOffset + records.length;
    return appended;
  }

  async read(topic: string, partition: number, from: number, limits: ReadLimits): Promise<readonly LogRecord[]> {
    if (topic === TOPICS.events) return this.#readEvents(partition, from, limits);
    if (topic === TOPICS.updates) await this.#consume(from);
    return isKept(topic) ? this.#memory.read(topic, 0, from, limits) : [];
  }

  async waitFor(topic: string, _partition: number, offset: number, signal?: AbortSignal): Promise<boolean> {
    if (isKept(topic)) return this.#memory.waitFor(topic, 0, offset, signal);
    if (topic === TOPICS.events && offset < this.#to) return true;
    await aborted(signal);
    return false;
  }

  async startOffset(topic: string): Promise<number> {
    // An enforcer without state asks whether it can begin at the first update: here it always can.
    return topic === TOPICS.updates || !isKept(topic) ? 0 : this.#memory.startOffset(topic, 0);
  }

  async endOffset(topic: string): Promise<number> {
    if (topic === TOPICS.events) return this.#to;
    return isKept(topic) ? this.#memory.endOffset(topic, 0) : 0;
  }

  async trimBefore(): Promise<void> {}

  close(): Promise<void> {
    return this.#memory.close();
  }

  async #readEvents(partition: number, from: number, limits: ReadLimits): Promise<readonly LogRecord[]> {
    await this.#untilWaiting(UPDATES_MAX);
    const left = this.#to - from;
    if (left <= 0) {
      this.#ended.abort();
      return [];
    }
    const recordsMax = Math.min(limits.recordsMax, left);
    return this.#real.read(TOPICS.events, partition, from, { ...limits, recordsMax });
  }

  /** What the enforcer has folded it never reads again: should it fail, the whole rebuild begins again. */
  async #consume(before: number): Promise<void> {
    this.#consumed = before;
    await this.#memory.trimBefore(TOPICS.updates, 0, before);
    this.#moved();
  }

  async #untilWaiting(max: number): Promise<void> {
    while (this.#appended - this.#consumed > max) {
      if (this.#fault !== undefined) throw this.#fault;
      await new Promise<void>((resolve) => {
        this.#moved = resolve;
      });
    }
  }
}

/** Events stand in the real log in its own form; what is only in memory is text. */
export function rebuildWire(real: WireFormat): WireFormat {
  return {
    ...JSON_WIRE,
    learn: (topic: Topic, values) => (topic === TOPICS.events ? real.learn(topic, values) : undefined),
    decodeEvent: (value, time) => real.decodeEvent(value, time),
  };
}

function isKept(topic: string): boolean {
  return KEPT.some((kept) => kept === topic);
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
