import type { Enforcer } from '../../services/enforcer/enforcer.ts';
import type { AccountHold, EnforcementControl, HeldAccountsQuery, Page } from '../../services/ingest/ports.ts';
import { compareText } from '../../services/shared/text-order.ts';

/** How long an operator waits when too many acts are under way: some commits of the enforcer. */
const BUSY_MS = 1000;
const PARTITION = 0;

/** N11: the enforcer of the one partition as the door's port. */
export function enforcementControl(enforcer: Enforcer): EnforcementControl {
  return {
    act: async (act) => {
      const outcome = await enforcer.act(act);
      return outcome.kind === 'busy' ? { kind: 'busy', retryAfterMs: BUSY_MS } : outcome;
    },
    partitions: async () => [{ partition: PARTITION, asOf: enforcer.progress.clock, ...enforcer.holds() }],
    heldAccounts: async (query) => heldAccounts(enforcer, query),
  };
}

function heldAccounts(enforcer: Enforcer, { among, limit, after }: HeldAccountsQuery): Page<AccountHold> {
  const held: AccountHold[] = [];
  for (const { accountId, hold } of enforcer.accountHolds()) {
    if (among !== 'all' && !among.has(accountId)) continue;
    if (after === undefined || compareText(accountId, after) > 0) held.push({ accountId, ...hold });
  }
  held.sort((left, right) => compareText(left.accountId, right.accountId));
  const items = held.slice(0, limit);
  return { items, next: held.length > limit ? items[items.length - 1]?.accountId : undefined };
}
