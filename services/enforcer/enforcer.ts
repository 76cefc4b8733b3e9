import { appendParts } from '../../platform/log/append-parts.ts';
import type { EventLog, LogRecord } from '../../platform/log/port.ts';
import type { Commit, Fence, FieldWrite, Hash, StateStore } from '../../platform/state/port.ts';
import { accountEnforcementText } from '../shared/contracts/account-enforcement.ts';
import type { Command, PlannedAction } from '../shared/contracts/command.ts';
import { type ControlTopic, commandLine, keyOf, topicOf } from '../shared/contracts/command-line.ts';
import { type OperatorWord, partitionEnforcementText } from '../shared/contracts/partition-enforcement.ts';
import { type PlacedUpdate, UpdateAssembler } from '../shared/contracts/update-record.ts';
import { inSpan, type Tracer } from '../shared/runtime/tracing.ts';
import { heard, type Trail } from '../shared/runtime/trail.ts';
import type { Instant } from '../shared/time.ts';
import { RULES_VERSION, TOPICS } from '../shared/topics.ts';
import type { WireFormat } from '../shared/wire/wire-format.ts';
import { commandRow } from './command-row.ts';
import { Enforcement } from './core/enforcement.ts';
import { Operations } from './operations.ts';
import { PublishedCommands, type PublishedOffsets, readPublished } from './published.ts';

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
  /** A step is durable, and what it issued is published. */
  committed(tookMs: number): void;
  /** How many commands of a partition are decided, durable, and not confirmed as published yet. */
  outbox(partition: number, commands: number): void;
}

export interface EnforcerDeps {
  readonly log: EventLog;
  readonly wire: WireFormat;
  readonly state: StateStore;
  readonly rows: CommandSink;
  readonly logger: EnforcerLogger;
  readonly observer: EnforcerObserver;
  /** Told of single updates and commands, where it is listened to. */
  readonly trail?: Trail;
  /** Undefined where tracing is off. */
  readonly tracer?: Tracer | undefined;
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

/** The enforcer cannot go on with what its stores hold: the partition stops, and says what to do. */
export class EnforcerStopped extends Error {
  constructor(name: string, detail: string) {
    super(detail);
    this.name = name;
  }
}

/** Nothing is known of the partition yet, and soon will be: the enforcer tries again. */
export class RaterNotBegun extends Error {
  override readonly name = 'RaterNotBegun';
}

interface Outgoing {
  readonly command: Command;
  readonly offset: number;
  readonly ordinal: number;
}

const PARTITION_KEY = 'partition';
const OUTBOX_KEY = 'outbox';
/** N11: accounts that are held by themselves: account -> who, why and since when. */
const HOLDS_KEY = 'holds';
/** How an account or the partition stands, for who asks. Made of the rest, and never read here. */
const VIEW_FIELD = 'view';
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
  #operations: Operations;
  /** After the store went back: operations before this one were given before the partition held itself for it. */
  #brakedFrom = 0;
  /** N11: accounts whose hold is to be written. */
  readonly #heldAnew = new Set<string>();
  /** N11: held in the log of operations, of accounts that no update told of yet. */
  readonly #heldUnknown = new Map<string, OperatorWord>();
  /** After the store went back: commands that were published, and that it does not know of. */
  #published = new PublishedCommands([]);
  #publishedTo: PublishedOffsets = {};
  #wallReadAt = Number.NEGATIVE_INFINITY;
  #wake = new AbortController();

  constructor(deps: EnforcerDeps, config: EnforcerConfig) {
    this.#deps = deps;
    this.#config = config;
    this.#scope = `enforcer/${config.partition}`;
    this.#core = new Enforcement(config.partition, { live: config.live });
    this.#operations = new Operations(deps, config.partition, 0);
  }

