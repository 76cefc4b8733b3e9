import type { Account, Movement } from './account.ts';

type Credit = Extract<Movement, { grantKind: unknown }>;

export interface Totals {
  readonly balance: bigint;
  readonly granted: bigint;
  readonly refunded: bigint;
  readonly charged: bigint;
  readonly expired: bigint;
}

/** C1: the account's sums, added up from its movements. */
export function totals(account: Account): Totals {
  const sum = (kind: Movement['kind']) => account.movements.reduce((n, m) => (m.kind === kind ? n + m.amount : n), 0n);
  const [granted, refunded, charged, expired] = [sum('grant'), sum('refund'), sum('charge'), sum('expiry')];
  return { balance: granted + refunded - charged - expired, granted, refunded, charged, expired };
}

/** C2, C3: what is left of each credit, found by going through all movements from the first. */
export function leftOfCredits(account: Account): Map<Movement, bigint> {
  const left = new Map<Credit, bigint>();
  let debt = 0n;
  for (const movement of account.movements) {
    if (movement.kind === 'expiry') {
      for (const credit of left.keys()) if (credit === movement.of) left.set(credit, 0n);
    } else if (movement.kind === 'charge') {
      let due = movement.amount;
      for (const credit of [...left.keys()].sort(bySpending)) {
        const rest = left.get(credit) ?? 0n;
        const spent = rest < due ? rest : due;
        left.set(credit, rest - spent);
        due -= spent;
      }
      debt += due;
    } else {
      const paid = movement.amount < debt ? movement.amount : debt;
      debt -= paid;
      left.set(movement, movement.amount - paid);
    }
  }
  return left;
}

const kinds = ['promotional', 'adjustment', 'paid'];

/** C2's order; the sort is stable, so that of equals the oldest stays first. */
function bySpending(a: Credit, b: Credit): number {
  const [first, second] = [a.expiresAt ?? Number.POSITIVE_INFINITY, b.expiresAt ?? Number.POSITIVE_INFINITY];
  if (first !== second) return first < second ? -1 : 1;
  return kinds.indexOf(a.grantKind) - kinds.indexOf(b.grantKind);
}
