import type { Nanos } from '../money.ts';
import type { Instant } from '../time.ts';

export const COMMAND_NAMES = ['alert', 'pause', 'resume', 'revoke', 'restore', 'decommission'] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export const ALERT_KINDS = [
  'credits_low',
  'credits_exhausted',
  'credits_restored',
  'credits_expiring',
  'resource_unfunded',
  'action_reminder',
  'reservation_ending',
  'enforcement_overdue',
  'enforcement_suspended',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export type SubjectKind = 'account' | 'cluster' | 'volume' | 'reservation' | 'grant' | 'pipeline';
export type Scope = 'cluster' | 'burst' | 'volume';
export type Audience = 'customer' | 'operator';

export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

/** K: what downstream consumers are told, on `control.alerts`, `control.compute` and `control.storage`. */
export interface Command {
  /** N8: made of what it is about (account, cause, resource, command, scope, attempt). */
  readonly commandId: string;
  readonly command: CommandName;
  readonly alert: AlertKind | undefined;
  readonly accountId: string;
  readonly resource: Subject;
  readonly scope: Scope | undefined;
  /** Scope `burst`: what is uncovered when it is sent. */
  readonly gpus: number | undefined;
  /** Scope `burst`: the reserved capacity that must stay, by gpu_type. */
  readonly keep: ReadonlyMap<string, number> | undefined;
  readonly reason: 'credits_exhausted' | 'credits_restored' | 'reserved' | 'reservation_ended' | AlertKind;
  readonly noticeId: string | undefined;
  readonly episode: number | undefined;
  /** N8: rises with every command or alert of one resource. */
  readonly sequence: number;
  readonly attempt: number;
  readonly issuedAt: Instant;
  /** That of the last balance update. */
  readonly balanceNanos: Nanos;
  readonly audience: Audience;
  readonly detail: CommandDetail | undefined;
}

/** K: what follows, in words a consumer can read; members that do not apply are absent. */
export interface CommandDetail {
  readonly actions?: readonly PlannedAction[];
  /** N5: the clusters that stay paused after a restoration, and the balance that would resume them. */
  readonly paused?: readonly string[];
  readonly resumesAtNanos?: Nanos;
  /** N2: the threshold that was passed, in ms, with the burn rate. */
  readonly thresholdMs?: number;
  readonly burnRateNanos?: Nanos;
  /** N6: when it ends, and what will follow. */
  readonly endsAt?: Instant;
  readonly follows?: 'decommission' | 'burst' | 'nothing';
  readonly burstGpus?: number;
  readonly burstCostNanos?: Nanos;
  /** N10. */
  readonly expiresAt?: Instant;
  /** N7: the command that did not take, and its attempt. */
  readonly overdueCommand?: CommandName;
  readonly overdueAttempt?: number;
  /** N9, N11: what holds the partition's enforcement. */
  readonly why?: 'input_stale' | 'brake';
}

export interface PlannedAction {
  readonly resource: Subject;
  readonly command: CommandName;
  readonly scope: Scope;
  readonly gpus: number | undefined;
  readonly at: Instant;
}