  /**
   * How far the log of events was enforced: all before `events` was folded and its commands published; and up to where of
   * `balance.updates` that is in a checkpoint.
   */
  get progress(): { readonly events: number; readonly clock: Instant; readonly committed: number } {
    return { events: this.#eventOffset, clock: this.#core.clock, committed: this.#committed };
  }

  /** N3: what is coming to an account, by time. */
  comingActions(accountId: string): readonly PlannedAction[] {
    return this.#core.hasAccount(accountId) ? this.#core.comingActions(accountId) : [];
  }

  /** N9, N11: who holds the partition, or released it last, and whether its input is stale. */
  holds(): ReturnType<Enforcement['holds']> {
    return this.#core.holds();
  }

  /** N9, N11: what is held in the partition. Looks at every account. */
  heldActions(): ReturnType<Enforcement['heldActions']> {
    return this.#core.heldActions();
  }

  /** N11: the accounts that are held by themselves, in no particular order. */
  accountHolds(): ReturnType<Enforcement['accountHolds']> {
    return this.#core.accountHolds();
  }

  /**
   * Takes the partition over, puts its state together again and publishes what an earlier owner may not have.
   * @throws EnforcerStopped `UpdatesTrimmed`, `RulesVersionUnknown`; RaterNotBegun
   */
  async start(): Promise<void> {
    const { state, logger, now } = this.#deps;
    const { fence, checkpoint } = await state.claim(this.#scope);
    this.#fence = fence;
    if (checkpoint !== undefined && checkpoint.version !== `${RULES_VERSION}`) {
      throw new EnforcerStopped(
        'RulesVersionUnknown',
        `the state of ${this.#scope} is of version ${checkpoint.version} of the rules, this program knows ` +
          `${RULES_VERSION}; start the release that wrote it, or a later one`,
      );
    }
    this.#offset = checkpoint?.nextOffset ?? (await this.#firstUpdate());
    this.#boundary = this.#offset;
    this.#committed = this.#offset;
    const stored = await state.load(this.#scope, fence, [PARTITION_KEY, OUTBOX_KEY, HOLDS_KEY]);
    const partition: Hash = stored.get(PARTITION_KEY) ?? new Map();
    const text = partition.get('state');
    if (text !== undefined) this.#core.putPartition(text);
    this.#ordinal = Number(partition.get('ordinal') ?? 0);
    this.#eventOffset = Number(partition.get('events') ?? 0);
    this.#publishedTo = JSON.parse(partition.get('published') ?? '{}');
    this.#operations = new Operations(this.#deps, this.#config.partition, Number(partition.get('operations') ?? 0));
    await this.#loadAccounts();
    for (const [accountId, hold] of stored.get(HOLDS_KEY) ?? []) {
      if (!this.#core.hasAccount(accountId)) this.#heldUnknown.set(accountId, JSON.parse(hold));
    }
    await this.#meetPublished(stored.get(OUTBOX_KEY) ?? new Map());
    this.#core.noteUnwitnessed(now());
    logger.info({ scope: this.#scope, offset: this.#offset }, 'enforcer started');
  }

  /**
   * B3: where an enforcer without state begins: at the first update, or, where retention has removed that, at the first one of
   * a rater that began without state as well, and so told of everything again.
   */
  async #firstUpdate(): Promise<number> {
    const { log, state } = this.#deps;
    const { partition } = this.#config;
    const start = await log.startOffset(TOPICS.updates, partition);
    if (start === 0) return 0;
    const { checkpoint, hashes } = await state.peek(`rater/${partition}`, [PARTITION_KEY]);
    if (checkpoint === undefined) {
      throw new RaterNotBegun(`${this.#scope} has no state, and the rater of its partition has written none yet`);
    }
    const began = Number(hashes.get(PARTITION_KEY)?.get('began') ?? -1);
    if (began >= start) return began;
    throw new EnforcerStopped(
      'UpdatesTrimmed',
      `${this.#scope} has no state, and ${TOPICS.updates} begins at ${start}: restore the store from a copy, or have the ` +
        'rater begin anew, which tells of everything again (docs/recovery.md)',
    );
  }

  /** Folds updates until aborted; then writes what is open and returns. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = new AbortController();
    const ended = AbortSignal.any([signal, stopped.signal]);
    try {
      this.#operations.watch(ended, () => this.#wake.abort());
      await this.#run(signal);
    } finally {
      stopped.abort();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { checkpointRecordsMax } = this.#config;
    while (!signal.aborted) {
      const operated = await this.#carryOutOperations();
      const records = await this.#read();
      const events = this.#foldAll(records);
      this.#readWallClock();
      const due = records.length === 0 || this.#boundary - this.#committed >= checkpointRecordsMax;
      const urgent = this.#outgoing.length > 0 || operated;
      if (urgent || (due && this.#boundary > this.#committed)) await this.#commit(events);
      this.#eventOffset = Math.max(this.#eventOffset, events);
      if (records.length === 0) await this.#idle(signal);
    }
    if (this.#boundary > this.#committed) await this.#commit(this.#eventOffset);
  }

  async #read(): Promise<readonly LogRecord[]> {
    const { log, wire } = this.#deps;
    const { runRecordsMax, runBytesMax, partition } = this.#config;
    const limits = { recordsMax: runRecordsMax, bytesMax: runBytesMax };
    const records = await log.read(TOPICS.updates, partition, this.#offset, limits);
    await wire.learn(
      TOPICS.updates,
      records.map(({ value }) => value),
    );
    return records;
  }

  /** @returns up to where the log of events is covered by what was folded (B3) */
  #foldAll(records: readonly LogRecord[]): number {
    let events = this.#eventOffset;
    for (const record of records) {
      this.#offset = record.offset + 1;
      const input = this.#assembler.take(this.#deps.wire.decode(TOPICS.updates, record.value));
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
    heard(this.#deps.trail)?.debug(
      { account: accountId, sequence: update.sequence, standing: update.level, partition, event_offset: offset },
      'update comes',
    );
    this.#core.apply(update, this.#emit);
    const held = this.#heldUnknown.get(accountId);
    if (held === undefined || !this.#core.hasAccount(accountId)) return;
    this.#heldUnknown.delete(accountId);
    this.#core.hold({ accountId }, held);
  }

  readonly #emit = (command: Command): void => {
    this.#ordinal += 1;
    const offset = this.#offsets.get(command.accountId) ?? -1;
    this.#outgoing.push({ command, offset, ordinal: this.#ordinal });
    this.#deps.observer.issued(command);
    heard(this.#deps.trail)?.debug(
      {
        command_id: command.commandId,
        command: command.command,
        alert: command.alert,
        account: command.accountId,
        resource: command.resource,
        reason: command.reason,
        partition: this.#config.partition,
        event_offset: offset,
      },
      'command issued',
    );
  };

  /** N11: what operators did since, in the order of the log of operations. @returns whether there was anything */
  async #carryOutOperations(): Promise<boolean> {
    const core = this.#core;
    const operations = await this.#operations.take();
    const first = this.#operations.nextOffset - operations.length;
    for (const [index, { act, target, by, why, at, actId }] of operations.entries()) {
      const word = { by, why, at };
      const said = act === 'hold' ? 'enforcement held' : 'enforcement released';
      this.#deps.logger.info({ scope: this.#scope, act, target, ...word, act_id: actId }, said);
      if (target !== 'all') this.#heldAnew.add(target.accountId);
      if (target !== 'all' && !core.hasAccount(target.accountId)) {
        if (act === 'hold') this.#heldUnknown.set(target.accountId, word);
        else this.#heldUnknown.delete(target.accountId);
      } else if (act === 'hold') {
        core.hold(target, word);
      } else {
        const brake = first + index < this.#brakedFrom ? 'kept' : 'released';
        core.release(target, this.#emit, undefined, word, brake);
      }
    }
    return operations.length > 0;
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
    if (this.#operations.waiting) return;
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
    const { now, observer, tracer } = this.#deps;
    const { partition } = this.#config;
    const attributes = { 'tollgate.partition': partition, 'tollgate.commands': this.#outgoing.length };
    const begun = now();
    await inSpan(tracer, 'enforce', attributes, () => this.#writeAndPublish(events));
    observer.committed(now() - begun);
  }

  async #writeAndPublish(events: number): Promise<void> {
    const outgoing = this.#outgoing.filter((out) => !this.#isPublished(out));
    this.#outgoing = [];
    if (this.#config.past) this.#notePublished(outgoing);
    const outbox = new Map(outgoing.map((out) => [outboxField(out.ordinal), this.#outboxValue(out)]));
    const writes = this.#stateWrites(events);
    for (const [field, value] of outbox) writes.push([OUTBOX_KEY, field, value]);
    await this.#write(writes);
    if (outgoing.length === 0) return;
    this.#deps.observer.outbox(this.#config.partition, outgoing.length);
    await this.#publish([...outbox.values()]);
    if (this.#config.live) this.#notePublished(outgoing, this.#deps.now());
    await this.#trimOutbox([...outbox.keys()]);
  }

  #stateWrites(events: number): FieldWrite[] {
    const core = this.#core;
    const { partition } = this.#config;
    const view = { partition, asOf: core.clock, ...core.holds() };
    const writes: FieldWrite[] = [
      [PARTITION_KEY, 'state', core.encodePartition()],
      [PARTITION_KEY, 'ordinal', `${this.#ordinal}`],
      [PARTITION_KEY, 'events', `${events}`],
      [PARTITION_KEY, 'operations', `${this.#operations.nextOffset}`],
      [PARTITION_KEY, VIEW_FIELD, partitionEnforcementText(view)],
    ];
    for (const accountId of core.takeDirty()) {
      const key = `e/${accountId}`;
      const standing = accountEnforcementText(core.comingActions(accountId), core.standingOrders(accountId));
      writes.push([key, 'state', core.encodeAccount(accountId)]);
      writes.push([key, 'offset', `${this.#offsets.get(accountId) ?? 0}`]);
      writes.push([key, VIEW_FIELD, standing]);
    }
    for (const accountId of this.#heldAnew) {
      const hold = core.holdOf(accountId) ?? this.#heldUnknown.get(accountId);
      writes.push([HOLDS_KEY, accountId, hold === undefined ? null : JSON.stringify(hold)]);
    }
    this.#heldAnew.clear();
    return writes;
  }

  /** After the store went back: a command that was published then is not published again; its alert counts from then. */
  #isPublished({ command }: Outgoing): boolean {
    const publishedAt = this.#published.take(command.commandId);
    if (publishedAt === undefined) return false;
    if (this.#config.live) this.#core.notePublished(command.accountId, command.commandId, publishedAt);
    return true;
  }

  #notePublished(outgoing: readonly Outgoing[], publishedAt?: Instant): void {
    for (const { command } of outgoing) {
      if (command.command !== 'alert') continue;
      this.#core.notePublished(command.accountId, command.commandId, publishedAt ?? command.issuedAt);
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
      id: command.commandId,
      topic: topicOf(command),
      key: keyOf(command),
      line: commandLine(command),
      row: commandRow(command, place),
    };
    return JSON.stringify(entry);
  }

  async #publish(values: readonly string[]): Promise<void> {
    const { log, wire } = this.#deps;
    const { partition } = this.#config;
    const entries = values.map((value): OutboxEntry => JSON.parse(value));
    const byTopic = new Map<ControlTopic, [{ key: string; value: string | Uint8Array }][]>();
    for (const { topic, key, line } of entries) {
      const records = byTopic.get(topic) ?? [];
      byTopic.set(topic, records);
      records.push([{ key, value: wire.encode(topic, line) }]);
    }
    const published = [...byTopic].map(async ([topic, records]) => {
      await appendParts(log, topic, partition, records);
      this.#publishedTo[topic] = await log.endOffset(topic, partition);
    });
    await Promise.all(published);
    await this.#insertRows(entries);
  }

  async #insertRows(entries: readonly OutboxEntry[]): Promise<void> {
    const token = `${this.#scope}:${this.#committed}`;
    await this.#deps.rows.insertBlock(
      'commands',
      entries.map(({ row }) => row),
      { token },
    );
  }

  async #trimOutbox(fields: readonly string[]): Promise<void> {
    const writes: FieldWrite[] = fields.map((field) => [OUTBOX_KEY, field, null]);
    // What was published and is not issued again yet must be found again by the next owner.
    if (this.#published.size === 0) writes.push([PARTITION_KEY, 'published', JSON.stringify(this.#publishedTo)]);
    await this.#write(writes);
    this.#deps.observer.outbox(this.#config.partition, 0);
  }

  /**
   * Looks at what the control topics hold since the last word of it. What the outbox holds and they do not is published now. What
   * they hold and the state knows nothing of shows that the store lost its last writes: such commands are not published
   * again, and in live mode the partition holds itself (N11), since what was decided after them is not known any more.
   */
  async #meetPublished(outbox: Hash): Promise<void> {
    const { log, wire, logger, now } = this.#deps;
    const { partition, live } = this.#config;
    const { commands, offsets } = await readPublished(log, wire, partition, this.#publishedTo);
    this.#publishedTo = offsets;
    const fields = [...outbox.keys()].sort();
    const entries = new Map(fields.map((field): [string, OutboxEntry] => [field, JSON.parse(outbox.get(field) ?? '')]));
    const found = new Map(commands.map((command) => [command.commandId, command]));
    const missing = fields.filter((field) => !found.has(entries.get(field)?.id ?? ''));
    const known = new Set([...entries.values()].map(({ id }) => id));
    if (live) for (const one of commands) this.#core.notePublished(one.accountId, one.commandId, one.publishedAt);
    const unknown = commands.filter(
      ({ accountId, commandId, sequence }) => !known.has(commandId) && !this.#core.hasIssued(accountId, sequence),
    );
    this.#published = new PublishedCommands(unknown);
    if (unknown.length > 0) {
      const why = `the state store went back: it does not know of ${unknown.length} commands that were published`;
      logger.warn({ scope: this.#scope, commands: unknown.length }, why);
      if (live) {
        this.#core.brake({ by: 'brake', why, at: now() });
        this.#brakedFrom = await log.endOffset(TOPICS.operations, partition);
      }
    }
    this.#deps.observer.outbox(partition, fields.length);
    if (fields.length === 0) return;
    logger.warn({ scope: this.#scope, commands: missing.length }, 'publishing again what was not confirmed');
    await this.#publish(missing.map((field) => outbox.get(field) ?? ''));
    await this.#insertRows([...entries.values()]);
    await this.#trimOutbox(fields);
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
  readonly id: string;
  readonly topic: ControlTopic;
  readonly key: string;
  readonly line: string;
  readonly row: string;
}

/** Fields sort as text; ordinals have at most 16 digits. */
function outboxField(ordinal: number): string {
  return `${ordinal}`.padStart(16, '0');
}
