import type { Account } from './account.ts';
import { instantsOf, reckon } from './activity.ts';
import { leftOfCredits } from './credits.ts';
import { enter, type World } from './world.ts';

/** C3, C6, X: moves the clock, and carries out every instant up to it in order of time, then account. */
export function advance(world: World, to: number): void {
  while (world.clock !== undefined && world.clock < to) {
    const after = world.clock;
    const due = [...world.accounts.values()].map((account) => ({
      account,
      at: Math.min(...instantsOf(account).filter((at) => at > after && at <= to)),
    }));
    const next = Math.min(to, ...due.map(({ at }) => at));
    const now = due.filter(({ at }) => at === next).sort((a, b) => (a.account.id < b.account.id ? -1 : 1));
    for (const { account } of now) {
      expire(world, account, next);
      reckon(account, world.prices, next);
    }
    world.clock = next;
  }
  world.clock = to;
}

/** C3: writes off what is left of the grants that expire now. */
function expire(world: World, account: Account, now: number): void {
  const expiring = account.movements.flatMap((m) => (m.kind === 'grant' && m.expiresAt === now ? [m] : []));
  for (const grant of expiring.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const amount = leftOfCredits(account).get(grant) ?? 0n;
    account.movements.push({ kind: 'expiry', amount, of: grant });
    enter(world, account, { kind: 'expiry', amount: -amount, ref: grant.id, time: now, cause: grant.id });
  }
}
