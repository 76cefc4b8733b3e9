import { namedBy } from './announced.ts';
import type { AccountPast, View } from './past.ts';
import type { Action, Command } from './rows.ts';
import type { Versions } from './versions.ts';
import { viewAfter, viewBefore, viewsAt } from './views.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** What a plan leads to next: an action at an instant, none, or what the files alone do not tell. */
type Fate = { readonly kind: 'at'; readonly at: number } | { readonly kind: 'none' | 'unknown' };

const none: Fate = { kind: 'none' };
const unknown: Fate = { kind: 'unknown' };

/** N4: every action that was announced is carried out at its time, if it is then still what N3 says; N7: every repeat is sent. */
export function checkPlans(account: AccountPast, commands: readonly Command[], endsAt: number): readonly string[] {
  const laws = new PlanLaws(account, commands, endsAt);
  laws.judge();
  return laws.broken;
}

class PlanLaws {
  readonly broken: string[] = [];
  readonly #account: AccountPast;
  readonly #commands: readonly Command[];
  readonly #endsAt: number;

  constructor(account: AccountPast, commands: readonly Command[], endsAt: number) {
    this.#account = account;
    this.#commands = commands;
    this.#endsAt = endsAt;
  }

  judge(): void {
    for (const command of this.#commands) {
      if (command.alert === 'credits_exhausted' || command.alert === 'resource_unfunded') {
        for (const key of new Set(command.actions.map((action) => action.key))) this.#plan(command, key);
      }
      const ordered = command.command === 'pause' || command.command === 'decommission';
      if (ordered && command.attempt === 1) this.#repeats(command);
    }
  }

