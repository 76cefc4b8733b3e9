import type { GrantFacts } from '../../services/shared/contracts/balance-update.ts';
import type { Instant } from '../../services/shared/time.ts';
import type { Due } from './due.ts';
import { latest, plannedAt, toldOf, type World } from './known.ts';
import { tell } from './tell.ts';

/** N10: the notices to come of grants with something left. */
export function dueOfGrants(world: World): Due[] {
  const { grants, policy } = latest(world);
  return grants.flatMap((grant) =>
    policy.creditExpiryNoticesMs.flatMap((noticeMs) => {
      if (grant.expiresAt === undefined) return [];
      const at = grant.expiresAt - noticeMs;
      const name = `grant ${grant.grantId} notice ${at}`;
      if (at <= plannedAt(world, `grant ${grant.grantId}`, 'credit_expiry_notices') || world.over.has(name)) return [];
      const run = (): void => {
        world.over.add(name);
        alertExpiring(world, grant, at);
      };
      const due: Due = { at, kind: 'grant', id: grant.grantId, rank: 0, run };
      return [due];
    }),
  );
}

/** N10: those whose time has passed when the grant comes become one, sent at once. */
export function alertExpiringAtOnce(world: World, at: Instant): void {
  const { grants, policy } = latest(world);
  for (const grant of grants) {
    const { grantId, expiresAt } = grant;
    if (expiresAt === undefined || plannedAt(world, `grant ${grantId}`, 'credit_expiry_notices') !== at) continue;
    const alerted = toldOf(world).some((told) => told.alert === 'credits_expiring' && told.resource.id === grantId);
    if (alerted) continue;
    if (policy.creditExpiryNoticesMs.some((noticeMs) => expiresAt - noticeMs <= at)) alertExpiring(world, grant, at);
  }
}

function alertExpiring(world: World, { grantId, expiresAt }: GrantFacts, at: Instant): void {
  tell(world, at, {
    command: 'alert',
    alert: 'credits_expiring',
    resource: { kind: 'grant', id: grantId },
    reason: 'credits_expiring',
    detail: expiresAt === undefined ? {} : { expires_at: expiresAt },
  });
}
