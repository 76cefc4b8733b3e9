import { appendParts } from '../../platform/log/append-parts.ts';
import type { EventLog, LogRecord } from '../../platform/log/port.ts';
import type { Checkpoint, Commit, Fence, FieldWrite, StateStore, TimerWrite } from '../../platform/state/port.ts';
import type { BinaryRows } from '../../platform/warehouse/row-binary.ts';
import { accountBalanceJson } from '../shared/contracts/account-balance.ts';
import type { MeteringEvent } from '../shared/contracts/event.ts';
import { eventLine, forwardedText } from '../shared/contracts/event-record.ts';
import { watermarkRecord } from '../shared/contracts/update-record.ts';
import { formatAmount } from '../shared/money.ts';
import { inSpan, type Tracer } from '../shared/runtime/tracing.ts';
import { heard, type Trail } from '../shared/runtime/trail.ts';
import { formatInstant, type Instant } from '../shared/time.ts';
import { RULES_VERSION, TOPICS } from '../shared/topics.ts';
import type { DecodedEvent, WireFormat } from '../shared/wire/wire-format.ts';
import { Books, type BooksCheck, IDENTITIES } from './books.ts';
import { type CheckpointMeta, isSameLog, readCheckpointMeta, recordMark, type WrittenRows } from './checkpoint-meta.ts';
import type { Account } from './core/account.ts';
import { takeFieldWrites } from './core/account-fields.ts';
import { restoreAccount } from './core/account-restore.ts';
import { balanceOf } from './core/balances.ts';
import type { Outcome } from './core/outcome.ts';
import { restorePartition, takePartitionWrites } from './core/partition-fields.ts';
import { Partition } from './core/rate.ts';
import { EventTrail } from './event-trail.ts';
import { Group, type KeyedUpdate } from './group.ts';
import { RATER_TABLES, type RaterTable } from './rows.ts';
import { VerdictBoard } from './verdict-board.ts';

/** Where rated rows go: `platform/warehouse` in a running system. Idempotent by row identity. */
export interface RowSink {
  insertBlock(table: RaterTable, rows: BinaryRows, options: { readonly token: string }): Promise<void>;
  /** How many distinct rows of a table come from offsets in `[from, to)` of a partition. */
  countRows(table: RaterTable, partition: number, from: number, to: number): Promise<number>;
}