  #plan(notice: Command, key: string): void {
    let late = 0;
    for (const action of notice.actions.filter((one) => one.key === key)) {
      const fate = this.#fate(notice, { ...action, at: action.at + late });
      const got = this.#commands.find(
        (command) => command.noticeId === notice.id && command.attempt === 1 && namedBy(notice, command) === action,
      );
      if (fate.kind === 'unknown') return;
      if ((fate.kind === 'at' ? fate.at : undefined) !== got?.at) {
        const want = fate.kind === 'at' ? new Date(fate.at).toISOString() : 'never';
        this.broken.push(`N4: ${action.command} of ${key} announced by ${notice.id}: ${got?.at} instead of ${want}`);
      }
      if (got === undefined) return;
      late = got.at - action.at;
    }
  }

  #fate(notice: Command, action: Action): Fate {
    const { key, at, scope, command } = action;
    const ended = this.#ended(notice, key, at);
    if (at > this.#endsAt || ended === true) return none;
    const view = viewBefore(this.#account, at);
    if (view === undefined || ended === undefined) return unknown;
    const id = key.slice(key.indexOf('/') + 1);
    const now: Fate = { kind: 'at', at };
    if (scope === 'burst') return view.uncoveredGpus(id) > 0 && view.holds(id) ? now : none;
    if (scope === 'cluster' && view.holds(id)) return none;
    if (command === 'decommission') return scope === 'cluster' && view.begins(id) ? none : now;
    return view.active(key) ? now : this.#waits(notice, action);
  }

  /** N4: a pause or revoke that finds its resource idle waits up to 24 h for it. */
  #waits(notice: Command, { key, at, scope }: Action): Fate {
    for (const { step, clock } of this.#account.steps) {
      if (clock < at) continue;
      if (clock > Math.min(at + day, this.#endsAt)) break;
      const ended = this.#ended(notice, key, clock);
      if (ended === true || (goneOf(this.#account, key)?.at(step) ?? -1) > notice.at) return none;
      if (ended === undefined || clock === at + day) return unknown;
      const view = viewAfter(this.#account, step, clock);
      if (!view.exhausted) return none;
      if (!view.active(key)) continue;
      return scope === 'cluster' && view.holds(key.slice('cluster/'.length)) ? none : { kind: 'at', at: clock };
    }
    return none;
  }

  /** N5, N6, C6: whether what a notice announced of a resource has ended before `at`; undefined: it cannot be told. */
  #ended(notice: Command, key: string, at: number): boolean | undefined {
    const { transitions } = this.#account.books;
    const begins = transitions.findIndex(
      ({ exhausted }, index) =>
        exhausted && transitions.slice(0, index + 1).filter((one) => one.exhausted).length === notice.episode,
    );
    const restored = transitions[begins + 1];
    if (restored !== undefined && restored.at < at) return true;
    const gone = goneAt(this.#account, key).filter((clock) => clock >= notice.at && clock <= at);
    if (gone.some((clock) => clock > notice.at && clock < at)) return true;
    const others = this.#commands.filter(
      (command) =>
        command.key === key &&
        command.at >= notice.at &&
        command.at <= at &&
        (command.reason === 'reserved' || (command.reason === 'reservation_ended' && command.attempt === 1)),
    );
    if (others.some((command) => command.at > notice.at && command.at < at)) return true;
    if (others.some((command) => command.reason === 'reservation_ended' && command.at > notice.at)) return true;
    return gone.includes(notice.at) || others.length > 0 ? undefined : false;
  }

  #repeats(order: Command): void {
    const { key, command: name, scope, noticeId, reason, at } = order;
    const views = viewsAt(this.#account, at);
    const after = views[0]?.policy.overdueAfter;
    const lastStep = this.#account.steps.at(-1);
    if (after === undefined || lastStep === undefined || goneAt(this.#account, key).includes(at)) return;
    if (views.some(({ policy }) => policy.overdueAfter !== after)) return;
    const windows = this.#account.policy.all.map(({ activityWindow }) => activityWindow);
    const until = Math.min(this.#endsAt, lastStep.clock + Math.max(...windows) + 6 * minute);
    const want: number[] = [];
    const own = this.#commands.filter((command) => command.key === key && command.command !== 'alert');
    const next = own.find(
      (command) => command.index > order.index && (command.attempt === 1 || command.noticeId !== noticeId),
    );
    // What else comes at the instant of a look may come before or after it.
    const ends = next?.at ?? Number.POSITIVE_INFINITY;
    for (let look = at + after; look <= until && look < ends; look += hour) {
      if (goneAt(this.#account, key).some((clock) => clock > at && clock < look)) break;
      const view = viewBefore(this.#account, look);
      if (view === undefined || !this.#stands(order, look)) break;
      if (goesOn(view, order)) want.push(look);
    }
    const got = own
      .filter(
        (command) =>
          command.attempt > 1 && command.noticeId === noticeId && command.command === name && command.scope === scope,
      )
      .map((command) => command.at)
      .filter((look) => look <= until && look !== ends);
    const [wanted, sent] = [want, got].map((times) => times.map((time) => new Date(time).toISOString()).join());
    if (wanted !== sent) this.broken.push(`N7: ${order.id} (${reason}) was repeated at ${sent} instead of ${wanted}`);
  }

  /**
   * N7: whether an order still stands, as far as restorations and reservations say. One to shrink was due, so that it came
   * before all events of its instant: of these, too, none may have left the cluster without a reservation.
   */
  #stands({ at, reason, scope, resourceId }: Command, look: number): boolean {
    const { transitions } = this.#account.books;
    if (reason === 'credits_exhausted' && transitions.some((one) => !one.exhausted && one.at >= at && one.at < look))
      return false;
    if (scope !== 'burst') return true;
    const holds = (view: View | undefined) => view === undefined || view.holds(resourceId);
    const times = [...this.#account.steps.map(({ clock }) => clock), ...reservationEnds(this.#account)];
    const between = times.filter((time) => time >= at && time < look);
    return holds(viewBefore(this.#account, look)) && between.every((time) => viewsAt(this.#account, time).every(holds));
  }
}

function goesOn(view: View, { key, scope, command, reason, resourceId }: Command): boolean {
  if (scope === 'burst') return view.uncoveredGpus(resourceId) > 0;
  if (scope === 'cluster' && view.holds(resourceId)) return false;
  if (scope === 'cluster' && command === 'decommission' && reason === 'credits_exhausted' && view.begins(resourceId))
    return false;
  return view.active(key);
}

function reservationEnds(account: AccountPast): readonly number[] {
  return [...account.reservations.values()].flatMap(({ terms }) => terms.all.map(({ endsAt }) => endsAt));
}

function goneAt(account: AccountPast, key: string): readonly number[] {
  return goneOf(account, key)?.all ?? [];
}

function goneOf(account: AccountPast, key: string): Versions<number> | undefined {
  const id = key.slice(key.indexOf('/') + 1);
  return (key.startsWith('cluster/') ? account.clusters.get(id) : account.volumes.get(id))?.goneAt;
}
