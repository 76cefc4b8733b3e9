import type { BalanceUpdate, Watermark } from '../../shared/contracts/balance-update.ts';
import type { Command, PlannedAction } from '../../shared/contracts/command.ts';
import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import { applyUpdate } from './apply-update.ts';
import { carryOutDue } from './carry-out.ts';
import {
  decodeAccount,
  decodePartition,
  encodeAccount,
  encodeState,
  newAccount,
  newPartition,
  type PartitionState,
} from './codec.ts';
import { accountDueAt } from './due.ts';
import { actionDueAt, type Entry, entryOf, indexReservations, noticeIds } from './entry.ts';
import { AccountNotLoaded, EndlessDue, TimeWentBack, UpdateGap } from './errors.ts';
import { countHeld, type HeldActionsTotal } from './held-actions.ts';
import { comingActions, standingOrders } from './orders.ts';
import { releaseHeld } from './release.ts';
import { RULES, type Rules } from './rules.ts';
import { Schedule } from './schedule.ts';
import type { AccountState, Hold } from './state.ts';
import { Supervision } from './supervision.ts';
import type { Drop, Turn } from './turn.ts';

/** A subject is carried out at most so often at one instant: its end, what is dropped for it, and what is announced anew. */
const CARRY_OUTS_MAX = 8;

export interface EnforcementOptions {
  readonly rules?: Rules;
  /** N9, N11: the wall clock is read, alerts are acknowledged, and the brake counts. In replay they are idle. */
  readonly live?: boolean;
}

/** N11: what operators hold and release. */
export type HoldTarget = { readonly accountId: string } | 'all';

export interface PartitionHolds {
  readonly hold: Hold | undefined;
  readonly brake: Hold | undefined;
  readonly lastRelease: Hold | undefined;
  /** N9: the input is stale, or was and has not been fresh for long enough. */
  readonly suspended: boolean;
}

export type Emit = (command: Command) => void;
/** N4: takes what was dropped. */
export type RecordDrop = (drop: Drop) => void;

/**
 * N: the enforcer's fold of one partition. It takes balance updates and watermarks in their order and issues commands; all
 * that it does follows from its inputs (L10). Accounts may be encoded, taken out and put back between inputs.
 */
export class Enforcement {
  readonly #rules: Rules;
  readonly #live: boolean;
  readonly #partition: number;
  readonly #accounts = new Map<string, Entry>();
  readonly #schedule: Schedule;
  /** What a step has to be followed by is worked out once for each account that it touched. */
  readonly #touched = new Set<Entry>();
  readonly #dirty = new Set<string>();
  /** N11: accounts with an action for want of credits coming, and when the next one is due. */
  readonly #actionDueAt = new Map<string, Instant>();
  #state: PartitionState;
  #supervision: Supervision;

  constructor(partition: number, options: EnforcementOptions = {}) {
    this.#partition = partition;
    this.#rules = options.rules ?? RULES;
    this.#live = options.live ?? false;
    this.#schedule = new Schedule(this.#rules);
    this.#state = newPartition();
    this.#supervision = this.#supervise();
  }

  /** The clock of the last input: all that was due before it has been carried out. */
  get clock(): Instant {
    return this.#state.clock;
  }

