import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import type { EventLog } from '../../../platform/log/port.ts';
import { SimulatedCrash } from '../../../platform/memory/simulation.ts';
import type { StateStore } from '../../../platform/state/port.ts';
import { createWarehouseWriter } from '../../../platform/warehouse/writer.ts';
import { Enforcer } from '../../../services/enforcer/enforcer.ts';
import { Rater } from '../../../services/rater/rater.ts';
import { warehouseRows } from '../../../services/rater/warehouse-rows.ts';
import { CONTROL_TOPICS } from '../../../services/shared/contracts/command-line.ts';
import {
  clusterWarehouse,
  kafkaConnection,
  openClusterLog,
  openClusterState,
  openClusterWire,
} from '../../../services/shared/runtime/connect.ts';
import { Releases } from '../../../services/shared/runtime/releases.ts';
import type { ClusterSettings } from '../../../services/shared/runtime/variables.ts';
import type { Instant } from '../../../services/shared/time.ts';
import { TOPICS } from '../../../services/shared/topics.ts';
import type { WireFormat } from '../../../services/shared/wire/wire-format.ts';
import { eventually } from './operator.ts';

/** A command or alert as it stands in its topic, and when it was appended by the clock of the test. */
export interface Published {
  readonly at: Instant;
  readonly command_id: string;
  readonly command: string;
  readonly alert?: string;
  readonly account_id: string;
  readonly notice_id?: string;
  readonly resource: { readonly kind: string; readonly id: string };
  readonly issued_at: string;
  readonly detail?: { readonly why?: string };
  /** All of it. */
  readonly line: string;
}

const RUN = { runRecordsMax: 500, runBytesMax: 4 << 20 } as const;
const LOOK_MS = 20;
const LOOKS_MAX = 6000;
const NAP_MS = 10;
/** So many rounds after it has seen the end an enforcer has read the clock, and published what followed. */
const ROUNDS = 3;

interface Running<Shell> {
  readonly shell: Shell;
  readonly rounds: () => number;
  readonly end: () => Promise<void>;
}

/**
 * Rater and enforcer of every partition in this process, on the real Kafka, Redis and ClickHouse of a cluster whose log takes the
 * events' own times, with a wall clock that the test moves: hours pass in seconds.
 */
export class VirtualCluster {
  readonly #settings: ClusterSettings;
  readonly #releases: Releases;
  readonly #log: EventLog;
  readonly #wire: WireFormat;
  readonly #state: StateStore;
  readonly #sinks: ReturnType<typeof sinksOf>;
  /** `<topic>/<partition>/<offset>` of what was appended to control topics -> when, by the clock of the test. */
  readonly #appendedAt: Map<string, Instant>;
  #raters: readonly Running<Rater>[] = [];
  #enforcers: readonly Running<Enforcer>[] = [];
  now: Instant;

  private constructor(
    open: { settings: ClusterSettings; releases: Releases; log: EventLog; wire: WireFormat; state: StateStore },
    now: Instant,
  ) {
    this.#settings = open.settings;
    this.#releases = open.releases;
    this.#log = open.log;
    this.#wire = open.wire;
    this.#state = open.state;
    this.#appendedAt = new Map();
    this.#sinks = sinksOf(open.settings, open.releases);
    this.now = now;
  }

  static async open(settings: ClusterSettings, now: Instant): Promise<VirtualCluster> {
    const logger = pino({ level: 'silent' });
    const releases = new Releases();
    const { log } = await openClusterLog(kafkaConnection(settings, 'test', logger));
    releases.add(() => log.close());
    const wire = await openClusterWire(settings);
    const state = await openClusterState(settings, logger);
    releases.add(() => state.close());
    return new VirtualCluster({ settings, releases, log, wire, state }, now);
  }

  get settings(): ClusterSettings {
    return this.#settings;
  }

  enforcer(partition: number): Enforcer {
    const running = this.#enforcers[partition];
    if (running === undefined) throw new Error(`no enforcer of partition ${partition} runs`);
    return running.shell;
  }

