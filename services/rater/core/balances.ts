import type { AccountBalance } from '../../shared/contracts/account-balance.ts';
import type { Account } from './account.ts';

/** C1: how an account stands at the partition's clock. */
export function balanceOf(account: Account): AccountBalance {
  const { totals } = account;
  return {
    accountId: account.id,
    balanceNanos: account.balanceNanos,
    grantedNanos: totals.grantedNanos,
    refundedNanos: totals.refundedNanos,
    chargedNanos: totals.chargedNanos,
    expiredNanos: totals.expiredNanos,
    burnRateNanos: totals.burnRateNanos,
    level: totals.level,
  };
}
