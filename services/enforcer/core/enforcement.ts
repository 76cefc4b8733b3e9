import type { BalanceUpdate, Watermark } from '../../shared/contracts/balance-update.ts';
import type { Command, PlannedAction } from '../../shared/contracts/command.ts';
import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import { applyUpdate } from './apply-update.ts';
import { carryOutDue } from './carry-out.ts';
import { decodeAccount, decodeState, encodeAccount, encodeState, newAccount } from './codec.ts';
import { accountDueAt, noticeDueAt, resourceDueAt } from './due.ts';
import { DueQueue } from './due-queue.ts';
import { comingActions, standingOrders } from './orders.ts';
import { releaseHeld } from './release.ts';
import { RULES, type Rules } from './rules.ts';
import type { AccountState, Hold, ReservationState, ResourceState } from './state.ts';
import { newSupervision, OPEN_GATE, Supervision, type SupervisionState } from './supervision.ts';
import type { Drop, Turn } from './turn.ts';

/** B1: updates were lost on the way. The partition stops; its state is rebuilt from the kept updates. */
export class UpdateGap extends Error {
  override readonly name = 'UpdateGap';
}

/** X: time never goes back. The log's order was broken on the way. */
export class TimeWentBack extends Error {
  override readonly name = 'TimeWentBack';
}

/** An account is due or asked for that the shell has not put there. */
export class AccountNotLoaded extends Error {
  override readonly name = 'AccountNotLoaded';
}

/** What came due kept coming due at one instant: a fault of the rules. */
export class EndlessDue extends Error {
  override readonly name = 'EndlessDue';
}

/** A subject is carried out at most so often at one instant: its end, what is dropped for it, and what is announced anew. */
const CARRY_OUTS_MAX = 8;

export interface EnforcementOptions {
  readonly rules?: Rules;
  /** N9, N11: the wall clock is read, alerts are acknowledged, and operators may hold. In replay they are idle. */
  readonly live?: boolean;
}

export type Emit = (command: Command) => void;
/** N4: takes what was dropped. */
export type RecordDrop = (drop: Drop) => void;

interface Entry {
  readonly state: AccountState;
  reservationsByCluster: ReadonlyMap<string, readonly ReservationState[]>;
}

interface PartitionState {
  clock: Instant;
  /** N11: accounts of the partition, loaded or not. */
  accounts: number;
  readonly supervision: SupervisionState;
}

/**
 * N: the enforcer's fold of one partition. It takes balance updates and watermarks in their order and issues commands; all
 * that it does follows from its inputs (L10). Accounts may be encoded, taken out and put back between inputs.
 */
export class Enforcement {
  readonly #rules: Rules;
  readonly #live: boolean;
  readonly #partition: number;
  readonly #accounts = new Map<string, Entry>();
  readonly #due = new DueQueue();
  readonly #dirty = new Set<string>();
  /** N11: accounts with an action for want of credits coming, and when the next one is due. */
  readonly #actionDueAt = new Map<string, Instant>();
  #state: PartitionState;
  #supervision: Supervision;

  constructor(partition: number, options: EnforcementOptions = {}) {
    this.#partition = partition;
    this.#rules = options.rules ?? RULES;
    this.#live = options.live ?? false;
    this.#state = { clock: 0, accounts: 0, supervision: newSupervision() };
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
    this.#emitAlerts(emit);
  }

