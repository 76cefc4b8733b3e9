import type { BalanceUpdate, ReservationFacts } from '../../../services/shared/contracts/balance-update.ts';
import type { Command, PlannedAction } from '../../../services/shared/contracts/command.ts';
import type { Policy } from '../../../services/shared/contracts/policy.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../../services/shared/time.ts';
import {
  clusterFacts,
  endRemoves,
  exhausted,
  holding,
  isActive,
  toBegin,
  uncovered,
  type View,
  viewAfter,
} from './views.ts';
import type { Input } from './world.ts';

interface Coming {
  readonly noticeId: string;
  readonly steps: readonly PlannedAction[];
  readonly waiting: boolean;
}

interface Ordered {
  readonly command: Command;
  readonly firstAt: Instant;
  readonly overdueAt: Instant;
}

/** What a consumer that obeys knows of a resource. */
interface Told {
  paused: { burned: bigint } | undefined;
  revoked: boolean;
  order: Ordered | undefined;
}

interface Account {
  view: View | undefined;
  before: View | undefined;
  readonly coming: Map<string, Coming>;
  readonly told: Map<string, Told>;
  readonly ends: Map<string, ReservationFacts>;
  readonly notices: Map<string, Set<Instant>>;
  restoredAt: number;
  /** What was due and fit, as `notice/resource/command@time`, and what was issued without being so. */
  readonly expected: Set<string>;
  readonly unexplained: Map<string, string>;
  /** What the clusters resumed on this update burned. */
  resumedBurn: bigint;
  /** The update at hand changed `reservation_end_notices`. */
  newTimes: boolean;
  readonly low: Map<number, { readonly at: Instant; above: boolean }>;
}

/**
 * Judges what an enforcement makes of a history: L1-L6, and that what was announced, is due or goes on is not forgotten. It
 * reads the updates by itself and shares no code with the enforcer; between two inputs nothing is known to change.
 */
export class Laws {
  readonly broken: string[] = [];
  readonly #accounts = new Map<string, Account>();
  readonly #ids = new Set<string>();
  readonly #acts = new Set<string>();
  readonly #sequences = new Map<string, number>();
  readonly #alerts = new Map<string, { readonly command: Command; readonly index: number; readonly step: number }>();
  #index = 0;
  #step = 0;
  #lastIssuedAt: Instant = 0;
  /** What was due up to here was judged. */
  #doneUntil: Instant = 0;

  /** Judges one input and what was issued on it, in the order of issue. */
  step(input: Input, commands: readonly Command[]): void {
    this.#step += 1;
    const until = input.kind === 'update' && input.origin === 'instant' ? input.clock - 1 : input.clock;
    const early = commands.filter((command) => command.issuedAt < input.clock);
    for (const at of [...new Set(early.map((command) => command.issuedAt))]) {
      const then = early.filter((command) => command.issuedAt === at);
      this.#expect(at, then);
      for (const command of then) this.#judge(command, input);
    }
    const late = commands.filter((command) => command.issuedAt >= input.clock);
    this.#expect(until, late);
    this.#doneUntil = Math.max(this.#doneUntil, until);
    if (input.kind === 'update') this.#take(input);
    for (const command of late) this.#judge(command, input);
    if (input.kind === 'update') this.#settle(this.#account(input.accountId), input, late);
    for (const account of this.#accounts.values()) {
      for (const commandId of account.unexplained.values()) this.#break('N4', `not due: ${commandId}`);
      account.unexplained.clear();
      account.expected.clear();
    }
  }

