import type { Command } from '../../shared/contracts/command.ts';
import { DEFAULT_POLICY } from '../../shared/contracts/policy.ts';
import { HOUR_MS, type Instant } from '../../shared/time.ts';
import { sealCommand } from './commands.ts';
import type { HeldBecause } from './held.ts';
import type { Rules } from './rules.ts';
import type { AccountState, Hold } from './state.ts';
import type { Gate, GatedAction } from './turn.ts';

/** N9, N11: within this much time of the partition's clock the brake counts, and after a release it does not. */
const BRAKE_WINDOW_MS = HOUR_MS;

/** What N9 and N11 know of a partition. Bounded by the brake: it holds before more accounts than it lets pass are in it. */
export interface SupervisionState {
  /** N11: an operator holds all accounts. */
  hold: Hold | undefined;
  /** N11: it holds itself. */
  brake: Hold | undefined;
  /** N11: after a release the brake lets pass what was in sight, until this instant of the partition's clock. */
  brakeOffUntil: Instant;
  /** N11: who released all last, and why. */
  lastRelease: Hold | undefined;
  /** N11: accounts that something was done to for want of credits, and when last, as far back as the brake counts. */
  readonly acted: Map<string, Instant>;
  /** N9: the input is stale, or was and has not been fresh for long enough. */
  suspended: boolean;
  freshSince: Instant | undefined;
  /** N8: of the partition's own alerts. */
  alerts: number;
}

export function newSupervision(): SupervisionState {
  return {
    hold: undefined,
    brake: undefined,
    brakeOffUntil: 0,
    lastRelease: undefined,
    acted: new Map(),
    suspended: false,
    freshSince: undefined,
    alerts: 0,
  };
}

/** Nothing is held, and nothing counted. */
export const OPEN_GATE: Gate = { holds: () => undefined, passed: () => undefined };

