import { appendParts } from '../../platform/log/append-parts.ts';
import type { EventLog, LogRecord } from '../../platform/log/port.ts';
import type { Commit, Fence, FieldWrite, StateStore } from '../../platform/state/port.ts';
import type { Command, PlannedAction } from '../shared/contracts/command.ts';
import { type ControlTopic, commandLine, keyOf, topicOf } from '../shared/contracts/command-line.ts';
import { type PlacedUpdate, UpdateAssembler } from '../shared/contracts/update-record.ts';
import type { Instant } from '../shared/time.ts';
import { RULES_VERSION, TOPICS } from '../shared/topics.ts';
import { type Act, type ActOutcome, Acts } from './acts.ts';
import { commandRow } from './command-row.ts';
import { Enforcement } from './core/enforcement.ts';

/** Where commands are kept for finance and for exports: the warehouse in a running system. */
export interface CommandSink {
  insertBlock(table: 'commands', rows: readonly string[], options: { readonly token: string }): Promise<void>;
}

export interface EnforcerLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface EnforcerObserver {
  issued(command: Command): void;
}

export interface EnforcerDeps {
  readonly log: EventLog;
  readonly state: StateStore;
  readonly rows: CommandSink;
  readonly logger: EnforcerLogger;
  readonly observer: EnforcerObserver;
  /** The wall clock, integer ms (N9). */
  readonly now: () => number;
  /** Resolves after that long, or at once when aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface EnforcerConfig {
  readonly partition: number;
  /** N9, N11: false where the log takes the events' own time; then there is no wall clock. */
  readonly live: boolean;
  /** N9: the log tells of what has happened: its alerts count as published when they were issued. */
  readonly past: boolean;
  readonly runRecordsMax: number;
  readonly runBytesMax: number;
  /** How often the wall clock is read when no update comes. */
  readonly wallClockMs: number;
  /** State without commands is written after this many records, or when nothing more is there. */
  readonly checkpointRecordsMax: number;
}

interface Outgoing {
  readonly command: Command;
  readonly offset: number;
  readonly ordinal: number;
}

const PARTITION_KEY = 'partition';
const OUTBOX_KEY = 'outbox';
const PAGE_KEYS = 1000;

/**
 * The shell around the enforcer's core for one partition. Its output is small and dangerous, so it works the other way round
 * than the rater: one fenced write holds the new state and the commands to send (outbox), then they are published, then the
 * outbox is emptied. A repeat publishes the same ids and bytes.
 */
export class Enforcer {
  readonly #deps: EnforcerDeps;
  readonly #config: EnforcerConfig;
  readonly #scope: string;
  readonly #core: Enforcement;
  readonly #assembler = new UpdateAssembler();
  /** Of each account, the offset of the event behind the update last folded. */
  readonly #offsets = new Map<string, number>();
  #fence: Fence = { epoch: 0, nextOffset: undefined };
  /** The next record of `balance.updates` to read, and the newest one at which no update is begun. */
  #offset = 0;
  #boundary = 0;
  #committed = 0;
  #eventOffset = 0;
  #ordinal = 0;
  #outgoing: Outgoing[] = [];
  readonly #acts = new Acts();
  #wallReadAt = Number.NEGATIVE_INFINITY;
  #wake = new AbortController();

  constructor(deps: EnforcerDeps, config: EnforcerConfig) {
    this.#deps = deps;
    this.#config = config;
    this.#scope = `enforcer/${config.partition}`;
    this.#core = new Enforcement(config.partition, { live: config.live });
  }

