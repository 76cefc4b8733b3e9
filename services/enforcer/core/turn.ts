import type { Command, Subject } from '../../shared/contracts/command.ts';
import type { Instant } from '../../shared/time.ts';
import type { DropReason } from './check.ts';
import { type Draft, sealCommand } from './commands.ts';
import type { HeldBecause } from './held.ts';
import type { Rules } from './rules.ts';
import type { AccountState, ActionName, ReservationState, Step } from './state.ts';

/** N4, N5: a planned action that is not carried out. It is recorded, not sent. */
export interface Drop {
  readonly accountId: string;
  readonly resource: Subject;
  readonly cause: string;
  readonly command: ActionName;
  readonly scope: Step['scope'];
  /** When it was to be carried out, and when it was dropped. */
  readonly plannedAt: Instant;
  readonly droppedAt: Instant;
  readonly why: DropReason;
}

/** N9, N11: what stands between a decision and its command. In replay it is always open. */
export interface Gate {
  /** Why an action that is due now has to be held, or undefined. */
  readonly holds: (account: AccountState, action: GatedAction) => HeldBecause | undefined;
  /** An action for want of credits was carried out. */
  readonly passed: (account: AccountState, at: Instant) => void;
}

export interface GatedAction {
  readonly at: Instant;
  /** N11: only what is done for want of credits counts for the brake. */
  readonly forCredits: boolean;
  /** N9: the alert that it rests on, and how long before it that was to be; undefined: one that was sent before. */
  readonly notice: { readonly id: string; readonly ms: number } | undefined;
}

/** One step of one account's fold, at one instant. */
export interface Turn {
  readonly account: AccountState;
  readonly at: Instant;
  readonly rules: Rules;
  readonly gate: Gate;
  /** The reservations of a cluster, by id. */
  readonly reservationsOf: (clusterId: string) => readonly ReservationState[];
  /** Has `reservationsOf` see which reservations there are now. */
  readonly reindex: () => void;
  readonly send: (command: Command) => void;
  readonly record: (drop: Drop) => void;
}

/** N8: issues a command or alert at the turn's instant, with the account's next sequence. */
export function issue(turn: Turn, draft: Draft): Command {
  const { account, rules, at } = turn;
  account.commandSequence += 1;
  const id = rules.commandIdOf(account.accountId, draft);
  const command = sealCommand(draft, account.accountId, id, account.commandSequence, at, account.balanceNanos);
  turn.send(command);
  return command;
}