  #expect(until: Instant, commands: readonly Command[]): void {
    for (const [id, account] of this.#accounts) {
      const own = commands.filter((command) => command.accountId === id);
      this.#expectEnds(account, until, own);
      this.#expectComing(account, until, own);
      this.#expectLooks(account, until, own);
      this.#expectNotices(account, until, own);
    }
  }

  #break(law: string, what: string): void {
    this.broken.push(`${law}: ${what}`);
  }

  #account(id: string): Account {
    const known = this.#accounts.get(id);
    if (known !== undefined) return known;
    const account: Account = {
      view: undefined,
      before: undefined,
      coming: new Map(),
      told: new Map(),
      ends: new Map(),
      notices: new Map(),
      restoredAt: -1,
      expected: new Set(),
      unexplained: new Map(),
      resumedBurn: 0n,
      newTimes: false,
      low: new Map(),
    };
    this.#accounts.set(id, account);
    return account;
  }

  #take(update: BalanceUpdate): void {
    const account = this.#account(update.accountId);
    account.before = account.view;
    account.view = viewAfter(account.view, update);
    const timesBefore = JSON.stringify(account.before?.update.policy.reservationEndNoticesMs);
    account.newTimes =
      account.before !== undefined && timesBefore !== JSON.stringify(update.policy.reservationEndNoticesMs);
    for (const facts of update.reservations) {
      const known = account.ends.get(facts.reservationId);
      if (facts.endsAt > update.clock || known !== undefined) account.ends.set(facts.reservationId, facts);
      if (known?.revision !== facts.revision) this.#planNotices(account, update, facts);
    }
  }

  #planNotices(account: Account, update: BalanceUpdate, facts: ReservationFacts): void {
    account.notices.delete(facts.reservationId);
    if (!facts.charged || facts.endsAt <= Math.max(update.clock, facts.startsAt)) return;
    const times = update.policy.reservationEndNoticesMs.map((ms) => Math.max(facts.endsAt - ms, update.clock));
    account.notices.set(facts.reservationId, new Set(times));
  }

  /** What a command says, and whether it may be said now. */
  #judge(command: Command, input: Input): void {
    const { accountId, resource, commandId } = command;
    const account = this.#account(accountId);
    const key = `${resource.kind}/${resource.id}`;
    this.#index += 1;
    if (this.#ids.has(commandId)) this.#break('N8', `id twice: ${commandId}`);
    this.#ids.add(commandId);
    const sequenceKey = `${accountId}/${key}`;
    if (command.sequence <= (this.#sequences.get(sequenceKey) ?? 0)) this.#break('N8', `sequence falls: ${commandId}`);
    this.#sequences.set(sequenceKey, command.sequence);
    if (command.issuedAt < this.#lastIssuedAt) this.#break('X', `time falls: ${commandId}`);
    this.#lastIssuedAt = command.issuedAt;
    if (command.issuedAt > input.clock) this.#break('X', `before its time: ${commandId}`);
    if (command.command === 'alert') {
      this.#alert(account, command, viewsOf(account, command, input));
      return;
    }
    const act = `${accountId}/${command.noticeId}/${key}/${command.command}/${command.scope}/${command.attempt}`;
    if (command.noticeId !== undefined && this.#acts.has(act)) this.#break('L5', act);
    this.#acts.add(act);
    const views = viewsOf(account, command, input);
    if (!views.some((view) => this.#mayBe(account, command, view) === undefined)) {
      const why = views.map((view) => this.#mayBe(account, command, view)).find((text) => text !== undefined);
      this.#break(why ?? 'L1', commandId);
    }
    this.#obey(account, command, views);
  }

  /** The law that a command breaks as a view has it, or undefined. */
  #mayBe(account: Account, command: Command, view: View): string | undefined {
    const { resource, issuedAt, reason, scope } = command;
    const key = `${resource.kind}/${resource.id}`;
    const told = account.told.get(key);
    const holds = resource.kind === 'cluster' ? holding(view, resource.id, issuedAt) : [];
    switch (command.command) {
      case 'resume':
        if (told?.paused === undefined && told?.order === undefined) return 'N5 resumed what was not ordered';
        if (reason === 'reserved') return holds.length > 0 ? undefined : 'N5 not reserved';
        return exhausted(view) ? 'N5 resumed without credit' : undefined;
      case 'restore':
        if (told?.revoked !== true) return 'N5 restored what was not revoked';
        return exhausted(view) ? 'N5 restored without credit' : undefined;
      case 'pause':
      case 'revoke':
      case 'decommission':
        break;
      case 'alert':
        return undefined;
    }
    const notice = this.#alerts.get(command.noticeId ?? '');
    if (notice === undefined || notice.command.accountId !== command.accountId) return 'L1 no notice';
    if (scope === 'cluster' && holds.length > 0) return 'L2 reserved';
    if (scope === 'burst') {
      const keep = new Map<string, number>();
      for (const { gpuType, gpus } of holds) keep.set(gpuType, (keep.get(gpuType) ?? 0) + gpus);
      if (keep.size === 0) return 'L2 burst of what is not reserved';
      if (JSON.stringify([...keep].sort()) !== JSON.stringify([...(command.keep ?? [])].sort())) return 'L2 keep';
      if (command.gpus !== uncovered(view, resource.id) || command.gpus === 0) return 'K gpus';
    }
    if (reason === 'reservation_ended') {
      const of = account.ends.get(notice.command.resource.id) ?? { clusterId: resource.id };
      if (notice.command.alert !== 'reservation_ending' || of.clusterId !== resource.id) return 'L1 other notice';
      return undefined;
    }
    if (!exhausted(view)) return 'L4 not exhausted';
    if (notice.index < account.restoredAt) return 'L4 planned before the restoration';
    const named = notice.command.detail?.actions?.find(
      (action) =>
        action.command === command.command &&
        action.scope === scope &&
        action.resource.kind === resource.kind &&
        action.resource.id === resource.id,
    );
    if (named === undefined) return 'L1 not named by its notice';
    if (issuedAt < named.at) return 'L1 earlier than announced';
    if (scope === 'cluster' && command.command === 'decommission') {
      if (told?.paused === undefined) return 'L3 not paused first';
      if (toBegin(view, resource.id, issuedAt)) return 'N4 a reservation is to begin';
    }
    if (scope === 'volume' && command.command === 'decommission' && told?.revoked !== true)
      return 'L3 not revoked first';
    const stops = command.command === 'pause' || command.command === 'revoke';
    if (stops && !isActive(view, key)) return 'N4 idle';
    return undefined;
  }

  #alert(account: Account, command: Command, views: readonly View[]): void {
    const view = views[0];
    this.#alerts.set(command.commandId, { command, index: this.#index, step: this.#step });
    if (command.alert === 'credits_restored') account.restoredAt = this.#index;
    if (command.alert === 'reservation_ending') {
      const times = account.notices.get(command.resource.id);
      const early = account.expected.delete(`${command.resource.id}@${command.issuedAt}`);
      if (!early && !(times?.delete(command.issuedAt) ?? false) && !account.newTimes) {
        this.#break('N6', `alert of ${command.resource.id} at no time for one`);
      }
    }
    if (command.alert !== 'credits_exhausted' && command.alert !== 'resource_unfunded') return;
    for (const action of command.detail?.actions ?? []) {
      const key = `${action.resource.kind}/${action.resource.id}`;
      const order = account.told.get(key)?.order?.command;
      if (order !== undefined && order.noticeId !== command.commandId) {
        const holds = view !== undefined && holding(view, action.resource.id, command.issuedAt).length > 0;
        const lapsed = order.scope === 'burst' ? !holds : holds;
        if (!lapsed) this.#break('N3', `notice of what was ordered: ${key}`);
      }
      let known = account.coming.get(key);
      const next = known?.steps[0];
      if (known?.waiting === true && next !== undefined && view !== undefined) {
        if (this.#fitness(account, view, key, { ...next, at: command.issuedAt }) === 'unfit') known = undefined;
      }
      if (known !== undefined && known.noticeId !== command.commandId) this.#break('N3', `second notice of ${key}`);
      const steps = known?.noticeId === command.commandId ? [...known.steps, action] : [action];
      account.coming.set(key, { noticeId: command.commandId, steps, waiting: false });
      const stopped = account.told.get(key)?.paused !== undefined;
      const afterMs = views.map((one) => noticeMsOf(action, one.update.policy, stopped));
      if (!afterMs.includes(action.at - command.issuedAt)) this.#break('N3', `times of ${key}: ${action.command}`);
    }
  }

  #obey(account: Account, command: Command, views: readonly View[]): void {
    const { resource, issuedAt } = command;
    const key = `${resource.kind}/${resource.id}`;
    const told = account.told.get(key) ?? { paused: undefined, revoked: false, order: undefined };
    account.told.set(key, told);
    if (command.command === 'resume' || command.command === 'restore') {
      if (command.reason === 'credits_restored') account.resumedBurn += told.paused?.burned ?? 0n;
      account.told.delete(key);
      const coming = this.#alerts.get(account.coming.get(key)?.noticeId ?? '');
      if (command.reason === 'reserved' && !(coming?.step === this.#step && coming.command.issuedAt === issuedAt))
        account.coming.delete(key);
      return;
    }
    if (command.attempt === 1) {
      const due = `${command.noticeId}/${key}/${command.command}`;
      if (command.reason === 'credits_exhausted' && !account.expected.delete(due)) {
        account.unexplained.set(due, command.commandId);
      }
      const waited = account.coming.get(key)?.waiting === true;
      const view = waited ? views[0] : views.at(-1);
      const burned = view === undefined ? 0n : (clusterFacts(view, resource.id)?.burnRateNanos ?? 0n);
      if (command.command === 'pause') told.paused = { burned };
      if (command.command === 'revoke') told.revoked = true;
      const overdueAfterMs = view?.update.policy.overdueAfterMs ?? 0;
      told.order = { command, firstAt: issuedAt, overdueAt: issuedAt + overdueAfterMs };
    } else {
      const { order } = told;
      if (order?.command.attempt !== command.attempt - 1) this.#break('N7', `attempt ${command.commandId}`);
      if (order === undefined) return;
      if (order.command.noticeId !== command.noticeId) this.#break('N7', `other notice ${command.commandId}`);
      if (issuedAt < order.overdueAt || (issuedAt - order.overdueAt) % HOUR_MS !== 0) {
        this.#break('N7', `off the hour: ${command.commandId}`);
      }
      const alerted = command.attempt === 2 || command.attempt === 3 || command.attempt % 24 === 0;
      const alertId = [...this.#alerts.values()].some(
        (alert) =>
          alert.command.alert === 'enforcement_overdue' &&
          alert.command.accountId === command.accountId &&
          alert.command.resource.id === resource.id &&
          alert.command.issuedAt === issuedAt,
      );
      if (alerted !== alertId) this.#break('N7', `alert before attempt ${command.attempt}: ${command.commandId}`);
      told.order = { ...order, command };
    }
    if (command.reason === 'reservation_ended') {
      account.coming.delete(key);
      told.paused = undefined;
    }
  }

  /** N6: each end that decommissions does, and no other. */
  #expectEnds(account: Account, until: Instant, commands: readonly Command[]): void {
    const { view } = account;
    if (view === undefined) return;
    const due = [...account.ends.values()].filter((facts) => facts.endsAt <= until);
    for (const facts of due) account.ends.delete(facts.reservationId);
    const expected = new Set<string>();
    for (const facts of due) {
      const others = view.update.reservations.filter((other) => other.clusterId === facts.clusterId);
      if (endRemoves(view, facts, others, facts.endsAt)) expected.add(`${facts.clusterId}@${facts.endsAt}`);
    }
    const issued = commands.filter((one) => one.reason === 'reservation_ended' && one.attempt === 1);
    for (const command of issued) {
      if (!expected.delete(`${command.resource.id}@${command.issuedAt}`))
        this.#break('N6', `undue ${command.commandId}`);
    }
    for (const missing of expected) this.#break('N6', `missing decommission of ${missing}`);
  }

  /** N3, N4: what was announced is carried out at its time, waits while idle, or is dropped for a reason. */
  #expectComing(account: Account, until: Instant, commands: readonly Command[]): void {
    const { view } = account;
    if (view === undefined) return;
    for (const [key, coming] of [...account.coming]) {
      let { steps, waiting } = coming;
      for (let next = steps[0]; next !== undefined; next = steps[0]) {
        const dueAt = waiting ? next.at + DAY_MS : next.at;
        if (dueAt > until) break;
        if (waiting) {
          steps = [];
          break;
        }
        const ended = commands.some(
          (one) => one.reason === 'reservation_ended' && `cluster/${one.resource.id}` === key && one.issuedAt <= dueAt,
        );
        const verdict = ended ? 'unfit' : this.#fitness(account, view, key, next);
        if (verdict === 'idle') waiting = true;
        else if (verdict === 'unfit') steps = [];
        else {
          const at = next.at;
          const done = commands.some(
            (one) =>
              one.noticeId === coming.noticeId &&
              `${one.resource.kind}/${one.resource.id}` === key &&
              one.command === next?.command &&
              one.issuedAt === at,
          );
          account.expected.add(`${coming.noticeId}/${key}/${next.command}`);
          if (!done) this.#break('N4', `not carried out: ${next.command} of ${key} at ${at}`);
          if (next.command === 'pause') this.#told(account, key).paused = { burned: 0n };
          if (next.command === 'revoke') this.#told(account, key).revoked = true;
          steps = steps.slice(1);
        }
      }
      if (steps.length === 0) account.coming.delete(key);
      else account.coming.set(key, { ...coming, steps, waiting });
    }
  }

  #told(account: Account, key: string): Told {
    const told = account.told.get(key) ?? { paused: undefined, revoked: false, order: undefined };
    account.told.set(key, told);
    return told;
  }

  #fitness(account: Account, view: View, key: string, next: PlannedAction): 'fit' | 'idle' | 'unfit' {
    if (!exhausted(view)) return 'unfit';
    const told = account.told.get(key);
    const { id } = next.resource;
    const holds = next.resource.kind === 'cluster' && holding(view, id, next.at).length > 0;
    if (next.scope === 'burst') return holds && uncovered(view, id) > 0 ? 'fit' : 'unfit';
    if (holds) return 'unfit';
    if (next.command === 'decommission') {
      if (next.scope === 'volume') return told?.revoked === true ? 'fit' : 'unfit';
      return told?.paused !== undefined && !toBegin(view, id, next.at) ? 'fit' : 'unfit';
    }
    return isActive(view, key) ? 'fit' : 'idle';
  }

  /** N7: an order that stands and did not take is sent again at each look. */
  #expectLooks(account: Account, until: Instant, commands: readonly Command[]): void {
    const { view } = account;
    if (view === undefined) return;
    for (const [key, { order }] of account.told) {
      if (order === undefined || order.command.command === 'revoke') continue;
      const { resource, scope, reason } = order.command;
      if (reason === 'credits_exhausted' && !exhausted(view)) continue;
      const going = scope === 'burst' ? uncovered(view, resource.id) > 0 : isActive(view, key);
      const removal = scope === 'cluster' && reason === 'credits_exhausted' && order.command.command === 'decommission';
      const of = (one: Command) => `${one.resource.kind}/${one.resource.id}` === key && one.command !== 'alert';
      const replacedAt = commands.find((one) => of(one) && one.attempt === 1)?.issuedAt ?? Number.POSITIVE_INFINITY;
      for (let at = order.overdueAt; at <= until && at < replacedAt; at += HOUR_MS) {
        if (at <= this.#doneUntil) continue;
        if (at <= order.command.issuedAt) continue;
        const goesOn = going && !(removal && toBegin(view, resource.id, at));
        const sent = commands.some((one) => of(one) && one.issuedAt === at);
        if (goesOn !== sent) this.#break('N7', `${goesOn ? 'not sent again' : 'sent again'}: ${key} at ${at}`);
      }
    }
  }

  /** N6: each alert before an end comes at its time. */
  #expectNotices(account: Account, until: Instant, commands: readonly Command[]): void {
    for (const [id, times] of account.notices) {
      for (const at of times) {
        if (at > until) continue;
        times.delete(at);
        account.expected.add(`${id}@${at}`);
        const sent = commands.some(
          (one) => one.alert === 'reservation_ending' && one.resource.id === id && one.issuedAt === at,
        );
        if (!sent) this.#break('N6', `no alert before the end of ${id} at ${at}`);
      }
    }
  }

  /** What has to be true once an update was taken. */
  #settle(account: Account, update: BalanceUpdate, commands: readonly Command[]): void {
    const { view, before } = account;
    if (view === undefined) return;
    this.#settleConfirmed(account, update);
    this.#settleLow(account, update, commands);
    const own = commands.filter((one) => one.accountId === update.accountId && one.issuedAt === update.clock);
    this.#settleNotices(account, update, own);
    this.#settleWaiting(account, view, update, own);
    if (exhausted(view)) {
      if (before === undefined || !exhausted(before)) {
        if (!own.some((one) => one.alert === 'credits_exhausted')) this.#break('N3', 'no alert of an exhaustion');
      }
      this.#settleListed(account, view, update);
    } else {
      this.#settleRestored(account, view, before, own);
    }
    this.#settleReserved(account, view, update);
    account.resumedBurn = 0n;
  }

  /** N2: one alert for the shortest threshold newly passed, if it may alert again. */
  #settleLow(account: Account, update: BalanceUpdate, commands: readonly Command[]): void {
    const { policy, balanceNanos, burnRateNanos, clock } = update;
    for (const [ms, last] of account.low) {
      const line = (11n * BigInt(ms) * burnRateNanos) / 10n;
      if (burnRateNanos > 0n && balanceNanos * BigInt(HOUR_MS) > line) last.above = true;
    }
    const before = account.before?.update.passedMs ?? [];
    const fresh = update.passedMs.filter((ms) => !before.includes(ms)).sort((a, b) => a - b)[0];
    const last = fresh === undefined ? undefined : account.low.get(fresh);
    const quiet = last !== undefined && !last.above && clock < last.at + policy.realertAfterMs;
    const expected = fresh === undefined || quiet ? [] : [fresh];
    const alerts = commands.filter((one) => one.alert === 'credits_low' && one.accountId === update.accountId);
    const told = alerts.map((one) => one.detail?.thresholdMs);
    if (JSON.stringify(told) !== JSON.stringify(expected)) this.#break('N2', `alerted ${told}, expected ${expected}`);
    if (fresh !== undefined && !quiet) account.low.set(fresh, { at: clock, above: false });
  }

  /** What the control plane has decommissioned begins anew; what was due at that very time came before. */
  #settleConfirmed(account: Account, update: BalanceUpdate): void {
    for (const facts of update.resources) {
      const key = `${facts.kind}/${facts.id}`;
      const before = account.before?.resources.get(key);
      if (facts.decommissionedAt === undefined) continue;
      if (facts.decommissionedAt === before?.decommissionedAt && facts.active) continue;
      if (facts.decommissionedAt !== before?.decommissionedAt || facts.since === facts.decommissionedAt) {
        account.coming.delete(key);
        account.told.delete(key);
      }
    }
  }

  #settleNotices(account: Account, update: BalanceUpdate, own: readonly Command[]): void {
    if (account.newTimes) {
      for (const facts of update.reservations) {
        const times = account.notices.get(facts.reservationId);
        if (times === undefined) continue;
        const coming = update.policy.reservationEndNoticesMs.map((ms) => facts.endsAt - ms);
        account.notices.set(facts.reservationId, new Set(coming.filter((at) => at > update.clock)));
      }
    }
    if (update.origin === 'instant') return;
    for (const [id, times] of account.notices) {
      if (times.has(update.clock) && !own.some((one) => one.resource.id === id)) {
        this.#break('N6', `no alert at once of the end of ${id}`);
      }
      times.delete(update.clock);
    }
  }

  #settleWaiting(account: Account, view: View, update: BalanceUpdate, own: readonly Command[]): void {
    for (const [key, coming] of [...account.coming]) {
      const next = coming.steps[0];
      if (!coming.waiting || next === undefined || !exhausted(view) || !isActive(view, key)) continue;
      if (this.#fitness(account, view, key, { ...next, at: update.clock }) !== 'fit') {
        account.coming.delete(key);
        continue;
      }
      if (!own.some((one) => one.noticeId === coming.noticeId && one.command === next.command)) {
        this.#break('N4', `not carried out when active again: ${key}`);
      }
      account.unexplained.delete(`${coming.noticeId}/${key}/${next.command}`);
      const byMs = update.clock - next.at;
      const steps = coming.steps.slice(1).map((step) => ({ ...step, at: step.at + byMs }));
      if (steps.length === 0) account.coming.delete(key);
      else account.coming.set(key, { ...coming, steps, waiting: false });
    }
  }

  /** N3: whatever is listed has something coming, or was ordered. */
  #settleListed(account: Account, view: View, update: BalanceUpdate): void {
    for (const [key, facts] of view.resources) {
      const told = account.told.get(key);
      if (
        facts.kind === 'cluster' &&
        update.reservations.some((r) => r.clusterId === facts.id && r.endsAt <= update.clock)
      )
        continue;
      if ([...account.ends.values()].some((r) => r.clusterId === facts.id && r.endsAt <= update.clock)) continue;
      const holds = facts.kind === 'cluster' && holding(view, facts.id, update.clock).length > 0;
      const listed = holds ? uncovered(view, facts.id) > 0 : facts.active;
      if (!listed || account.coming.has(key) || told?.order !== undefined) continue;
      if (told?.paused !== undefined && toBegin(view, facts.id, update.clock)) continue;
      this.#break('N3', `forgotten: ${key} at ${update.clock}`);
    }
  }

  #settleRestored(account: Account, view: View, before: View | undefined, own: readonly Command[]): void {
    const restored = before !== undefined && exhausted(before);
    if (restored && !own.some((one) => one.alert === 'credits_restored'))
      this.#break('N5', 'no alert of a restoration');
    account.coming.clear();
    let burned = 0n;
    for (const [key, told] of [...account.told]) {
      if (told.revoked) this.#break('N5', `not restored: ${key}`);
      if (told.order?.command.reason === 'credits_exhausted') told.order = undefined;
      if (told.paused !== undefined) burned += told.paused.burned;
      if (told.paused === undefined && told.order === undefined) account.told.delete(key);
    }
    const paused = [...account.told.values()].some((told) => told.paused !== undefined);
    const { balanceNanos, policy } = view.update;
    if (paused && balanceNanos * BigInt(HOUR_MS) >= burned * BigInt(policy.resumeRunwayMs)) {
      this.#break('N5', 'not resumed although the balance covers it');
    }
    if (balanceNanos * BigInt(HOUR_MS) < account.resumedBurn * BigInt(policy.resumeRunwayMs)) {
      this.#break('N5', 'resumed although the balance does not cover it');
    }
    for (const one of own) {
      if (one.command === 'resume' && one.reason === 'credits_restored' && paused)
        this.#break('N5', 'not all together');
    }
  }

  #settleReserved(account: Account, view: View, update: BalanceUpdate): void {
    for (const [key, told] of [...account.told]) {
      const id = key.slice('cluster/'.length);
      if (!key.startsWith('cluster/')) continue;
      const holds = holding(view, id, update.clock).length > 0;
      if (holds && (told.paused !== undefined || told.order?.command.scope === 'cluster')) {
        this.#break('N5', `reserved and not resumed: ${key}`);
      }
      if (!holds && told.order?.command.scope === 'burst') told.order = undefined;
    }
  }
}

/** What was known when a command was issued: before its time came, or also what the very update says that came then. */
function viewsOf(account: Account, command: Command, input: Input): readonly View[] {
  const own = input.kind === 'update' && input.accountId === command.accountId;
  const views = own && command.issuedAt === input.clock ? [account.view, account.before] : [account.view];
  return views.filter((view) => view !== undefined);
}

/** N1: how long after its notice an action comes. */
function noticeMsOf(action: PlannedAction, policy: Policy, stopped: boolean): number {
  if (action.command === 'pause') return policy.pauseAfterMs;
  if (action.command === 'revoke') return policy.revokeAfterMs;
  if (action.scope === 'burst') return policy.burstDecommissionAfterMs;
  if (action.scope === 'volume') return policy.revokeAfterMs + policy.decommissionRevokedAfterMs;
  return policy.decommissionPausedAfterMs + (stopped ? 0 : policy.pauseAfterMs);
}