/** N9, N11: holds the actions of one partition. All that it decides follows from what it was told. */
export class Supervision implements Gate {
  readonly state: SupervisionState;
  /**
   * The gate without a wall clock (replay, imports): N9 and the brake are idle; what an operator, or a brake of before,
   * holds stays held. In replay nothing ever is.
   */
  readonly withoutClock: Gate = { ...OPEN_GATE, holds: (account) => this.#heldUntilReleased(account) };
  readonly #partition: number;
  readonly #rules: Rules;
  readonly #view: PartitionView;
  #wallAt: Instant | undefined;
  #alertsDue: ('input_stale' | 'brake')[] = [];

  constructor(partition: number, rules: Rules, state: SupervisionState, view: PartitionView) {
    this.#partition = partition;
    this.#rules = rules;
    this.state = state;
    this.#view = view;
  }

  /**
   * Why an action has to be held. Nothing passes before the wall clock was read: until then nobody knows how old the input
   * is, so that no alert says that it is stale, and the first reading decides.
   */
  holds(account: AccountState, action: GatedAction): HeldBecause | undefined {
    if (this.#wallAt === undefined) return 'clock_unread';
    if (this.#isStale(account.policy.staleAfterMs)) {
      this.#suspend();
      return 'stale';
    }
    if (account.held?.stale === true) return 'stale';
    const held = this.#heldUntilReleased(account);
    if (held !== undefined) return held;
    const { notice } = action;
    if (notice === undefined) return undefined;
    const published = account.published.get(notice.id);
    if (!this.#rules.noticeIsRipe(published, notice.ms, this.#wallAt)) return 'unpublished';
    if (action.forCredits && this.#brakes(account.accountId, action.at)) return 'brake';
    return undefined;
  }

  passed(account: AccountState, at: Instant): void {
    this.state.acted.set(account.accountId, at);
  }

  /**
   * N9: takes a reading of the wall clock. Readings never go back: an earlier one counts as the last. A partition that has had
   * no input yet has nothing to suspend.
   */
  observe(wallAt: Instant): void {
    const { state } = this;
    this.#wallAt = Math.max(wallAt, this.#wallAt ?? wallAt);
    if (this.#view.clock() === 0) return;
    const { staleAfterMs } = DEFAULT_POLICY;
    if (this.#isStale(staleAfterMs)) {
      this.#suspend();
    } else if (state.suspended) {
      state.freshSince ??= this.#wallAt;
      if (this.#wallAt - state.freshSince >= staleAfterMs) state.suspended = false;
    }
  }

  /** N9, N11: whether what is held of an account may be due anew: nobody holds it, and its input was fresh for long enough. */
  mayRelease(account: AccountState): boolean {
    const { held, policy } = account;
    if (held === undefined || this.#wallAt === undefined) return false;
    if (this.#heldUntilReleased(account) !== undefined) return false;
    if (!held.stale) return true;
    if (this.#isStale(policy.staleAfterMs)) {
      held.freshSince = undefined;
      return false;
    }
    held.freshSince ??= this.#wallAt;
    return this.#wallAt - held.freshSince >= policy.staleAfterMs;
  }

  /** N11: the same without a wall clock; what was held for stale input waits for one. */
  mayReleaseWithoutClock(account: AccountState): boolean {
    return account.held?.stale === false && this.#heldUntilReleased(account) === undefined;
  }

  /** N11: the brake, once; it alerts. */
  engageBrake(brake: Hold): void {
    if (this.state.brake !== undefined) return;
    this.state.brake = brake;
    this.#alertsDue.push('brake');
  }

  /** N11: an operator releases all accounts, and the brake with them, unless that engaged after it was said. */
  release(released: Hold | undefined, brake: 'released' | 'kept'): void {
    const { state } = this;
    state.hold = undefined;
    state.lastRelease = released;
    if (state.brake === undefined || brake === 'kept') return;
    state.brake = undefined;
    state.brakeOffUntil = this.#view.clock() + BRAKE_WINDOW_MS;
    state.acted.clear();
  }

  /** N9, N11: the alerts that what was decided calls for, once each. */
  takeAlerts(): readonly Command[] {
    const due = this.#alertsDue;
    this.#alertsDue = [];
    return due.map((why) => this.#alert(why));
  }

  #heldUntilReleased(account: AccountState): 'operator' | 'brake' | undefined {
    const { state } = this;
    if (state.hold !== undefined || account.hold !== undefined) return 'operator';
    return state.brake === undefined ? undefined : 'brake';
  }

  /** N9: one alert a suspension. */
  #suspend(): void {
    const { state } = this;
    state.freshSince = undefined;
    if (state.suspended) return;
    state.suspended = true;
    this.#alertsDue.push('input_stale');
  }

  #isStale(staleAfterMs: number): boolean {
    return this.#wallAt === undefined || this.#rules.isStale(this.#wallAt, this.#view.clock(), staleAfterMs);
  }

  /** N11: counts the accounts acted on in the last hour with this one, and those that would be in the next. */
  #brakes(accountId: string, at: Instant): boolean {
    const { state } = this;
    for (const [id, actedAt] of state.acted) if (actedAt <= at - BRAKE_WINDOW_MS) state.acted.delete(id);
    if (at < state.brakeOffUntil) return false;
    const past = state.acted.size + (state.acted.has(accountId) ? 0 : 1);
    const ahead = this.#view.accountsDueBy(at + BRAKE_WINDOW_MS, accountId);
    if (!this.#rules.brakeEngages(Math.max(past, ahead), this.#view.accounts())) return false;
    const why = `${Math.max(past, ahead)} accounts within one hour`;
    this.engageBrake({ by: 'brake', why, at: this.#wallAt ?? at });
    return true;
  }

  /** N9: outside the accounts' sequences. No account has the empty id. */
  #alert(why: 'input_stale' | 'brake'): Command {
    this.state.alerts += 1;
    const n = this.state.alerts;
    const accountId = '';
    const draft = {
      cause: `s${n}`,
      command: 'alert',
      alert: 'enforcement_suspended',
      resource: { kind: 'pipeline', id: `${this.#partition}` },
      reason: 'enforcement_suspended',
      detail: { why },
    } as const;
    const id = this.#rules.commandIdOf(accountId, draft);
    return sealCommand(draft, accountId, id, n, this.#wallAt ?? this.#view.clock(), 0n);
  }
}

/** What the supervision asks of the partition. */
export interface PartitionView {
  /** The clock of the last input. */
  readonly clock: () => Instant;
  readonly accounts: () => number;
  /** N11: how many accounts have an action for want of credits coming up to an instant; the one named counts always. */
  readonly accountsDueBy: (at: Instant, accountId: string) => number;
}
