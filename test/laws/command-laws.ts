import type { PriceEntry } from '../model/price-book.ts';
import { namedBy, unfundedActions } from './announced.ts';
import type { AccountPast, View } from './past.ts';
import type { Command } from './rows.ts';
import { decimal } from './rows.ts';
import { Orders, type Told } from './told.ts';
import { viewAfter, viewsAt } from './views.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** L1-L6 and what N2-N7 say of a single command: goes through the commands of one account in the order of issue. */
export class CommandLaws {
  readonly broken: string[] = [];
  readonly #account: AccountPast;
  readonly #prices: readonly PriceEntry[];
  readonly #orders: Orders;
  readonly #alerts = new Map<string, Command>();
  readonly #acts = new Set<string>();
  readonly #sequences = new Map<string, number>();
  #restored: Command | undefined;
  #episodes = 0;

  constructor(account: AccountPast, prices: readonly PriceEntry[]) {
    this.#account = account;
    this.#prices = prices;
    this.#orders = new Orders(account);
  }

  /** Judges all commands of the account. */
  judge(commands: readonly Command[]): void {
    for (const [index, command] of commands.entries()) {
      this.#order(command);
      const views = viewsAt(this.#account, command.at);
      if (command.command === 'alert') this.#alert(command, views, commands.slice(index + 1));
      else this.#command(command, views, commands[index - 1]);
    }
  }

  #break(law: string, command: Command, what: string): void {
    this.broken.push(`${law}: ${what}: ${command.id} at ${new Date(command.at).toISOString()}`);
  }