  /** How far the log of events was enforced: all before `events` was folded and its commands published. */
  get progress(): { readonly events: number; readonly clock: Instant } {
    return { events: this.#eventOffset, clock: this.#core.clock };
  }

  /** K: what stands for each resource of an account. */
  standingOrders(accountId: string): readonly Command[] {
    return this.#core.hasAccount(accountId) ? this.#core.standingOrders(accountId) : [];
  }

  /** N3: what is coming to an account, by time. */
  comingActions(accountId: string): readonly PlannedAction[] {
    return this.#core.hasAccount(accountId) ? this.#core.comingActions(accountId) : [];
  }

  accountIds(): Iterable<string> {
    return this.#core.accountIds();
  }

  /** N11: who holds the partition, or released it last, and whether its input is stale (N9). */
  holds(): ReturnType<Enforcement['holds']> {
    return this.#core.holds();
  }

  /** N11: the accounts that are held by themselves, in no particular order. */
  accountHolds(): ReturnType<Enforcement['accountHolds']> {
    return this.#core.accountHolds();
  }

  /**
   * N11: an operator holds, or releases, one account or all. It is carried out between inputs; resolves once it is durable, with
   * the commands that a release leads to in the outbox. Rejects with `EnforcerStopped`.
   */
  act(act: Act): Promise<ActOutcome> {
    const outcome = this.#acts.add(act);
    this.#wake.abort();
    return outcome;
  }

  /** Takes the partition over, puts its state together again and publishes what an earlier owner may not have. */
  async start(): Promise<void> {
    const { state } = this.#deps;
    const { fence, checkpoint } = await state.claim(this.#scope);
    this.#fence = fence;
    this.#offset = checkpoint?.nextOffset ?? 0;
    this.#boundary = this.#offset;
    this.#committed = this.#offset;
    if (checkpoint === undefined) return;
    const stored = await state.load(this.#scope, fence, [PARTITION_KEY, OUTBOX_KEY]);
    const partition = stored.get(PARTITION_KEY);
    const text = partition?.get('state');
    if (text !== undefined) this.#core.putPartition(text);
    this.#ordinal = Number(partition?.get('ordinal') ?? 0);
    this.#eventOffset = Number(partition?.get('events') ?? 0);
    await this.#loadAccounts();
    const outbox = stored.get(OUTBOX_KEY);
    if (outbox !== undefined) await this.#republish(outbox);
    this.#core.noteUnwitnessed(this.#deps.now());
    this.#deps.logger.info({ scope: this.#scope, offset: this.#offset }, 'enforcer started');
  }

  /** Folds updates until aborted; then writes what is open and returns. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal);
    } finally {
      this.#acts.stop(`${this.#scope} has stopped`);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { runRecordsMax, runBytesMax, partition, checkpointRecordsMax } = this.#config;
    while (!signal.aborted) {
      const limits = { recordsMax: runRecordsMax, bytesMax: runBytesMax };
      const records = await this.#deps.log.read(TOPICS.updates, partition, this.#offset, limits);
      const events = this.#foldAll(records);
      this.#carryOutActs();
      this.#readWallClock();
      const due = records.length === 0 || this.#boundary - this.#committed >= checkpointRecordsMax;
      const urgent = this.#outgoing.length > 0 || this.#acts.unwritten;
      if (urgent || (due && this.#boundary > this.#committed)) await this.#commit(events);
      this.#eventOffset = Math.max(this.#eventOffset, events);
      if (records.length === 0) await this.#idle(signal);
    }
    if (this.#boundary > this.#committed) await this.#commit(this.#eventOffset);
  }

  /** @returns up to where the log of events is covered by what was folded (B3) */
  #foldAll(records: readonly LogRecord[]): number {
    let events = this.#eventOffset;
    for (const record of records) {
      this.#offset = record.offset + 1;
      const input = this.#assembler.take(record.value.toString('utf8'));
      if (input === undefined) continue;
      if ('kind' in input) {
        this.#core.apply(input, this.#emit);
        events = Math.max(events, input.nextOffset);
      } else {
        this.#foldUpdate(input);
      }
      this.#boundary = this.#offset;
    }
    return events;
  }

  /** What comes due before an update rests on the updates before it; only what follows is placed at its offset (X). */
  #foldUpdate({ update, offset }: PlacedUpdate): void {
    const clock = update.origin === 'event' ? update.clock : update.clock - 1;
    const { partition } = this.#config;
    // A second account's instant at one time must not let the enforcer act at that time yet: others may follow.
    if (clock >= this.#core.clock) {
      this.#core.apply({ kind: 'watermark', partition, clock, nextOffset: this.#eventOffset }, this.#emit);
    }
    const { accountId } = update;
    this.#offsets.set(accountId, Math.max(offset, this.#offsets.get(accountId) ?? 0));
    this.#core.apply(update, this.#emit);
  }

  readonly #emit = (command: Command): void => {
    this.#ordinal += 1;
    const offset = this.#offsets.get(command.accountId) ?? -1;
    this.#outgoing.push({ command, offset, ordinal: this.#ordinal });
    this.#deps.observer.issued(command);
  };