  /**
   * N9: takes a reading of the wall clock; what was held and may go on is due anew, and checked again.
   * @param wallAt integer milliseconds since 1970
   */
  observeWallClock(wallAt: Instant, emit: Emit, record: RecordDrop = ignoreDrop): void {
    if (!this.#live) return;
    this.#supervision.observe(wallAt);
    this.#releaseAll(emit, record);
    this.#emitAlerts(emit);
  }

  /** N9: an alert was really published, at `wallAt`. The first word counts; one that nothing rests on is forgotten. */
  notePublished(accountId: string, commandId: string, wallAt: Instant): void {
    const state = this.#accounts.get(accountId)?.state;
    if (state === undefined || !this.#live || state.published.has(commandId) || !restsOn(state, commandId)) return;
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
      for (const id of noticeIds(state)) this.notePublished(state.accountId, id, wallAt);
    }
  }

  /** N11: an operator holds the actions of one account, or of all. */
  hold(target: { readonly accountId: string } | 'all', hold: Hold): void {
    if (target === 'all') {
      this.#state.supervision.hold = hold;
    } else {
      this.#entry(target.accountId).state.hold = hold;
      this.#dirty.add(target.accountId);
    }
  }

  /** N11: an operator releases one account, or all (and the brake); what was held is due anew, and checked again. */
  release(target: { readonly accountId: string } | 'all', emit: Emit, record: RecordDrop = ignoreDrop): void {
    if (target === 'all') {
      this.#supervision.release();
    } else {
      this.#entry(target.accountId).state.hold = undefined;
      this.#dirty.add(target.accountId);
    }
    this.#releaseAll(emit, record);
    this.#emitAlerts(emit);
  }

  /** N11: who holds the partition, and whether its input is stale (N9). */
  holds(): { readonly hold: Hold | undefined; readonly brake: Hold | undefined; readonly suspended: boolean } {
    const { hold, brake, suspended } = this.#state.supervision;
    return { hold, brake, suspended };
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
    const state = decodeAccount(text);
    const entry = { state, reservationsByCluster: indexReservations(state) };
    this.#accounts.set(state.accountId, entry);
    this.#scheduleAll(entry);
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
    this.#state = decodeState(text) as PartitionState;
    this.#supervision = this.#supervise();
  }

  #applyUpdate(update: BalanceUpdate, emit: Emit, record: RecordDrop): void {
    const { accountId, sequence, clock, origin } = update;
    const known = this.#accounts.get(accountId)?.state.updateSequence ?? 0;
    if (sequence <= known) return;
    if (sequence !== known + 1) {
      throw new UpdateGap(
        `account ${accountId}: update ${sequence} came after ${known} (partition ${this.#partition})`,
      );
    }
    if (clock < this.#state.clock) {
      throw new TimeWentBack(`account ${accountId}: update ${sequence} at ${clock} came after ${this.#state.clock}`);
    }
    this.#state.clock = clock;
    this.#carryOutUntil(origin === 'event' ? clock : clock - 1, emit, record);
    const entry = this.#accounts.get(accountId) ?? this.#open(accountId);
    const { grants, reservations } = entry.state;
    const grantIds = [...grants.keys()];
    const clusterIds = new Map([...reservations].map(([id, { facts }]) => [id, facts.clusterId]));
    const commands: Command[] = [];
    const touched = applyUpdate(
      this.#turn(entry, clock, (command) => commands.push(command), record),
      update,
    );
    for (const command of commands.sort(compareIssued)) emit(command);
    for (const resource of touched) this.#scheduleResource(entry, resource);
    this.#scheduleNotices(entry);
    for (const id of grantIds) if (!grants.has(id)) this.#due.set(accountId, 'grant', id, undefined);
    for (const [id, clusterId] of clusterIds) {
      if (reservations.has(id)) continue;
      this.#due.set(accountId, 'reservation', id, undefined);
      this.#reschedule(entry, 'cluster', clusterId);
    }
    this.#touched(entry);
  }

