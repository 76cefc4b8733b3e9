import type { Level } from '../../shared/contracts/balance-update.ts';
import type { Nanos } from '../../shared/money.ts';
import { HOUR_MS } from '../../shared/time.ts';
import { type Account, touch } from './account.ts';

const HOUR = BigInt(HOUR_MS);

/**
 * N2, N3: brings the account's level to its balance and burn rate. A threshold h is passed when balance <= h x burn rate
 * and stays so until balance > 1.10 x h x burn rate or nothing burns; while the account is exhausted none is.
 */
export function refreshLevel(account: Account): void {
  const { totals, balanceNanos, settled } = account;
  const same = settled?.burnRateNanos === totals.burnRateNanos && settled.policy === account.policy;
  if (same && totals.level === 'active' && balanceNanos > settled.aboveNanos) return;
  const passedMs = stillPassed(account);
  const level = levelOf(balanceNanos, totals.chargedNanos, passedMs);
  account.settled = {
    burnRateNanos: totals.burnRateNanos,
    policy: account.policy,
    aboveNanos: (BigInt(Math.max(0, ...account.policy.lowRunwayMs)) * totals.burnRateNanos) / HOUR,
  };
  if (level === totals.level && sameList(passedMs, totals.passedMs)) return;
  totals.level = level;
  totals.passedMs = passedMs;
  account.unpublished.account = true;
  touch(account, account);
}

function levelOf(balance: Nanos, charged: Nanos, passedMs: readonly number[]): Level {
  if (balance <= 0n && charged > 0n) return 'exhausted';
  return passedMs.length > 0 ? 'low' : 'active';
}

function stillPassed(account: Account): readonly number[] {
  const { balanceNanos, totals, policy } = account;
  const exhausted = balanceNanos <= 0n && totals.chargedNanos > 0n;
  if (exhausted || totals.burnRateNanos === 0n) return [];
  return policy.lowRunwayMs.filter((thresholdMs) => {
    // N2: multiplied across; balance / burn rate would lose the remainder.
    const covered = BigInt(thresholdMs) * totals.burnRateNanos;
    if (balanceNanos > 0n && balanceNanos * HOUR <= covered) return true;
    return totals.passedMs.includes(thresholdMs) && balanceNanos * HOUR * 10n <= covered * 11n;
  });
}

function sameList(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}
