import type { Instant } from '../../services/shared/time.ts';
import { latest, type World } from './known.ts';
import type { Told } from './told.ts';

type Words = Omit<Told, 'accountId' | 'issuedAt' | 'balanceNanos' | 'audience' | 'attempt' | 'overdueAfterMs'> & {
  readonly attempt?: number;
};

/** K: sends a command; its balance is that of the last update. */
export function tell(world: World, at: Instant, words: Words): Told {
  const told: Told = {
    attempt: 1,
    ...words,
    accountId: world.accountId,
    issuedAt: at,
    balanceNanos: latest(world).balanceNanos,
    overdueAfterMs: latest(world).policy.overdueAfterMs,
    audience: words.alert === 'enforcement_overdue' ? 'operator' : 'customer',
  };
  world.history.push({ told });
  return told;
}

export function accountIn(world: World): Told['resource'] {
  return { kind: 'account', id: world.accountId };
}
