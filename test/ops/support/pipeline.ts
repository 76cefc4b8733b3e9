import { setImmediate } from 'node:timers/promises';
import type { Level } from 'pino';
import { expect } from 'vitest';
import { openMemoryLog } from '../../../platform/log/memory-log.ts';
import type { EventLog } from '../../../platform/log/port.ts';
import type { FaultPlan } from '../../../platform/memory/simulation.ts';
import { openMemoryState } from '../../../platform/state/memory-state.ts';
import { Enforcer } from '../../../services/enforcer/enforcer.ts';
import { eventSink } from '../../../services/ingest/backend/event-sink.ts';
import { createDoor } from '../../../services/ingest/door.ts';
import { Rater } from '../../../services/rater/rater.ts';
import { jsonLogger } from '../../../services/shared/runtime/logger.ts';
import { type Tracer, tracedLog, tracedRows, tracedState } from '../../../services/shared/runtime/tracing.ts';
import { TOPICS } from '../../../services/shared/topics.ts';
import { JSON_WIRE } from '../../../services/shared/wire/json-wire.ts';
import { bearer, configWith, depsWith, NOW } from '../../ingest/harness.ts';

/** A line of a log. */
interface Line {
  readonly service: string;
  readonly msg: string;
  readonly event?: string;
  readonly event_offset?: number;
  readonly [field: string]: unknown;
}

interface PipelineOptions {
  readonly level: Level;
  readonly tracer?: Tracer;
  readonly stateFaults?: FaultPlan;
}

/** So many turns the pipeline has to work off what was sent. */
const TURNS_MAX = 20_000;

/** The three services on stores in memory, wired as their mains do, and all that they log. */
export class MemoryPipeline {
  readonly texts: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #log: EventLog;
  readonly #door: ReturnType<typeof createDoor>;
  readonly #rater: Rater;
  readonly #enforcer: Enforcer;

  constructor({ level, tracer, stateFaults }: PipelineOptions) {
    const loggerOf = (service: string) =>
      jsonLogger({ level, base: { service } }, { write: (text) => void this.texts.push(text) });
    const topics = Object.values(TOPICS).map((name) => ({
      name,
      partitions: 1,
      time: name === TOPICS.events ? ('event' as const) : ('append' as const),
    }));
    this.#log = tracedLog(openMemoryLog({ topics, now: () => NOW }), tracer);
    const state = tracedState(openMemoryState(stateFaults === undefined ? {} : { faults: stateFaults }), tracer);
    const rows = tracedRows({ insertBlock: async () => undefined, countRows: async () => 0 }, tracer);
    const shared = { log: this.#log, wire: JSON_WIRE, state, rows, tracer, now: () => NOW, sleep: untilAborted };
    const [ingest, rater, enforcer] = [loggerOf('ingest'), loggerOf('rater'), loggerOf('enforcer')];
    const door = depsWith(eventSink(this.#log, JSON_WIRE), { logger: ingest, trail: ingest, tracer });
    this.#door = createDoor(door, configWith({ logTime: 'event' }));
    this.#rater = new Rater(
      {
        ...{ ...shared, logger: rater, trail: rater },
        observer: { folded: () => undefined, committed: () => undefined, booked: () => undefined },
      },
      {
        ...{ partition: 0, partitions: 1, groupRecordsMax: 1, groupMs: 1, runRecordsMax: 100, runBytesMax: 1 << 20 },
        ...{ accountsMax: 100, clockJumpMaxMs: undefined },
      },
    );
    this.#enforcer = new Enforcer(
      {
        ...{ ...shared, logger: enforcer, trail: enforcer },
        observer: { issued: () => undefined, committed: () => undefined, outbox: () => undefined },
      },
      {
        ...{ partition: 0, live: false, past: false, runRecordsMax: 100, runBytesMax: 1 << 20 },
        ...{ wallClockMs: 1000, checkpointRecordsMax: 100 },
      },
    );
  }

  async start(): Promise<void> {
    await this.#rater.start();
    await this.#enforcer.start();
    this.#running.push(this.#rater.run(this.#stop.signal), this.#enforcer.run(this.#stop.signal));
    for (const running of this.#running) running.catch(() => undefined);
  }

  /** Sends a batch to the door. */
  async post(events: readonly object[], headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const media = { 'content-type': 'application/cloudevents-batch+json' };
    const answer = await this.#door.inject({
      ...{ method: 'POST', url: '/v1/events', payload: JSON.stringify(events) },
      headers: { ...bearer('operator'), ...media, ...headers },
    });
    expect(answer.statusCode).toBe(202);
  }

  /** Sends a batch to the door, and resolves once it was rated and enforced. */
  async send(events: readonly object[], headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.post(events, headers);
    const end = await this.#log.endOffset(TOPICS.events, 0);
    const isDone = (): boolean => this.#rater.progress.committed >= end && this.#enforcer.progress.events >= end;
    for (let turn = 0; !isDone(); turn += 1) {
      if (turn > TURNS_MAX) throw new Error(`offset ${end} was not worked off`);
      await setImmediate();
    }
  }

  /** @throws what stopped a service before */
  async stop(): Promise<void> {
    this.#stop.abort();
    const ended = await Promise.allSettled(this.#running);
    await this.#door.close();
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }

  get lines(): readonly Line[] {
    return this.texts.map((text): Line => JSON.parse(text));
  }
}

/** A price, an account, and a credit that one minute of eight GPUs uses up. */
export const PAYING: readonly object[] = [
  act('p1', 'prices.published', { effective_from: '2026-05-01T00:00:00.000Z', gpu_hour: { h100: '2.00' } }, undefined),
  act('a1', 'account.opened', {}, 'acme'),
  act('g1', 'credits.granted', { grant_id: 'g1', amount: '0.10', kind: 'paid' }, 'acme'),
];

function act(id: string, type: string, data: object, subject: string | undefined): object {
  return { specversion: '1.0', id, source: 'ops', type, subject, time: '2026-05-04T09:00:00.000Z', data };
}

function untilAborted(_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