  #carryOutActs(): void {
    const core = this.#core;
    const at = this.#deps.now();
    const knows = (accountId: string): boolean => core.hasAccount(accountId);
    this.#acts.carryOut(at, knows, ({ kind, target, by, why }) => {
      if (kind === 'hold') core.hold(target, { by, why, at });
      else core.release(target, this.#emit, undefined, { by, why, at });
    });
  }

  /** N9: how old the input is, by the wall clock. Where none ever came there is nothing to be behind with. */
  #readWallClock(): void {
    const now = this.#deps.now();
    if (!this.#config.live || this.#core.clock <= 0 || now - this.#wallReadAt < this.#config.wallClockMs) return;
    this.#wallReadAt = now;
    this.#core.observeWallClock(now, this.#emit);
  }

  async #idle(signal: AbortSignal): Promise<void> {
    const { log, sleep } = this.#deps;
    this.#wake = new AbortController();
    const wake = this.#wake;
    if (this.#acts.waiting) return;
    const stop = (): void => wake.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) wake.abort();
    const waited = log.waitFor(TOPICS.updates, this.#config.partition, this.#offset, wake.signal);
    await Promise.race([waited, sleep(this.#config.wallClockMs, wake.signal)]);
    wake.abort();
    await waited;
    signal.removeEventListener('abort', stop);
  }

  /** One fenced write of state and outbox; then publish; then empty the outbox. */
  async #commit(events: number): Promise<void> {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    if (this.#config.past) this.#notePublished(outgoing);
    const writes: FieldWrite[] = [
      [PARTITION_KEY, 'state', this.#core.encodePartition()],
      [PARTITION_KEY, 'ordinal', `${this.#ordinal}`],
      [PARTITION_KEY, 'events', `${events}`],
    ];
    for (const accountId of this.#core.takeDirty()) {
      writes.push([`e/${accountId}`, 'state', this.#core.encodeAccount(accountId)]);
      writes.push([`e/${accountId}`, 'offset', `${this.#offsets.get(accountId) ?? 0}`]);
    }
    const outbox = new Map(outgoing.map((out) => [outboxField(out.ordinal), this.#outboxValue(out)]));
    for (const [field, value] of outbox) writes.push([OUTBOX_KEY, field, value]);
    await this.#write(writes);
    this.#tellActs();
    if (outgoing.length === 0) return;
    await this.#publish([...outbox.values()]);
    if (this.#config.live) this.#notePublished(outgoing, this.#deps.now());
    await this.#write([...outbox.keys()].map((field) => [OUTBOX_KEY, field, null]));
  }

  #notePublished(outgoing: readonly Outgoing[], publishedAt?: Instant): void {
    for (const { command } of outgoing) {
      if (command.command !== 'alert') continue;
      this.#core.notePublished(command.accountId, command.commandId, publishedAt ?? command.issuedAt);
    }
  }

  /** N11: what operators did is durable now; they are told, and so is the log of operations. */
  #tellActs(): void {
    for (const { act, at } of this.#acts.settle()) {
      const { kind, target, by, why } = act;
      const said = kind === 'hold' ? 'enforcement held' : 'enforcement released';
      this.#deps.logger.info({ scope: this.#scope, act: kind, target, by, why, at }, said);
    }
  }

  async #write(writes: readonly FieldWrite[]): Promise<void> {
    const step: Commit = {
      next: { nextOffset: this.#boundary, version: `${RULES_VERSION}`, meta: '{}' },
      writes,
      timers: [],
    };
    this.#fence = await this.#deps.state.commit(this.#scope, this.#fence, step);
    this.#committed = this.#boundary;
  }

  #outboxValue({ command, offset, ordinal }: Outgoing): string {
    const place = { partition: this.#config.partition, offset, ordinal };
    const entry: OutboxEntry = {
      topic: topicOf(command),
      key: keyOf(command),
      line: commandLine(command),
      row: commandRow(command, place),
    };
    return JSON.stringify(entry);
  }

  async #publish(values: readonly string[]): Promise<void> {
    const { log, rows } = this.#deps;
    const { partition } = this.#config;
    const entries = values.map((value): OutboxEntry => JSON.parse(value));
    const byTopic = new Map<ControlTopic, [{ key: string; value: string }][]>();
    for (const { topic, key, line } of entries) {
      const records = byTopic.get(topic) ?? [];
      byTopic.set(topic, records);
      records.push([{ key, value: line }]);
    }
    const token = `${this.#scope}:${this.#committed}`;
    await Promise.all([...byTopic].map(([topic, records]) => appendParts(log, topic, partition, records)));
    await rows.insertBlock(
      'commands',
      entries.map(({ row }) => row),
      { token },
    );
  }

  async #republish(outbox: ReadonlyMap<string, string>): Promise<void> {
    const fields = [...outbox.keys()].sort();
    this.#deps.logger.warn({ scope: this.#scope, commands: fields.length }, 'publishing again what was not confirmed');
    await this.#publish(fields.map((field) => outbox.get(field) ?? ''));
    await this.#write(fields.map((field) => [OUTBOX_KEY, field, null]));
  }

  async #loadAccounts(): Promise<void> {
    const { state } = this.#deps;
    let after = 'e/';
    for (;;) {
      const keys = await state.scan(this.#scope, { after, limit: PAGE_KEYS, fence: this.#fence });
      const accounts = keys.filter((key) => key.startsWith('e/'));
      if (accounts.length === 0) return;
      for (const [key, fields] of await state.load(this.#scope, this.#fence, accounts)) {
        this.#core.putAccount(fields.get('state') ?? '');
        this.#offsets.set(key.slice(2), Number(fields.get('offset') ?? 0));
      }
      after = keys[keys.length - 1] ?? after;
    }
  }
}

interface OutboxEntry {
  readonly topic: ControlTopic;
  readonly key: string;
  readonly line: string;
  readonly row: string;
}

/** Fields sort as text; ordinals have at most 16 digits. */
function outboxField(ordinal: number): string {
  return `${ordinal}`.padStart(16, '0');
}
