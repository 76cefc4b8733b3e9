import type { Nanos } from '../shared/money.ts';
import type { Account } from './core/account.ts';

/**
 * Three ways to the same money, which must agree:
 * `totals`: C1, granted + refunded - charged - expired is the balance;
 * `grants`: C2, what is left of the grants is the balance, or 0 if that is debt;
 * `ledger`: C5, L7, the ledger entries of a group move balances by what they say.
 */
export const IDENTITIES = ['totals', 'grants', 'ledger'] as const;
export type Identity = (typeof IDENTITIES)[number];

/** By how much each identity is off: the sum of what the accounts are off by, without sign; 0 where it holds. */
export type BooksCheck = Readonly<Record<Identity, Nanos>>;

/** Keeps the books of one partition in view: what each account in memory stood at when it was last looked at. */
export class Books {
  readonly #balances = new Map<string, Nanos>();

  /** An account was loaded from the store. */
  open({ id, balanceNanos }: Account): void {
    this.#balances.set(id, balanceNanos);
  }

  /** An account was dropped from memory. */
  close(accountId: string): void {
    this.#balances.delete(accountId);
  }

  /**
   * Looks at the accounts that a group of records changed; no other balance can have moved. Costs some additions an account.
   * @param entriesNanos the sum of the group's ledger entries
   */
  check(changed: Iterable<Account>, entriesNanos: Nanos): BooksCheck {
    let totals = 0n;
    let grants = 0n;
    let movedNanos = 0n;
    for (const account of changed) {
      const { balanceNanos } = account;
      totals += size(totalsOf(account) - balanceNanos);
      grants += size(leftOf(account) - (balanceNanos > 0n ? balanceNanos : 0n));
      movedNanos += balanceNanos - (this.#balances.get(account.id) ?? 0n);
      this.#balances.set(account.id, balanceNanos);
    }
    return { totals, grants, ledger: size(entriesNanos - movedNanos) };
  }
}

function totalsOf({ totals }: Account): Nanos {
  return totals.grantedNanos + totals.refundedNanos - totals.chargedNanos - totals.expiredNanos;
}

function leftOf({ grants }: Account): Nanos {
  let leftNanos = 0n;
  for (const grant of grants) leftNanos += grant.leftNanos;
  return leftNanos;
}

function size(nanos: Nanos): Nanos {
  return nanos < 0n ? -nanos : nanos;
}
