import type { AlertKind, Command, CommandDetail, CommandName, Scope, Subject } from '../../shared/contracts/command.ts';
import type { Nanos } from '../../shared/money.ts';
import type { Instant } from '../../shared/time.ts';

/** What a command or alert says, before it has its account, id, sequence, time and balance. */
export interface Draft {
  /** N8: what made it due: an episode, a reservation's end, a grant, an update. */
  readonly cause: string;
  readonly command: CommandName;
  readonly alert?: AlertKind;
  readonly resource: Subject;
  readonly scope?: Scope;
  readonly gpus?: number | undefined;
  readonly keep?: ReadonlyMap<string, number> | undefined;
  readonly reason: Command['reason'];
  readonly noticeId?: string | undefined;
  readonly episode?: number | undefined;
  readonly attempt?: number;
  /** Of alerts: which one of its kind under its cause. */
  readonly which?: string;
  readonly detail?: CommandDetail;
}

/** N3: the cause of what an episode's own alert announced, and of what ends it. */
export function episodeCause(episode: number): string {
  return `e${episode}`;
}

/** N3: the cause of what the n-th notice of a resource's own in an episode announced. */
export function unfundedCause(episode: number, n: number): string {
  return `e${episode}.${n}`;
}

/** N6: the cause of what the end of a reservation leads to. The revision comes first: an id may hold a `:`. */
export function reservationCause(facts: { readonly revision: number; readonly reservationId: string }): string {
  return `r${facts.revision}:${facts.reservationId}`;
}

export function grantCause(grantId: string): string {
  return `g:${grantId}`;
}

/** N2: the cause of what a single update leads to. */
export function updateCause(sequence: number): string {
  return `u${sequence}`;
}

/**
 * N8: account / cause / kind / id / command / scope or kind of alert / attempt or which, joined by a character that none of
 * them holds, in fixed places: no two commands can have the same.
 */
export function commandIdOf(accountId: string, draft: Draft): string {
  const { cause, resource, command, alert, scope, attempt, which } = draft;
  return `${accountId}/${cause}/${resource.kind}/${resource.id}/${command}/${alert ?? scope ?? ''}/${which ?? attempt ?? 1}`;
}

/** K: the command that a draft becomes. */
export function sealCommand(
  draft: Draft,
  accountId: string,
  commandId: string,
  sequence: number,
  at: Instant,
  balanceNanos: Nanos,
): Command {
  const { command, alert, resource, scope, gpus, keep, reason, noticeId, episode, attempt, detail } = draft;
  const operators = alert === 'enforcement_overdue' || alert === 'enforcement_suspended';
  return {
    commandId,
    command,
    alert,
    accountId,
    resource,
    scope,
    gpus,
    keep,
    reason,
    noticeId,
    episode,
    sequence,
    attempt: attempt ?? 1,
    issuedAt: at,
    balanceNanos,
    audience: operators ? 'operator' : 'customer',
    detail,
  };
}
