import type {
  ClusterFacts,
  GrantFacts,
  Level,
  ReservationFacts,
  VolumeFacts,
} from '../../shared/contracts/balance-update.ts';
import type { Command, Scope } from '../../shared/contracts/command.ts';
import type { Policy } from '../../shared/contracts/policy.ts';
import type { Nanos } from '../../shared/money.ts';
import type { Instant } from '../../shared/time.ts';

/** What may be done to a resource for want of credits. */
export type ActionName = 'pause' | 'revoke' | 'decommission';

/** N3: one action that was announced, at the time that was announced (N4, N9: moved by as long as what precedes it). */
export interface Step {
  readonly command: ActionName;
  readonly scope: Scope;
  readonly at: Instant;
  /** N9: how long before it the notice was to be, whatever it was moved by. */
  readonly noticeMs: number;
  /** Scope `burst`: what was uncovered when it was announced. */
  readonly gpus: number | undefined;
  /** Reminders still to be sent, as milliseconds before it, longest first. */
  readonly remindersMs: readonly number[];
}

/** N3: what is coming to a resource under one notice, the next step first. */
export interface Plan {
  /** N8: what the ids of its commands are made of: `e<episode>`, or `e<episode>.<n>` for a notice of its own. */
  readonly cause: string;
  readonly episode: number;
  readonly noticeId: string;
  readonly noticeAt: Instant;
  readonly steps: readonly [Step, ...Step[]];
  /** `waiting`: its time came and the resource was idle (N4). `held`: its time came while enforcement was held (N9, N11). */
  readonly pending: 'coming' | 'waiting' | 'held';
}

/** A pause, revoke or decommission that was issued. It stands until it is taken off the resource. */
export interface Order {
  readonly cause: string;
  /** The last time it was sent. */
  readonly sent: Command;
  /** N7: from here on, every hour, it is looked at whether it took. */
  readonly overdueAt: Instant;
  /** N7: the looks before this instant are done. */
  readonly lookedUntil: Instant;
}

/** N5: a cluster that was paused for want of credits and not resumed, whatever came after the pause. */
export interface Paused {
  /** What it burned when it was paused, in nanos an hour. */
  readonly burnedNanos: Nanos;
  readonly sent: Command;
}

export interface ClusterState {
  readonly kind: 'cluster';
  readonly id: string;
  facts: ClusterFacts | undefined;
  plan: Plan | undefined;
  order: Order | undefined;
  paused: Paused | undefined;
}

export interface VolumeState {
  readonly kind: 'volume';
  readonly id: string;
  facts: VolumeFacts | undefined;
  plan: Plan | undefined;
  order: Order | undefined;
}

export type ResourceState = ClusterState | VolumeState;

/** N6, N10: alerts before an instant. */
export interface Notices {
  /** Times still to come, earliest first. */
  readonly times: readonly Instant[];
  /** How many were sent: part of their ids (N8). */
  readonly sent: number;
}

export interface ReservationState {
  facts: ReservationFacts;
  notices: Notices;
  /** N6, L1: the last alert of this end that named the decommission, or else the last of this end. */
  notice: { readonly id: string; readonly at: Instant; readonly names: boolean } | undefined;
  /** `coming` until its end is carried out, `held` if that time came while enforcement was held, then `done`. */
  end: 'coming' | 'held' | 'done';
  /** The rater still tells of it; it leaves the updates at its end. */
  listed: boolean;
}

export interface GrantState {
  readonly facts: GrantFacts & { readonly expiresAt: Instant };
  notices: Notices;
}

/** N2: when a threshold last alerted, and whether the balance was above 1.10 x h x burn rate since. */
export interface LowAlert {
  readonly at: Instant;
  readonly above: boolean;
}

/** N3: an exhaustion that goes on. */
export interface Episode {
  readonly number: number;
  /** How many resources got a notice of their own in it: part of their causes (N8). */
  unfunded: number;
}

/** N11: who holds (or released) enforcement, since when by the wall clock, and why. */
export interface Hold {
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
}

/** N9: an account of which actions are held. */
export interface HeldActions {
  /** Held because the input was stale: it has to be fresh for `stale_after` first. */
  stale: boolean;
  /** By the wall clock, since when the input has been fresh again. */
  freshSince: Instant | undefined;
}

/** All that is known of one account. Bounded by its resources, reservations and grants, not by its history. */
export interface AccountState {
  readonly accountId: string;
  /** B1: of the last update. */
  updateSequence: number;
  /** N8: from which every command of the account draws its sequence, so that it rises for each resource. */
  commandSequence: number;
  balanceNanos: Nanos;
  burnRateNanos: Nanos;
  level: Level;
  passedMs: readonly number[];
  policy: Policy;
  onDemandPriceNanos: ReadonlyMap<string, Nanos>;
  /** Episodes begun so far. */
  episodes: number;
  episode: Episode | undefined;
  lowAlerts: ReadonlyMap<number, LowAlert>;
  readonly clusters: Map<string, ClusterState>;
  readonly volumes: Map<string, VolumeState>;
  readonly reservations: Map<string, ReservationState>;
  readonly grants: Map<string, GrantState>;
  hold: Hold | undefined;
  /** N11: who released it last, and why. */
  lastRelease: Hold | undefined;
  held: HeldActions | undefined;
  /** N9: when alerts that actions rest on were really published, by the wall clock. */
  readonly published: Map<string, Instant>;
}
