import type { Instant } from '../../shared/time.ts';
import type { AccountState } from './state.ts';

/** N9, N11: what is held of some accounts. */
export interface HeldActionsTotal {
  readonly actions: number;
  /** When the one that is held for longest was due. */
  readonly oldestDueAt: Instant | undefined;
}

/** N9, N11: counts the actions and the ends of reservations whose time has come and that are held. */
export function countHeld(accounts: Iterable<AccountState>): HeldActionsTotal {
  let actions = 0;
  let oldestDueAt: Instant | undefined;
  const count = (dueAt: Instant): void => {
    actions += 1;
    if (oldestDueAt === undefined || dueAt < oldestDueAt) oldestDueAt = dueAt;
  };
  for (const account of accounts) {
    if (account.held === undefined) continue;
    for (const { plan } of [...account.clusters.values(), ...account.volumes.values()]) {
      if (plan?.pending === 'held') count(plan.steps[0].at);
    }
    for (const { end, facts } of account.reservations.values()) if (end === 'held') count(facts.endsAt);
  }
  return { actions, oldestDueAt };
}
