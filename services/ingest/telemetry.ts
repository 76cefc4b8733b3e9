import type { EventLog, LogRecord } from '../../platform/log/port.ts';
import type { Fence, StateStore } from '../../platform/state/port.ts';
import { inSpan, type Tracer } from '../shared/runtime/tracing.ts';
import type { Trail } from '../shared/runtime/trail.ts';
import type { Instant } from '../shared/time.ts';
import { SAMPLES_TOPIC } from '../shared/wire/avro-schemas.ts';
import type { AvroWire } from '../shared/wire/avro-wire.ts';
import { isWireError } from '../shared/wire/wire-format.ts';
import type { Sender } from './core/permissions.ts';
import type { EventSink } from './ports.ts';
import {
  countOutcomes,
  type DeliveredEvent,
  type Delivery,
  type SentEvent,
  type SubmitRules,
  submit,
} from './submit.ts';
import { tellSubmitted } from './submitted-trail.ts';

/** What tells of a carrier's work. */
export interface CarrierObserver {
  /** How many samples had which outcome: `accepted`, or the reason of a refusal. */
  carried(outcomes: ReadonlyMap<string, number>): void;
}

export interface CarrierDeps {
  /** The log of `telemetry.samples`; where its events go is the sink's. */
  readonly samples: EventLog;
  readonly sink: EventSink;
  readonly state: StateStore;
  readonly wire: Pick<AvroWire, 'learn' | 'readSample'>;
  readonly rules: SubmitRules;
  readonly observer: CarrierObserver;
  /** Told of single samples, where it is listened to. */
  readonly trail?: Trail;
  /** Undefined where tracing is off. */
  readonly tracer?: Tracer | undefined;
  /** The wall clock, integer ms: when something was received. */
  readonly now: () => Instant;
}

/** Whoever may write to the topic, by Kafka's ACL, is an agent of all accounts. */
const SENDER: Sender = { keyId: SAMPLES_TOPIC, role: 'agent', accounts: 'all' };
const LIMITS = { recordsMax: 1000, bytesMax: 4 << 20 } as const;

/**
 * The Kafka door for one partition of `telemetry.samples`: judges samples as the HTTP door does and carries them to the log of
 * events; what cannot be decoded, or is refused, goes whole to `metering.rejected` (E4). At least once on purpose: how far it has
 * come is written last, and the rater makes repeats harmless (R2).
 */
export class SampleCarrier {
  readonly #deps: CarrierDeps;
  readonly #partition: number;
  readonly #scope: string;
  #fence: Fence = { epoch: 0, nextOffset: undefined };
  #offset = 0;

  constructor(deps: CarrierDeps, partition: number) {
    this.#deps = deps;
    this.#partition = partition;
    this.#scope = `ingest/${partition}`;
  }

  /** The offset of the first sample that was not carried. */
  get nextOffset(): number {
    return this.#offset;
  }

  /** Takes the partition over. Samples that retention removed before they were carried are gone, and are stepped over. */
  async start(): Promise<void> {
    const { samples, state } = this.#deps;
    const { fence, checkpoint } = await state.claim(this.#scope);
    this.#fence = fence;
    const start = await samples.startOffset(SAMPLES_TOPIC, this.#partition);
    this.#offset = Math.max(start, checkpoint?.nextOffset ?? 0);
  }

  /** Carries what comes until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { samples } = this.#deps;
    while (!signal.aborted) {
      const records = await samples.read(SAMPLES_TOPIC, this.#partition, this.#offset, LIMITS);
      if (records.length > 0) await this.#traced(records);
      else await samples.waitFor(SAMPLES_TOPIC, this.#partition, this.#offset, signal);
    }
  }

  #traced(records: readonly LogRecord[]): Promise<void> {
    const attributes = { 'tollgate.partition': this.#partition, 'messaging.batch.message_count': records.length };
    return inSpan(this.#deps.tracer, 'carry samples', attributes, () => this.#carry(records));
  }

  async #carry(records: readonly LogRecord[]): Promise<void> {
    const { sink, state, rules, observer, trail, now } = this.#deps;
    const delivery = await this.#delivery(records);
    const submitted = await submit(sink, SENDER, delivery, rules, now());
    this.#offset += records.length;
    const next = { nextOffset: this.#offset, version: '1', meta: '{}' };
    this.#fence = await state.commit(this.#scope, this.#fence, { next, writes: [], timers: [] });
    observer.carried(countOutcomes(submitted));
    tellSubmitted(trail, submitted);
  }

  async #delivery(records: readonly LogRecord[]): Promise<Delivery> {
    const { wire } = this.#deps;
    try {
      await wire.learn(
        SAMPLES_TOPIC,
        records.map(({ value }) => value),
      );
    } catch (fault) {
      // What could be known is known now; each of the others is refused by itself.
      if (!isWireError(fault, 'SchemaUnknown')) throw fault;
    }
    const events = records.map(({ value }) => this.#event(value));
    return { events, sent: (index) => sentEvent(events[index], records[index]) };
  }

  #event(value: Buffer): DeliveredEvent {
    try {
      return { kind: 'value', value: this.#deps.wire.readSample(value) };
    } catch (fault) {
      if (isWireError(fault, 'RecordUndecodable') || isWireError(fault, 'SchemaUnknown')) {
        return { kind: 'fault', detail: `${SAMPLES_TOPIC}: ${fault.message}` };
      }
      throw fault;
    }
  }
}

function sentEvent(event: DeliveredEvent | undefined, record: LogRecord | undefined): SentEvent {
  if (event?.kind === 'value') return { encoding: 'json', text: JSON.stringify(event.value) };
  return { encoding: 'base64', text: record?.value.toString('base64') ?? '' };
}