export interface RaterLogger {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What a rater tells of itself, for metrics. */
export interface RaterObserver {
  /** How many records of a run had which outcome: `applied`, `duplicate`, or the reason of a rejection. */
  folded(outcomes: ReadonlyMap<string, number>): void;
  committed(records: number, tookMs: number): void;
  /** L7: how far the books of a group that is about to be written are off; all 0 where they agree. */
  booked(partition: number, check: BooksCheck): void;
}

export interface RaterDeps {
  readonly log: EventLog;
  readonly wire: WireFormat;
  readonly state: StateStore;
  readonly rows: RowSink;
  readonly logger: RaterLogger;
  readonly observer: RaterObserver;
  /** Told of single events, where it is listened to. */
  readonly trail?: Trail;
  /** Undefined where tracing is off. */
  readonly tracer?: Tracer | undefined;
  /** The rater's own clock, integer ms: for the length of groups, and against a log whose clock has jumped. */
  readonly now: () => number;
  /** Resolves after that long, or at once when aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface RaterConfig {
  readonly partition: number;
  readonly partitions: number;
  /** A group ends after this many records or this long, whichever is first. */
  readonly groupRecordsMax: number;
  readonly groupMs: number;
  readonly runRecordsMax: number;
  readonly runBytesMax: number;
  /** Accounts kept in memory between groups. */
  readonly accountsMax: number;
  /** How far a record's time may be ahead of the rater's own clock; undefined where the log takes the events' own. */
  readonly clockJumpMaxMs: number | undefined;
}

/** How far the log was folded, how far it stands before a checkpoint, and the clock (E2) at either. */
export interface RaterProgress {
  readonly folded: number;
  readonly clock: Instant;
  readonly committed: number;
  readonly committedClock: Instant;
}

/** The rater's clock and log disagree, or its stores do: the partition stops, and says what to do. */
export class RaterStopped extends Error {
  constructor(name: string, detail: string) {
    super(detail);
    this.name = name;
  }
}

const PARTITION_KEY = 'partition';
/** Of an account's hash: how it stands, for who asks (C1). Made of the other fields, and never read here. */
const VIEW_FIELD = 'view';
const PAGE_KEYS = 1000;
const DUE_MAX = 10_000;

/**
 * The shell around the core of one partition: it reads runs of records, folds them in memory, sends balance updates at
 * once and rows in large blocks, and when all are acknowledged writes one fenced checkpoint: effects first, checkpoint
 * last. A crash before the checkpoint repeats a part of the log from the older state, which makes the same rows again.
 */
export class Rater {
  readonly #deps: RaterDeps;
  readonly #config: RaterConfig;
  readonly #scope: string;
  readonly verdicts: VerdictBoard;
  #partition = new Partition();
  #fence: Fence = { epoch: 0, nextOffset: undefined };
  #offset = 0;
  #group: Group;
  #groupSince = 0;
  #committing: Promise<void> = Promise.resolve();
  #writing = false;
  /** The updates of the last run, until they are durable. */
  #sending: Promise<void> = Promise.resolve();
  #committedOffset = 0;
  #committedClock: Instant = -1;
  /** The end of `balance.updates` at which a start without state began, until it is written. */
  #began: number | undefined;
  /** Aborted when a commit or an append has failed: the run ends with that fault. */
  readonly #broken = new AbortController();
  /** Every account of the partition is in memory: one that is not does not exist, and the store need not be asked. */
  #complete = false;
  /** In which commit an account changed last. */
  readonly #changedIn = new Map<string, number>();
  #commits = 0;
  readonly #outcomes = new Map<string, number>();
  readonly #books = new Books();
  /** Of each table, the last group that had rows for it. */
  #lastRows: Partial<Record<RaterTable, WrittenRows>> = {};
  /** The record before `#offset`, once one was folded. */
  #lastRecord: LogRecord | undefined;

  constructor(deps: RaterDeps, config: RaterConfig) {
    this.#deps = deps;
    this.#config = config;
    this.#scope = `rater/${config.partition}`;
    this.#group = new Group(config.partition);
    this.verdicts = new VerdictBoard();
  }

  get progress(): RaterProgress {
    return {
      folded: this.#offset,
      clock: this.#partition.clock,
      committed: this.#committedOffset,
      committedClock: this.#committedClock,
    };
  }

  /** An account as it is in memory; undefined if it is not loaded or not opened. */
  account(id: string): Account | undefined {
    return this.#partition.accounts.get(id);
  }

  /** The accounts in memory. */
  accounts(): Iterable<Account> {
    return this.#partition.accounts.values();
  }