  /** L5, N8. */
  #order(command: Command): void {
    const { key, sequence, id, command: name, alert, scope, attempt, noticeId, episode } = command;
    if (sequence <= (this.#sequences.get(key) ?? 0)) this.#break('N8', command, 'its sequence does not rise');
    this.#sequences.set(key, sequence);
    if (alert !== undefined) {
      if (this.#alerts.has(id)) this.#break('L5', command, 'an alert twice');
      this.#alerts.set(id, command);
      return;
    }
    const cause = name === 'resume' || name === 'restore' ? `${episode}/${command.reason}/${command.at}` : noticeId;
    const act = [cause, key, name, scope, attempt].join(' ');
    if (this.#acts.has(act)) this.#break('L5', command, 'a second command of the same cause and attempt');
    this.#acts.add(act);
  }

  #command(command: Command, views: readonly View[], before: Command | undefined): void {
    const told = this.#orders.of(command.key, command.at);
    if (command.command === 'resume' || command.command === 'restore') {
      this.#release(command, views, told);
      Object.assign(told, { stopped: undefined, burned: undefined, first: undefined, sent: undefined, at: command.at });
      return;
    }
    this.#noticed(command, told);
    if (command.attempt > 1) this.#again(command, views, told, before);
    else this.#afresh(command, told);
    this.#stands(command, views, told);
    told.at = command.at;
    told.sent = command;
    if (command.attempt === 1) told.first = command;
    if (command.reason === 'reservation_ended') told.stopped = undefined;
    else if (command.attempt === 1 && (command.command === 'pause' || command.command === 'revoke')) {
      told.stopped = command;
      told.burned = command.kind === 'cluster' ? this.#burned(command, views) : 0n;
    }
  }

  /** L1, L4: the alert that named it, its notice before it, and in the same episode. */
  #noticed(command: Command, { stopped }: Told): void {
    const notice = this.#alerts.get(command.noticeId ?? '');
    if (notice === undefined) {
      this.#break('L1', command, 'no earlier alert is its notice');
      return;
    }
    if (command.reason === 'reservation_ended') {
      const reservation = this.#account.reservations.get(notice.resourceId);
      if (notice.alert !== 'reservation_ending' || reservation?.clusterId !== command.resourceId)
        this.#break('L1', command, 'its notice is not of the end of a reservation of the cluster');
      return;
    }
    if (notice.index < (this.#restored?.index ?? -1)) this.#break('L4', command, 'planned before the restoration');
    const named = namedBy(notice, command);
    if (named === undefined) {
      this.#break('L1', command, 'its notice does not name it');
      return;
    }
    if (command.attempt > 1) return;
    const stops = command.command === 'pause' || command.command === 'revoke';
    const first = stops
      ? undefined
      : notice.actions.find(({ key, command: name }) => key === command.key && name !== 'decommission');
    const late = first !== undefined && stopped?.noticeId === notice.id ? stopped.at - first.at : 0;
    const due = named.at + late;
    if (command.at < due) this.#break('L1', command, 'before the time that was announced');
    if (command.at > due + (stops ? day : 0)) this.#break('N4', command, 'after the time that was announced');
  }

  /** L3, L6, N3: what a first attempt follows on. */
  #afresh(command: Command, { stopped, sent, maybeGone }: Told): void {
    const { command: name, scope, reason } = command;
    if (reason === 'reservation_ended' || maybeGone) return;
    if (name === 'decommission' && scope === 'cluster' && stopped === undefined)
      this.#break('L3', command, 'not paused first');
    if (name === 'decommission' && scope === 'volume' && stopped === undefined)
      this.#break('L3', command, 'not revoked first');
    if (name === 'decommission' && scope !== 'burst' && sent?.command === 'decommission')
      this.#break('L6', command, 'decommissioned already');
    if (name !== 'decommission' && stopped !== undefined) this.#break('L6', command, 'stopped already');
  }

  /** N7: a repeat of the order that stands, `overdue_after` or so many hours more after it was first issued. */
  #again(command: Command, views: readonly View[], { first, sent }: Told, before: Command | undefined): void {
    const same =
      sent?.command === command.command && sent.scope === command.scope && sent.noticeId === command.noticeId;
    if (first === undefined || !same || sent.attempt !== command.attempt - 1) {
      this.#break('N7', command, 'it repeats no order that stands');
      return;
    }
    const policies = viewsAt(this.#account, first.at).map(({ policy }) => policy);
    const onTime = policies.some(({ overdueAfter }) => {
      const late = command.at - first.at - overdueAfter;
      return late >= 0 && late % hour === 0;
    });
    if (!onTime || command.at <= sent.at) this.#break('N7', command, 'at no time for a repeat');
    const alerted = before?.alert === 'enforcement_overdue' && before.key === command.key && before.at === command.at;
    const { attempt } = command;
    if (alerted !== (attempt === 2 || attempt === 3 || attempt % 24 === 0))
      this.#break('N7', command, 'an alert to operators is missing, or one too many');
    if (!views.some((view) => goesOn(view, command))) this.#break('N7', command, 'it repeats what took');
  }

  /** L2, N3, N4: whether there is a view of that instant in which the command is right. */
  #stands(command: Command, views: readonly View[], told: Told): void {
    const { resourceId: id, command: name, scope } = command;
    if (scope === 'cluster') {
      if (!views.some((view) => !view.holds(id))) this.#break('L2', command, 'a reservation of the cluster holds');
    }
    if (scope === 'burst' && !views.some((view) => sameCounts(view.capacity(id), command.keep)))
      this.#break('L2', command, 'keep is not the capacity that holds');
    if (scope === 'burst' && !views.some((view) => view.uncoveredGpus(id) === command.gpus && command.gpus > 0))
      this.#break('K', command, 'gpus is not what is uncovered');
    if (command.reason === 'reservation_ended') return;
    const right = views.some((view) => {
      if (!view.exhausted) return false;
      if (scope === 'burst') return view.uncoveredGpus(id) > 0 && view.holds(id);
      if (command.attempt === 1 && (name === 'pause' || name === 'revoke')) return view.active(command.key);
      return scope === 'volume' || name === 'pause' || !view.begins(id);
    });
    if (!right) this.#break('N4', command, 'not what N3 says any more');
    if (told.sent !== undefined && told.sent.at === command.at && told.sent.command === name)
      this.#break('L5', command, 'twice at one instant');
  }

  /** L6, N5. */
  #release(command: Command, views: readonly View[], { stopped, sent, maybeGone }: Told): void {
    const { command: name, reason, resourceId } = command;
    const ordered = stopped !== undefined || (sent !== undefined && sent.scope !== 'burst');
    if (!ordered && !maybeGone) this.#break('L6', command, `a ${name} of what was not stopped`);
    if (reason === 'reserved') {
      if (!views.some((view) => view.holds(resourceId))) this.#break('N5', command, 'no reservation holds');
      return;
    }
    if (command.balance <= 0n || !views.some(({ exhausted }) => !exhausted))
      this.#break('N5', command, 'the account is not restored');
    if (name === 'restore' && command.at !== this.#restored?.at) this.#break('N5', command, 'not at the restoration');
  }

  #burned(command: Command, views: readonly View[]): bigint | undefined {
    const burns = views
      .filter((view) => view.exhausted && view.active(command.key))
      .map((view) => view.burn(command.resourceId, this.#prices));
    return burns.every((burn) => burn === burns[0]) ? burns[0] : undefined;
  }

  #alert(command: Command, views: readonly View[], later: readonly Command[]): void {
    const { alert, audience } = command;
    if (audience !== (alert === 'enforcement_overdue' ? 'operator' : 'customer')) this.#break('K', command, 'audience');
    switch (alert) {
      case 'credits_exhausted':
        this.#episodes += 1;
        if (command.episode !== this.#episodes) this.#break('N3', command, `it is episode ${this.#episodes}`);
        if (command.balance > 0n) this.#break('N3', command, 'there is credit left');
        this.#announces(command, views);
        return;
      case 'resource_unfunded':
        this.#announces(command, views);
        return;
      case 'credits_restored':
        this.#restores(command, views, later);
        return;
      case 'credits_low':
        this.#low(command, views);
        return;
      case 'enforcement_overdue':
        if (later[0]?.key !== command.key || later[0].attempt < 2 || later[0].at !== command.at)
          this.#break('N7', command, 'no repeat follows');
        return;
      case 'action_reminder':
        this.#reminds(command, views);
        return;
      default:
        return;
    }
  }

  /** N3, N1: it lists what N3 says of the resources as they stand, with the times of the policy in force. */
  #announces(command: Command, views: readonly View[]): void {
    const got = command.actions.map((action) => JSON.stringify(Object.values(action))).sort();
    const wants = views
      .filter(({ exhausted }) => exhausted)
      .map((view) => {
        const { clusters, volumes } = this.#account;
        const keys =
          command.alert === 'resource_unfunded'
            ? [command.key]
            : [
                ...[...clusters.keys()].map((id) => `cluster/${id}`),
                ...[...volumes.keys()].map((id) => `volume/${id}`),
              ];
        return keys
          .flatMap((key) => unfundedActions(view, key, this.#orders.of(key, command.at)))
          .map((action) => JSON.stringify(Object.values(action)))
          .sort();
      });
    const ends = [...this.#account.reservations.values()].some(({ terms }) =>
      terms.all.some(({ endsAt }) => endsAt === command.at),
    );
    const gone = this.#orders.keys().some((key) => this.#orders.of(key, command.at).maybeGone);
    if (ends || gone) return;
    if (command.alert === 'resource_unfunded' && got.length === 0) this.#break('N3', command, 'it announces nothing');
    if (!wants.some((want) => want.join() === got.join()))
      this.#break('N3', command, `it lists ${got.join()} instead of ${wants.at(-1)?.join()}`);
  }

  /** N5: what is taken back, what is restored at once, and which clusters stay paused. */
  #restores(command: Command, views: readonly View[], later: readonly Command[]): void {
    this.#restored = command;
    if (command.balance <= 0n) this.#break('N5', command, 'there is no credit');
    const now = later.filter(({ at, reason }) => at === command.at && reason === 'credits_restored');
    const released = new Set(now.map(({ key }) => key));
    const paused = command.detail.get('paused');
    const stay = new Set(Array.isArray(paused) ? paused.map((id) => `cluster/${id}`) : []);
    let burned: bigint | undefined = 0n;
    for (const key of this.#orders.keys()) {
      const told = this.#orders.of(key, command.at);
      if (told.stopped !== undefined && !told.maybeGone && !released.has(key) && !stay.has(key))
        this.#break('N5', command, `${key} is neither released nor among those that stay paused`);
      if (told.stopped !== undefined && key.startsWith('cluster/'))
        burned = burned === undefined || told.burned === undefined || told.maybeGone ? undefined : burned + told.burned;
      if (told.sent?.reason === 'credits_exhausted') Object.assign(told, { first: undefined, sent: undefined });
    }
    if (burned === undefined) return;
    const covered = views.some(({ policy }) => command.balance * BigInt(hour) >= burned * BigInt(policy.resumeRunway));
    const resumed = now.some(({ command: name }) => name === 'resume');
    if (resumed && !covered) this.#break('N5', command, 'resumed, and the balance does not cover it');
    const uncovered = views.some(({ policy }) => command.balance * BigInt(hour) < burned * BigInt(policy.resumeRunway));
    if (stay.size > 0 && !uncovered) this.#break('N5', command, 'stays paused, and the balance covers it');
    const resumesAt = command.detail.get('resumes_at');
    const least = views.map(({ policy }) => (burned * BigInt(policy.resumeRunway) + BigInt(hour) - 1n) / BigInt(hour));
    if (stay.size > 0 && typeof resumesAt === 'string' && !least.includes(decimal(resumesAt)))
      this.#break('N5', command, `it would resume at ${resumesAt}`);
  }

  /** N2. */
  #low(command: Command, views: readonly View[]): void {
    const threshold = Number(command.detail.get('threshold_ms'));
    const burn = decimal(String(command.detail.get('burn_rate')));
    if (command.balance * BigInt(hour) > BigInt(threshold) * burn || command.balance <= 0n || burn <= 0n)
      this.#break('N2', command, 'the threshold is not passed');
    if (!views.some(({ exhausted, policy }) => !exhausted && policy.lowRunway.includes(threshold)))
      this.#break('N2', command, 'exhausted, or no threshold of the policy');
  }

  /** N4: a reminder comes after its notice and before what it reminds of, and only of what would still be carried out. */
  #reminds(command: Command, views: readonly View[]): void {
    const notice = this.#alerts.get(command.noticeId ?? '');
    if (notice === undefined || notice.at >= command.at) {
      this.#break('N4', command, 'not after its notice');
      return;
    }
    if (notice.index < (this.#restored?.index ?? -1))
      this.#break('L4', command, 'a reminder of before the restoration');
    if (command.actions.some(({ at }) => at <= command.at)) this.#break('N4', command, 'what it reminds of is past');
    if (!views.some(({ exhausted }) => exhausted)) this.#break('N4', command, 'the account is not exhausted');
    const told = this.#orders.of(command.key, command.at);
    const [next] = command.actions;
    const waits = next?.command === 'decommission' ? told.stopped !== undefined : told.stopped === undefined;
    if (!waits && !told.maybeGone) this.#break('N4', command, 'a reminder of what cannot follow');
    const after = viewAfter(this.#account, views[0]?.step ?? 0, command.at);
    if (
      next?.scope === 'cluster' &&
      after.holds(command.resourceId) &&
      views.every((view) => view.holds(command.resourceId))
    )
      this.#break('N4', command, 'a reminder of what is reserved');
  }
}

/** N7: active, or of scope `burst` with uncovered GPUs; of want of credits, while the account is exhausted. */
function goesOn(view: View, { key, resourceId, scope, reason }: Command): boolean {
  if (reason === 'credits_exhausted' && !view.exhausted) return false;
  return scope === 'burst' ? view.uncoveredGpus(resourceId) > 0 : view.active(key);
}

function sameCounts(want: ReadonlyMap<string, number>, got: ReadonlyMap<string, unknown> | undefined): boolean {
  return want.size > 0 && got?.size === want.size && [...want].every(([name, count]) => got.get(name) === count);
}