  #open(accountId: string): Entry {
    const entry = { state: newAccount(accountId), reservationsByCluster: new Map() };
    this.#accounts.set(accountId, entry);
    this.#state.accounts += 1;
    return entry;
  }

  /** X: in order of time; at one instant by account, kind of resource and id. */
  #carryOutUntil(until: Instant, emit: Emit, record: RecordDrop): void {
    let lastKey = '';
    let repeats = 0;
    for (let due = this.#due.take(until); due !== undefined; due = this.#due.take(until)) {
      const { at, accountId, kind, id } = due;
      const key = `${at}/${accountId}/${kind}/${id}`;
      repeats = key === lastKey ? repeats + 1 : 0;
      lastKey = key;
      if (repeats > CARRY_OUTS_MAX) throw new EndlessDue(`partition ${this.#partition}: ${key}`);
      const entry = this.#entry(accountId);
      carryOutDue(this.#turn(entry, at, emit, record), kind, id);
      this.#reschedule(entry, kind, id);
      this.#touched(entry);
    }
  }

  /** N9, N11: actions of accounts that are not held any more are due anew, by account. */
  #releaseAll(emit: Emit, record: RecordDrop): void {
    const held = [...this.#accounts.values()].filter(({ state }) => state.held !== undefined);
    for (const entry of held.sort((left, right) => compareText(left.state.accountId, right.state.accountId))) {
      const { state } = entry;
      const freshSince = state.held?.freshSince;
      const released = this.#supervision.mayRelease(state);
      if (released || state.held?.freshSince !== freshSince) this.#dirty.add(state.accountId);
      if (!released) continue;
      releaseHeld(this.#turn(entry, this.#state.clock, emit, record));
      this.#scheduleAll(entry);
      this.#touched(entry);
    }
  }

  #turn(entry: Entry, at: Instant, send: Emit, record: RecordDrop): Turn {
    return {
      account: entry.state,
      at,
      rules: this.#rules,
      gate: this.#live ? this.#supervision : OPEN_GATE,
      reservationsOf: (clusterId) => entry.reservationsByCluster.get(clusterId) ?? [],
      reindex: () => {
        entry.reservationsByCluster = indexReservations(entry.state);
      },
      send,
      record,
    };
  }

  #touched(entry: Entry): void {
    const { state } = entry;
    this.#dirty.add(state.accountId);
    if (!this.#live) return;
    const dueAt = actionDueAt(state);
    if (dueAt === undefined) this.#actionDueAt.delete(state.accountId);
    else this.#actionDueAt.set(state.accountId, dueAt);
    for (const commandId of state.published.keys()) if (!restsOn(state, commandId)) state.published.delete(commandId);
  }

  #reschedule(entry: Entry, kind: 'cluster' | 'grant' | 'reservation' | 'volume', id: string): void {
    const { accountId, clusters, volumes, reservations, grants } = entry.state;
    if (kind === 'cluster' || kind === 'volume') {
      const resource = kind === 'cluster' ? clusters.get(id) : volumes.get(id);
      if (resource !== undefined) this.#scheduleResource(entry, resource);
      return;
    }
    const notices = (kind === 'reservation' ? reservations.get(id) : grants.get(id))?.notices;
    this.#due.set(accountId, kind, id, notices === undefined ? undefined : noticeDueAt(notices));
  }

  /** Sets when a resource is due next, or forgets it: one that is gone or idle, not ordered and unplanned goes away. */
  #scheduleResource(entry: Entry, resource: ResourceState): void {
    const { state } = entry;
    const reservations = resource.kind === 'cluster' ? (entry.reservationsByCluster.get(resource.id) ?? []) : [];
    const dueAt = resourceDueAt(this.#rules, resource, reservations);
    this.#due.set(state.accountId, resource.kind, resource.id, dueAt);
    if (reservations.length > 0 || !isForgettable(resource)) return;
    if (resource.kind === 'cluster') state.clusters.delete(resource.id);
    else state.volumes.delete(resource.id);
  }

  #scheduleNotices(entry: Entry): void {
    const { accountId, reservations, grants } = entry.state;
    for (const [id, { notices }] of reservations) this.#due.set(accountId, 'reservation', id, noticeDueAt(notices));
    for (const [id, { notices }] of grants) this.#due.set(accountId, 'grant', id, noticeDueAt(notices));
  }

  #scheduleAll(entry: Entry): void {
    const { clusters, volumes } = entry.state;
    for (const resource of [...clusters.values(), ...volumes.values()]) this.#scheduleResource(entry, resource);
    this.#scheduleNotices(entry);
    const dueAt = actionDueAt(entry.state);
    if (dueAt !== undefined) this.#actionDueAt.set(entry.state.accountId, dueAt);
  }

  #emitAlerts(emit: Emit): void {
    for (const alert of this.#supervision.takeAlerts()) emit(alert);
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

function indexReservations(state: AccountState): ReadonlyMap<string, readonly ReservationState[]> {
  const byCluster = new Map<string, ReservationState[]>();
  for (const reservation of state.reservations.values()) {
    const { clusterId } = reservation.facts;
    const of = byCluster.get(clusterId);
    if (of === undefined) byCluster.set(clusterId, [reservation]);
    else of.push(reservation);
  }
  for (const of of byCluster.values()) {
    of.sort((left, right) => compareText(left.facts.reservationId, right.facts.reservationId));
  }
  return byCluster;
}

function isForgettable(resource: ResourceState): boolean {
  const { facts, plan, order } = resource;
  if (plan !== undefined || order !== undefined) return false;
  if (resource.kind === 'cluster' && (resource.paused !== undefined || resource.facts?.provisioned === true))
    return false;
  return facts?.active !== true;
}

/** N11: when the next action for want of credits of an account is due; what waits or is held counts as due. */
function actionDueAt(state: AccountState): Instant | undefined {
  let next: Instant | undefined;
  for (const { plan } of [...state.clusters.values(), ...state.volumes.values()]) {
    if (plan !== undefined && (next === undefined || plan.steps[0].at < next)) next = plan.steps[0].at;
  }
  return next;
}

/** N9: whether something coming rests on an alert. */
function restsOn(state: AccountState, commandId: string): boolean {
  for (const id of noticeIds(state)) if (id === commandId) return true;
  return false;
}

/** N9: the alerts that something coming rests on. */
function* noticeIds(state: AccountState): Iterable<string> {
  for (const { plan } of state.clusters.values()) if (plan !== undefined) yield plan.noticeId;
  for (const { plan } of state.volumes.values()) if (plan !== undefined) yield plan.noticeId;
  for (const { notice } of state.reservations.values()) if (notice !== undefined) yield notice.id;
}