  /**
   * Takes the partition over and puts its state together again.
   * @throws RaterStopped `CheckpointAheadOfLog`, `LogRewritten`, `RulesVersionUnknown`, `WarehouseBehindCheckpoint`
   */
  async start(): Promise<void> {
    const { state, log } = this.#deps;
    const { fence, checkpoint } = await state.claim(this.#scope);
    this.#fence = fence;
    const end = await log.endOffset(TOPICS.events, this.#config.partition);
    this.#offset = checkpoint?.nextOffset ?? 0;
    this.#committedOffset = this.#offset;
    this.verdicts.begin(this.#offset);
    if (this.#offset > end) {
      throw new RaterStopped(
        'CheckpointAheadOfLog',
        `the checkpoint of ${this.#scope} is at ${this.#offset}, the log ends at ${end}: it lost records; ` +
          'restore it (docs/recovery.md)',
      );
    }
    if (checkpoint !== undefined) await this.#restore(checkpoint);
    else await this.#beginAnew();
    this.#deps.logger.info({ scope: this.#scope, offset: this.#offset, end }, 'rater started');
  }

  /** Folds the log until aborted; then writes what is open and returns. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = AbortSignal.any([signal, this.#broken.signal]);
    while (!stopped.aborted) {
      const records = await this.#read();
      if (records.length > 0) await this.#fold(records);
      else await this.#idle(stopped);
      // One large commit costs less than two small ones: a group goes on growing while the one before is being written, and
      // while whole runs come in, for then there is a backlog to catch up with.
      const isFull = this.#group.records >= this.#config.groupRecordsMax;
      const isBehind = records.length >= this.#config.runRecordsMax;
      if (isFull || (this.#groupIsOld() && !isBehind && !this.#writing)) await this.#commit();
    }
    await this.#committing;
    await this.#commit();
    await this.#committing;
    await this.#sending;
  }

  async #read(): Promise<readonly LogRecord[]> {
    const { runRecordsMax, runBytesMax, partition } = this.#config;
    const limits = { recordsMax: runRecordsMax, bytesMax: runBytesMax };
    const { log, wire } = this.#deps;
    const records = await log.read(TOPICS.events, partition, this.#offset, limits);
    await wire.learn(
      TOPICS.events,
      records.map(({ value }) => value),
    );
    return records;
  }

  /** Waits for a record, no longer than the open group may wait, or until the one before is written. */
  async #idle(signal: AbortSignal): Promise<void> {
    const { log, sleep, now } = this.#deps;
    if (this.#group.records === 0) {
      await log.waitFor(TOPICS.events, this.#config.partition, this.#offset, signal);
      return;
    }
    const woken = new AbortController();
    const stop = (): void => woken.abort();
    signal.addEventListener('abort', stop, { once: true });
    const left = Math.max(0, this.#groupSince + this.#config.groupMs - now());
    const waited = log.waitFor(TOPICS.events, this.#config.partition, this.#offset, woken.signal);
    await Promise.race([waited, this.#writing ? this.#committing.catch(() => {}) : sleep(left, woken.signal)]);
    woken.abort();
    await waited;
    signal.removeEventListener('abort', stop);
  }

  #groupIsOld(): boolean {
    return this.#group.records > 0 && this.#deps.now() - this.#groupSince >= this.#config.groupMs;
  }

  async #fold(records: readonly LogRecord[]): Promise<void> {
    if (this.#group.records === 0) this.#groupSince = this.#deps.now();
    // With all accounts in memory nothing is loaded first: an event then lives for as long as it is folded, and costs the
    // garbage collector nothing.
    const events = this.#complete ? undefined : records.map((record) => this.#decode(record));
    if (events !== undefined) await this.#prefetch(events);
    const told = heard(this.#deps.trail);
    const trail = told && new EventTrail(told, this.#config.partition, this.#group);
    for (let index = 0; index < records.length; index += 1) {
      const record = records[index];
      if (record === undefined) break;
      const { decoded, event } = events?.[index] ?? this.#decode(record);
      this.#group.begin(record.offset);
      const outcome = this.#partition.apply(event, trail ?? this.#group);
      this.#settle(record, decoded, event, outcome);
      trail?.tell(record.offset, event, outcome);
    }
    const last = records[records.length - 1];
    if (last === undefined) return;
    this.#offset = last.offset + 1;
    this.#lastRecord = last;
    const { partition } = this.#config;
    const watermark = { key: '', record: watermarkRecord(this.#partition.watermark(partition, this.#offset)) };
    const updates = [...this.#group.takeUpdates(), [watermark]];
    this.#deps.observer.folded(this.#outcomes);
    this.#outcomes.clear();
    // The updates of one run are under way while the next one is folded, and no more: what waits has a bound.
    await this.#sending;
    this.#sending = this.#send(updates, this.#offset);
    this.#sending.catch(() => this.#broken.abort());
  }

  /** The records of one update stay together. */
  async #send(updates: readonly (readonly KeyedUpdate[])[], upTo: number): Promise<void> {
    const { log, wire } = this.#deps;
    const encoded = updates.map((unit) => unit.map(({ key, record }) => ({ key, value: wire.encodeUpdate(record) })));
    await appendParts(log, TOPICS.updates, this.#config.partition, encoded);
    this.verdicts.processed(upTo);
  }

  /** E4: keeps what was rejected whole, and tells the verdict of every act, and of usage that was a duplicate. */
  #settle(record: LogRecord, decoded: DecodedEvent, event: MeteringEvent, outcome: Outcome): void {
    const { envelope, body } = event;
    const { clock } = this.#partition;
    const counted = outcome.kind === 'rejected' ? outcome.reason : outcome.kind;
    this.#outcomes.set(counted, (this.#outcomes.get(counted) ?? 0) + 1);
    this.verdicts.settle(record.offset, outcome);
    const accountId = envelope.subject;
    const refusal = outcome.kind === 'rejected' ? outcome : undefined;
    if (refusal !== undefined) {
      const { reason, detail } = refusal;
      this.#group.rejection({ accountId, reason, detail, event: eventLine(decoded.text(), record.time), clock });
    }
    if (body.type === 'clock.tick') return;
    // Of usage the warehouse has the rest: a rated line if it was applied, a rejection if it was not.
    const isUsage = body.type === 'usage.gpu' || body.type === 'usage.storage';
    if (isUsage && outcome.kind !== 'duplicate') return;
    this.#group.verdict({
      event: `${envelope.source}/${envelope.id}`,
      accountId,
      verdict: outcome.kind,
      reason: refusal?.reason,
      detail: refusal?.detail,
      clock,
    });
    // E1: a price that was judged here goes on to the other partitions, before the checkpoint.
    if (body.type === 'prices.published' && outcome.kind === 'applied' && !envelope.forwarded) {
      this.#group.forwards.push({ key: '', value: forwardedText(decoded.text()), time: record.time });
    }
  }

  #decode(record: LogRecord): { readonly decoded: DecodedEvent; readonly event: MeteringEvent } {
    const decoded = this.#deps.wire.decodeEvent(record.value, record.time);
    const { event } = decoded;
    if ('reason' in event) {
      throw new RaterStopped(
        'RecordUnreadable',
        `offset ${record.offset} of ${TOPICS.events}: ${event.detail}; ingest lets no such record in`,
      );
    }
    const { clockJumpMaxMs, partition } = this.#config;
    if (clockJumpMaxMs !== undefined && record.time > this.#deps.now() + clockJumpMaxMs) {
      throw new RaterStopped(
        'ClockJumped',
        `offset ${record.offset} of partition ${partition} has the time ${formatInstant(record.time)}, more than ` +
          `${clockJumpMaxMs} ms ahead of this machine's clock; mend the clock that is wrong`,
      );
    }
    return { decoded, event };
  }

  /** Loads the accounts that a run touches, and those for which something comes due before its end. */
  async #prefetch(events: readonly { readonly event: MeteringEvent }[]): Promise<void> {
    await this.#committing;
    const wanted = new Set<string>();
    let until = this.#partition.clock;
    for (const { event } of events) {
      const { subject, time } = event.envelope;
      if (subject !== undefined && !this.#partition.accounts.has(subject)) wanted.add(subject);
      if (time > until) until = time;
    }
    await this.#load(wanted);
    for (;;) {
      const due = await this.#deps.state.due(this.#scope, this.#fence, until, DUE_MAX);
      const missing = due.map(({ member }) => member).filter((id) => !this.#partition.accounts.has(id));
      if (missing.length === 0) return;
      await this.#load(new Set(missing));
    }
  }

  async #load(ids: ReadonlySet<string>): Promise<void> {
    if (ids.size === 0) return;
    const keys = [...ids].map(accountKey);
    const hashes = await this.#deps.state.load(this.#scope, this.#fence, keys);
    for (const id of ids) {
      const fields = hashes.get(accountKey(id));
      if (fields === undefined) continue;
      const account = restoreAccount(id, fields, this.#partition.clock);
      this.#partition.putAccount(account);
      this.#books.open(account);
    }
  }

  /** Ends the group: rows to the warehouse, rejections to their topic, then the checkpoint. One is under way at a time. */
  async #commit(): Promise<void> {
    if (this.#group.records === 0) return;
    await this.#committing;
    const group = this.#group;
    const from = this.#committedOffset;
    this.#group = new Group(this.#config.partition);
    const step = this.#takeStep(group, from);
    this.#evict();
    this.#writing = true;
    const attributes = {
      'tollgate.partition': this.#config.partition,
      'tollgate.offset.from': from,
      'tollgate.offset.to': this.#offset,
      'messaging.batch.message_count': group.records,
    };
    const { clock } = this.#partition;
    const write = () => this.#write(group, from, step, clock);
    this.#committing = inSpan(this.#deps.tracer, 'write group', attributes, write).finally(() => {
      this.#writing = false;
    });
    // Whoever awaits it next gets the fault itself; a rater that waits for records must not go on waiting.
    this.#committing.catch(() => this.#broken.abort());
  }

  #takeStep(group: Group, from: number): Commit {
    const writes: FieldWrite[] = takePartitionWrites(this.#partition).map(([field, value]) => [
      PARTITION_KEY,
      field,
      value,
    ]);
    if (this.#began !== undefined) writes.push([PARTITION_KEY, 'began', `${this.#began}`]);
    this.#began = undefined;
    this.#commits += 1;
    const timers: TimerWrite[] = [];
    const changed: Account[] = [];
    for (const account of this.#partition.accounts.values()) {
      if (account.changes.length > 0) {
        changed.push(account);
        this.#changedIn.set(account.id, this.#commits);
        const key = accountKey(account.id);
        for (const [field, value] of takeFieldWrites(account)) writes.push([key, field, value]);
        writes.push([key, VIEW_FIELD, accountBalanceJson(balanceOf(account))]);
      }
      if (account.timerDirty) {
        account.timerDirty = false;
        timers.push([account.id, Number.isFinite(account.timerAt) ? account.timerAt : null]);
      }
    }
    this.#lookAtBooks(changed, group);
    for (const table of RATER_TABLES) {
      const count = group.rows[table].length;
      if (count > 0) this.#lastRows[table] = { from, to: this.#offset, count };
    }
    const last = this.#lastRecord === undefined ? undefined : recordMark(this.#lastRecord);
    const meta = JSON.stringify({ rows: this.#lastRows, last } satisfies CheckpointMeta);
    return { next: { nextOffset: this.#offset, version: `${RULES_VERSION}`, meta }, writes, timers };
  }

  /** L7: books that disagree are told, not mended: what was rated is what the log makes of it, the next time as well. */
  #lookAtBooks(changed: readonly Account[], group: Group): void {
    const { logger, observer } = this.#deps;
    const check = this.#books.check(changed, group.entriesNanos);
    observer.booked(this.#config.partition, check);
    if (IDENTITIES.every((identity) => check[identity] === 0n)) return;
    const off = Object.fromEntries(IDENTITIES.map((identity) => [identity, formatAmount(check[identity])]));
    logger.error({ scope: this.#scope, until: this.#offset, off }, 'the books disagree');
  }

  async #write(group: Group, from: number, step: Commit, clock: Instant): Promise<void> {
    const { rows, state, now, observer } = this.#deps;
    const { partition } = this.#config;
    const begun = now();
    const token = `${TOPICS.events}:${partition}:${from}-${step.next.nextOffset}`;
    const inserts = RATER_TABLES.map(async (table) => {
      const block = group.rows[table];
      if (block.length > 0) await rows.insertBlock(table, block, { token });
    });
    await Promise.all([...inserts, this.#keepRejected(group), this.#forward(group), this.#sending]);
    this.#fence = await state.commit(this.#scope, this.#fence, step);
    this.#committedOffset = step.next.nextOffset;
    this.#committedClock = clock;
    observer.committed(group.records, now() - begun);
  }

  async #forward(group: Group): Promise<void> {
    if (group.forwards.length === 0) return;
    const { log, wire } = this.#deps;
    const { partition: own, partitions } = this.#config;
    const others = Array.from({ length: partitions }, (_, index) => index).filter((index) => index !== own);
    const records = group.forwards.map((record) => ({ ...record, value: wire.encode(TOPICS.events, record.value) }));
    await Promise.all(others.map((partition) => log.append(TOPICS.events, partition, records)));
  }

  /** E4: appends what was rejected, whole, to the partition of this number. */
  async #keepRejected(group: Group): Promise<void> {
    const { log, wire } = this.#deps;
    const records = group.rejected.map(({ key, value }) => [{ key, value: wire.encode(TOPICS.rejected, value) }]);
    await appendParts(log, TOPICS.rejected, this.#config.partition, records);
  }

  /** Forgets the accounts that have not changed for longest, once what they changed is on its way to the store. */
  #evict(): void {
    const { accounts } = this.#partition;
    if (accounts.size <= this.#config.accountsMax) return;
    this.#complete = false;
    const changedIn = ({ id }: Account): number => this.#changedIn.get(id) ?? 0;
    const oldestFirst = [...accounts.values()].sort((left, right) => changedIn(left) - changedIn(right));
    for (const account of oldestFirst.slice(0, accounts.size - this.#config.accountsMax)) {
      this.#partition.dropAccount(account);
      this.#books.close(account.id);
      this.#changedIn.delete(account.id);
    }
  }

  /** Without state everything is told again, from here on: an enforcer that has none either may begin here (B3). */
  async #beginAnew(): Promise<void> {
    this.#began = await this.#deps.log.endOffset(TOPICS.updates, this.#config.partition);
    this.#complete = true;
  }

  async #restore(checkpoint: Checkpoint): Promise<void> {
    if (checkpoint.version !== `${RULES_VERSION}`) {
      throw new RaterStopped(
        'RulesVersionUnknown',
        `the state of ${this.#scope} is of version ${checkpoint.version} of the rules, this program knows ` +
          `${RULES_VERSION}; start the release that wrote it, or a later one`,
      );
    }
    const { state, log } = this.#deps;
    const { partition } = this.#config;
    if (!(await isSameLog(log, partition, checkpoint))) {
      throw new RaterStopped(
        'LogRewritten',
        `offset ${checkpoint.nextOffset - 1} of partition ${partition} of ${TOPICS.events} is not the record that was rated: ` +
          'the log was lost, and has grown again; restore it (docs/recovery.md)',
      );
    }
    await this.#checkRows(checkpoint);
    const found = await state.load(this.#scope, this.#fence, [PARTITION_KEY]);
    this.#partition = restorePartition(found.get(PARTITION_KEY) ?? new Map());
    this.#committedClock = this.#partition.clock;
    this.#complete = await this.#loadAll();
  }

  /** True if all accounts fit into memory and are there. */
  async #loadAll(): Promise<boolean> {
    const { state } = this.#deps;
    let after = 'a/';
    for (;;) {
      const keys = await state.scan(this.#scope, { after, limit: PAGE_KEYS, fence: this.#fence });
      const ids = keys.filter((key) => key.startsWith('a/')).map((key) => key.slice(2));
      if (ids.length === 0) return true;
      if (this.#partition.accounts.size + ids.length > this.#config.accountsMax) return false;
      await this.#load(new Set(ids));
      after = keys[keys.length - 1] ?? after;
    }
  }

  /**
   * A checkpoint past lost rows cannot be rewound: of each table, the rows of the last group that had any are counted. The last
   * group of all may have had none: most hold a tick.
   */
  async #checkRows(checkpoint: Checkpoint): Promise<void> {
    this.#lastRows = { ...readCheckpointMeta(checkpoint).rows };
    const { partition } = this.#config;
    for (const table of RATER_TABLES) {
      const last = this.#lastRows[table];
      if (last === undefined) continue;
      const { from, to, count } = last;
      const found = await this.#deps.rows.countRows(table, partition, from, to);
      if (found >= count) continue;
      throw new RaterStopped(
        'WarehouseBehindCheckpoint',
        `${table} has ${found} of the ${count} rows of offsets ${from} to ${to}: the warehouse lost rows; rebuild it from ` +
          'the log (docs/recovery.md)',
      );
    }
  }
}

function accountKey(id: string): string {
  return `a/${id}`;
}
