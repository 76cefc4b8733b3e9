import type { AlertKind, CommandName, Scope, SubjectKind } from '../../services/shared/contracts/command.ts';
import type { Instant } from '../../services/shared/time.ts';

/** K: a command or alert as the model has it: the alert that its notice is stands in the place of an id. */
export interface Told {
  readonly command: CommandName;
  readonly alert?: AlertKind;
  readonly accountId: string;
  readonly resource: { readonly kind: SubjectKind; readonly id: string };
  readonly scope?: Scope;
  readonly gpus?: number;
  readonly keep?: Readonly<Record<string, number>>;
  readonly reason: string;
  readonly notice?: Told;
  readonly episode?: number;
  readonly attempt: number;
  readonly issuedAt: Instant;
  readonly balanceNanos: bigint;
  readonly audience: 'customer' | 'operator';
  readonly detail?: Detail;
  /** N6: of an alert before a reservation's end, which end. Not on the wire. */
  readonly revision?: number;
  /** N7: what the policy said when it was sent. Not on the wire. */
  readonly overdueAfterMs: number;
  /** N5: of a pause, what its cluster burned then. Not on the wire. */
  readonly burnedNanos?: bigint;
}

/** K: what `detail` says, instants and amounts as integers. */
export interface Detail {
  actions?: ComingAction[];
  paused?: string[];
  resumes_at?: bigint;
  threshold_ms?: number;
  burn_rate?: bigint;
  ends_at?: Instant;
  follows?: 'decommission' | 'burst' | 'nothing';
  burst_gpus?: number;
  burst_cost?: bigint;
  expires_at?: Instant;
  overdue_command?: string;
  overdue_attempt?: number;
}

export interface ComingAction {
  readonly resource: { readonly kind: SubjectKind; readonly id: string };
  readonly command: CommandName;
  readonly scope: Scope;
  readonly gpus?: number;
  readonly at: Instant;
}
