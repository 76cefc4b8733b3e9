import { formatAmount, type Nanos, readAmount } from '../money.ts';
import type { Level } from './balance-update.ts';

/** C1: how an account stands. balance = granted + refunded - charged - expired. */
export interface AccountBalance {
  readonly accountId: string;
  readonly balanceNanos: Nanos;
  readonly grantedNanos: Nanos;
  readonly refundedNanos: Nanos;
  readonly chargedNanos: Nanos;
  readonly expiredNanos: Nanos;
  /** C6: nanos an hour. */
  readonly burnRateNanos: Nanos;
  readonly level: Level;
}

/** X: one row of `balances.ndjson`. */
export function accountBalanceJson(balance: AccountBalance): string {
  return JSON.stringify({
    account_id: balance.accountId,
    balance: formatAmount(balance.balanceNanos),
    granted: formatAmount(balance.grantedNanos),
    refunded: formatAmount(balance.refundedNanos),
    charged: formatAmount(balance.chargedNanos),
    expired: formatAmount(balance.expiredNanos),
    burn_rate: formatAmount(balance.burnRateNanos),
    level: balance.level,
  });
}

/** What `accountBalanceJson` wrote. */
export function readAccountBalance(text: string): AccountBalance {
  const read: { account_id: string; level: Level } & Record<Amounts, string> = JSON.parse(text);
  return {
    accountId: read.account_id,
    balanceNanos: readAmount(read.balance),
    grantedNanos: readAmount(read.granted),
    refundedNanos: readAmount(read.refunded),
    chargedNanos: readAmount(read.charged),
    expiredNanos: readAmount(read.expired),
    burnRateNanos: readAmount(read.burn_rate),
    level: read.level,
  };
}

type Amounts = 'balance' | 'granted' | 'refunded' | 'charged' | 'expired' | 'burn_rate';