  /**
   * X: takes one input. What is due up to it is carried out first: up to and including the clock before an event's update and
   * at a watermark, up to but not including it before an instant's update. A repeat of an update changes nothing.
   * @throws UpdateGap, TimeWentBack, AccountNotLoaded
   */
  apply(input: BalanceUpdate | Watermark, emit: Emit, record: RecordDrop = ignoreDrop): void {
    if (input.kind === 'watermark') {
      if (input.clock < this.#state.clock) return;
      this.#state.clock = input.clock;
      this.#carryOutUntil(input.clock, emit, record);
    } else {
      this.#applyUpdate(input, emit, record);
    }
    this.#settle(emit);
  }

  /**
   * N9: takes a reading of the wall clock; what was held and may go on is due anew, and checked again.
   * @param wallAt integer milliseconds since 1970
   */
  observeWallClock(wallAt: Instant, emit: Emit, record: RecordDrop = ignoreDrop): void {
    if (!this.#live) return;
    this.#supervision.observe(wallAt);
    this.#releaseAll(emit, record);
    this.#settle(emit);
  }

  /** N9: an alert was really published, at `wallAt`. The first word counts; one that nothing rests on is forgotten. */
  notePublished(accountId: string, commandId: string, wallAt: Instant): void {
    const state = this.#accounts.get(accountId)?.state;
    if (state === undefined || state.published.has(commandId)) return;
    if (!noticeIds(state).has(commandId)) return;
    state.published.set(commandId, wallAt);
    this.#dirty.add(accountId);
  }

  /**
   * N9: after a start, alerts that something rests on and of which no word of their publication was kept (it was lost in
   * a crash, or there was no wall clock in an import) count from now: they were published by then, and none too early.
   */
  noteUnwitnessed(wallAt: Instant): void {
    if (!this.#live) return;
    for (const { state } of this.#accounts.values()) {
      for (const id of noticeIds(state)) {
        if (state.published.has(id)) continue;
        state.published.set(id, wallAt);
        this.#dirty.add(state.accountId);
      }
    }
  }

  /** N11: an operator holds the actions of one account, or of all. A repeat by the same, for the same reason, changes nothing. */
  hold(target: HoldTarget, hold: Hold): void {
    const held = target === 'all' ? this.#state.supervision : this.#entry(target.accountId).state;
    if (held.hold?.by === hold.by && held.hold.why === hold.why) return;
    held.hold = hold;
    if (target !== 'all') this.#dirty.add(target.accountId);
  }

  /**
   * N11: an operator releases one account, or all (and the brake, but no account that is held by itself); what was held is due
   * anew, and checked again.
   * @param released who releases, and why: it is kept
   * @param brake whether the brake goes on to hold: it engaged after this was said
   */
  release(
    target: HoldTarget,
    emit: Emit,
    record: RecordDrop = ignoreDrop,
    released?: Hold,
    brake: 'released' | 'kept' = 'released',
  ): void {
    if (target === 'all') {
      this.#supervision.release(released, brake);
    } else {
      const { state } = this.#entry(target.accountId);
      state.hold = undefined;
      state.lastRelease = released;
      this.#dirty.add(target.accountId);
    }
    this.#releaseAll(emit, record);
    this.#settle(emit);
  }

  /** N11: who holds the partition, or released it last, and whether its input is stale (N9). */
  holds(): PartitionHolds {
    const { hold, brake, suspended, lastRelease } = this.#state.supervision;
    return { hold, brake, suspended, lastRelease };
  }

  /** N11: the accounts that are held by themselves, in no particular order. */
  *accountHolds(): Iterable<{ readonly accountId: string; readonly hold: Hold }> {
    for (const { state } of this.#accounts.values()) {
      if (state.hold !== undefined) yield { accountId: state.accountId, hold: state.hold };
    }
  }

  /** N9, N11: what is held in the partition. Looks at every account. */
  heldActions(): HeldActionsTotal {
    return countHeld([...this.#accounts.values()].map(({ state }) => state));
  }

  /** N11: who holds an account by itself; undefined if nobody does, or it is not known. */
  holdOf(accountId: string): Hold | undefined {
    return this.#accounts.get(accountId)?.state.hold;
  }

  /** N11: the partition holds itself, until an operator releases all; one that does already goes on for its first reason. */
  brake(brake: Hold): void {
    this.#supervision.engageBrake(brake);
  }

  /** N8: whether a command or alert with this sequence is one that was issued here. @param accountId empty: of the pipeline */
  hasIssued(accountId: string, sequence: number): boolean {
    const issued =
      accountId === '' ? this.#state.supervision.alerts : (this.#accounts.get(accountId)?.state.commandSequence ?? 0);
    return sequence <= issued;
  }

  /** K: what stands for each resource of an account, by kind and id. */
  standingOrders(accountId: string): readonly Command[] {
    return standingOrders(this.#entry(accountId).state);
  }

  /** What is coming to an account, by time. */
  comingActions(accountId: string): readonly PlannedAction[] {
    return comingActions(this.#entry(accountId).state, this.#state.clock);
  }

  hasAccount(accountId: string): boolean {
    return this.#accounts.has(accountId);
  }

  /** The accounts that are loaded. */
  accountIds(): Iterable<string> {
    return this.#accounts.keys();
  }

  /** Loads an account that was encoded. One that is there already is replaced. */
  putAccount(text: string): void {
    const entry = entryOf(decodeAccount(text));
    const { state } = entry;
    this.#accounts.set(state.accountId, entry);
    this.#schedule.setAll(entry);
    if (this.#live) this.#watch(state);
  }

  encodeAccount(accountId: string): string {
    return encodeAccount(this.#entry(accountId).state);
  }

  /** Takes an account out of memory. It has to be put back by `nextDueAt`, or before its next update. */
  evictAccount(accountId: string): void {
    this.#accounts.delete(accountId);
  }

  /** When something of an account is due next; undefined: never. Held actions count as due at once. */
  nextDueAt(accountId: string): Instant | undefined {
    const entry = this.#entry(accountId);
    return accountDueAt(this.#rules, entry.state, (id) => entry.reservationsByCluster.get(id) ?? []);
  }

  /** The accounts that have changed since this was asked last. */
  takeDirty(): readonly string[] {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    return dirty;
  }

  /** What is kept of the partition as a whole. */
  encodePartition(): string {
    return encodeState(this.#state);
  }

  /** Puts back what `encodePartition` wrote. @throws UnreadableState */
  putPartition(text: string): void {
    this.#state = decodePartition(text);
    this.#supervision = this.#supervise();
  }

  #applyUpdate(update: BalanceUpdate, emit: Emit, record: RecordDrop): void {
    const { accountId, sequence, clock, origin } = update;
    const last = this.#accounts.get(accountId)?.state.updateSequence ?? 0;
    if (sequence <= last) return;
    if (sequence !== last + 1) {
      throw new UpdateGap(`account ${accountId}: update ${sequence} came after ${last} (partition ${this.#partition})`);
    }
    if (clock < this.#state.clock) {
      throw new TimeWentBack(`account ${accountId}: update ${sequence} at ${clock} came after ${this.#state.clock}`);
    }
    this.#state.clock = clock;
    this.#carryOutUntil(origin === 'event' ? clock : clock - 1, emit, record);
    const entry = this.#accounts.get(accountId) ?? this.#open(accountId);
    const known = this.#schedule.known(entry);
    const commands: Command[] = [];
    const touched = applyUpdate(
      this.#turn(entry, clock, (command) => commands.push(command), record),
      update,
    );
    for (const command of commands.sort(compareIssued)) emit(command);
    for (const resource of touched) this.#schedule.setResource(entry, resource);
    this.#schedule.setNotices(entry);
    this.#schedule.takeOff(entry, known);
    this.#touched.add(entry);
  }

  #open(accountId: string): Entry {
    const entry = entryOf(newAccount(accountId));
    this.#accounts.set(accountId, entry);
    this.#state.accounts += 1;
    return entry;
  }

  /** X: in order of time; at one instant by account, kind of resource and id. */
  #carryOutUntil(until: Instant, emit: Emit, record: RecordDrop): void {
    let lastKey = '';
    let repeats = 0;
    for (let due = this.#schedule.take(until); due !== undefined; due = this.#schedule.take(until)) {
      const { at, accountId, kind, id } = due;
      const key = `${at}/${accountId}/${kind}/${id}`;
      repeats = key === lastKey ? repeats + 1 : 0;
      lastKey = key;
      if (repeats > CARRY_OUTS_MAX) throw new EndlessDue(`partition ${this.#partition}: ${key}`);
      const entry = this.#entry(accountId);
      carryOutDue(this.#turn(entry, at, emit, record), kind, id);
      this.#schedule.set(entry, kind, id);
      this.#touched.add(entry);
    }
  }

  /** N9, N11: actions of accounts that are not held any more are due anew, by account. */
  #releaseAll(emit: Emit, record: RecordDrop): void {
    const held = [...this.#accounts.values()].filter(({ state }) => state.held !== undefined);
    for (const entry of held.sort((left, right) => compareText(left.state.accountId, right.state.accountId))) {
      const { state } = entry;
      const freshSince = state.held?.freshSince;
      const supervision = this.#supervision;
      const released = this.#live ? supervision.mayRelease(state) : supervision.mayReleaseWithoutClock(state);
      if (released || state.held?.freshSince !== freshSince) this.#dirty.add(state.accountId);
      if (!released) continue;
      releaseHeld(this.#turn(entry, this.#state.clock, emit, record));
      this.#schedule.setAll(entry);
      this.#touched.add(entry);
    }
  }

  #turn(entry: Entry, at: Instant, send: Emit, record: RecordDrop): Turn {
    return {
      account: entry.state,
      at,
      rules: this.#rules,
      gate: this.#live ? this.#supervision : this.#supervision.withoutClock,
      reservationsOf: (clusterId) => entry.reservationsByCluster.get(clusterId) ?? [],
      reindex: () => {
        entry.reservationsByCluster = indexReservations(entry.state);
      },
      send,
      record,
    };
  }

  /** Notes what the accounts that were touched lead to, and sends the partition's own alerts. */
  #settle(emit: Emit): void {
    for (const { state } of this.#touched) {
      this.#dirty.add(state.accountId);
      if (this.#live) this.#watch(state);
    }
    this.#touched.clear();
    for (const alert of this.#supervision.takeAlerts()) emit(alert);
  }

  /** N9, N11: what the gate asks of an account: when its next action is due, and when what that rests on was published. */
  #watch(state: AccountState): void {
    const dueAt = actionDueAt(state);
    if (dueAt === undefined) this.#actionDueAt.delete(state.accountId);
    else this.#actionDueAt.set(state.accountId, dueAt);
    if (state.published.size === 0) return;
    const resting = noticeIds(state);
    for (const commandId of state.published.keys()) if (!resting.has(commandId)) state.published.delete(commandId);
  }

  #supervise(): Supervision {
    return new Supervision(this.#partition, this.#rules, this.#state.supervision, {
      clock: () => this.#state.clock,
      accounts: () => this.#state.accounts,
      accountsDueBy: (at, accountId) => this.#accountsDueBy(at, accountId),
    });
  }

  #accountsDueBy(at: Instant, accountId: string): number {
    let count = this.#actionDueAt.has(accountId) ? 0 : 1;
    for (const [id, dueAt] of this.#actionDueAt) if (dueAt <= at || id === accountId) count += 1;
    return count;
  }

  #entry(accountId: string): Entry {
    const entry = this.#accounts.get(accountId);
    if (entry === undefined) throw new AccountNotLoaded(`account ${accountId} (partition ${this.#partition})`);
    return entry;
  }
}

function ignoreDrop(): void {}

/** The order of one step: the account's alerts, then by kind of resource and id; of one resource as they were issued. */
function compareIssued(left: Command, right: Command): number {
  return (
    Number(right.resource.kind === 'account') - Number(left.resource.kind === 'account') ||
    compareText(left.resource.kind, right.resource.kind) ||
    compareText(left.resource.id, right.resource.id)
  );
}