  async startRaters(): Promise<void> {
    this.#raters = await this.#startAll(
      (deps, partition) =>
        new Rater(
          { ...deps, rows: this.#sinks.rater, observer: { ...NO_OBSERVER } },
          {
            ...{ partition, partitions: this.#partitions, ...RUN, groupRecordsMax: 5000, groupMs: 0 },
            ...{ accountsMax: 1000, clockJumpMaxMs: undefined },
          },
        ),
    );
  }

  /** N9 and N11 are on: as if the log had the times of its appends. */
  async startEnforcers(): Promise<void> {
    this.#enforcers = await this.#startAll(
      (deps, partition) =>
        new Enforcer(
          { ...deps, rows: this.#sinks.writer, observer: { ...NO_OBSERVER } },
          { partition, live: true, past: false, ...RUN, wallClockMs: 1, checkpointRecordsMax: 1000 },
        ),
    );
  }

  /** From here on nothing that they still do reaches a server. */
  async killRaters(): Promise<void> {
    const ended = this.#raters.map(({ end }) => end());
    this.#raters = [];
    await Promise.all(ended);
  }

  async killEnforcers(): Promise<void> {
    const ended = this.#enforcers.map(({ end }) => end());
    this.#enforcers = [];
    await Promise.all(ended);
  }

  /** A tick in every partition, by the clock of the test. */
  async tick(): Promise<void> {
    for (let partition = 0; partition < this.#partitions; partition += 1) {
      const id = `tick:${partition}:${this.now}`;
      const event = { specversion: '1.0', id, source: 'tollgate/ingest', type: 'clock.tick', data: {} };
      const value = this.#wire.encode(TOPICS.events, JSON.stringify(event));
      await this.#log.append(TOPICS.events, partition, [{ key: '', value, time: this.now }]);
    }
  }

  /** Resolves once what is in the log was rated, if raters run, and enforced, at the present time of the test's clock. */
  async settled(): Promise<void> {
    for (const [partition, { shell }] of this.#raters.entries()) {
      const end = await this.#log.endOffset(TOPICS.events, partition);
      await this.#until(`partition ${partition} rated up to ${end}`, () => shell.progress.committed >= end);
      const enforcer = this.#enforcers[partition];
      if (enforcer === undefined) continue;
      const { shell: enforcing } = enforcer;
      await this.#until(`partition ${partition} enforced up to ${end}`, () => enforcing.progress.events >= end);
    }
    for (const { rounds } of this.#enforcers) {
      const enough = rounds() + ROUNDS;
      await this.#until('the wall clock read', () => rounds() >= enough);
    }
  }

  /** All that was published to the control topics, each topic in its order. */
  async published(): Promise<readonly Published[]> {
    const found: Published[] = [];
    for (const topic of CONTROL_TOPICS) {
      for (let partition = 0; partition < this.#partitions; partition += 1) {
        const end = await this.#log.endOffset(topic, partition);
        for (let offset = 0; offset < end; ) {
          const records = await this.#log.read(topic, partition, offset, { recordsMax: 1000, bytesMax: 8 << 20 });
          await this.#wire.learn(
            topic,
            records.map(({ value }) => value),
          );
          for (const { value, offset: at } of records) {
            const line = this.#wire.decode(topic, value);
            found.push({ ...JSON.parse(line), line, at: this.#appendedAt.get(`${topic}/${partition}/${at}`) ?? 0 });
          }
          offset += records.length;
        }
      }
    }
    return found;
  }

  async close(): Promise<void> {
    await this.killRaters();
    await this.killEnforcers();
    await this.#releases.release();
  }

  get #partitions(): number {
    return this.#log.partitions(TOPICS.events);
  }

  async #startAll<Shell extends { start(): Promise<void>; run(signal: AbortSignal): Promise<void> }>(
    make: (deps: ShellDeps, partition: number) => Shell,
  ): Promise<readonly Running<Shell>[]> {
    const all = Array.from({ length: this.#partitions }, (_, partition) => this.#start(make, partition));
    return Promise.all(all);
  }

  async #start<Shell extends { start(): Promise<void>; run(signal: AbortSignal): Promise<void> }>(
    make: (deps: ShellDeps, partition: number) => Shell,
    partition: number,
  ): Promise<Running<Shell>> {
    const life = { dead: false, rounds: 0 };
    const stop = new AbortController();
    const deps: ShellDeps = {
      log: mortal(this.#clocked(life), life),
      state: mortal(this.#state, life),
      wire: this.#wire,
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      now: () => this.now,
      sleep: async (_ms, signal) => {
        await delay(NAP_MS, undefined, { signal }).catch(() => undefined);
      },
    };
    // A server that has just come back may have to be reached again first, as a service does.
    const shell = await eventually(async () => {
      const made = make(deps, partition);
      await made.start();
      return made;
    });
    const running = shell.run(stop.signal);
    running.catch((fault: unknown) => {
      if (!life.dead) this.#fault ??= fault instanceof Error ? fault : new Error(String(fault));
    });
    return {
      shell,
      rounds: () => life.rounds,
      end: async () => {
        life.dead = true;
        stop.abort();
        await running.catch(() => undefined);
      },
    };
  }

  #fault: Error | undefined;

  async #until(what: string, holds: () => boolean): Promise<void> {
    for (let looks = 0; !holds(); looks += 1) {
      if (this.#fault !== undefined) throw this.#fault;
      if (looks >= LOOKS_MAX) throw new Error(`it did not come to be: ${what}`);
      await delay(LOOK_MS);
    }
  }

  /** The log, with the test's clock where a broker has its own: on what is published. */
  #clocked(life: { rounds: number }): EventLog {
    const log = this.#log;
    const place = (topic: string, partition: number, offset: number): string => `${topic}/${partition}/${offset}`;
    return bound(log, {
      append: async (topic, partition, records) => {
        const appended = await log.append(topic, partition, records);
        for (const [index] of records.entries()) {
          this.#appendedAt.set(place(topic, partition, appended.firstOffset + index), this.now);
        }
        return appended;
      },
      read: async (topic, partition, from, limits) => {
        if (topic === TOPICS.updates) life.rounds += 1;
        const records = await log.read(topic, partition, from, limits);
        return records.map((record) => {
          const at = this.#appendedAt.get(place(topic, partition, record.offset));
          return at === undefined || topic === TOPICS.events ? record : { ...record, time: at };
        });
      },
    });
  }
}

interface ShellDeps {
  readonly log: EventLog;
  readonly state: StateStore;
  readonly wire: WireFormat;
  readonly logger: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

const NO_OBSERVER = {
  folded: () => undefined,
  committed: () => undefined,
  booked: () => undefined,
  issued: () => undefined,
  outbox: () => undefined,
};

function sinksOf(settings: ClusterSettings, releases: Releases) {
  const warehouse = clusterWarehouse(settings);
  releases.add(() => warehouse.close());
  const writer = createWarehouseWriter({ client: warehouse });
  return { writer, rater: warehouseRows(warehouse, writer) };
}

function bound(log: EventLog, own: Pick<EventLog, 'append' | 'read'>): EventLog {
  return {
    ...own,
    partitions: (topic) => log.partitions(topic),
    waitFor: (topic, partition, offset, signal) => log.waitFor(topic, partition, offset, signal),
    startOffset: (topic, partition) => log.startOffset(topic, partition),
    endOffset: (topic, partition) => log.endOffset(topic, partition),
    trimBefore: (topic, partition, offset) => log.trimBefore(topic, partition, offset),
    close: () => log.close(),
  };
}

/** The same, until its process is dead: then every call fails before it does anything. */
function mortal<Store extends object>(store: Store, life: { readonly dead: boolean }): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (life.dead) throw new SimulatedCrash('the process is dead');
        return Reflect.apply(member, target, args);
      };
    },
  });
}
