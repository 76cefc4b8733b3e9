import { type Account, openAccount } from './account.ts';
import { bill } from './bill.ts';
import { type PriceEntry, priceAt } from './price-book.ts';
import type { Body, ModelEvent } from './read-event.ts';
import { cancel, extend, provision, purchase } from './reservations.ts';
import { enter, type Verdict, type World } from './world.ts';

/** Carries out an event that is no repeat, or says why not; a refusal changes nothing. */
export function act(world: World, account: Account | undefined, event: ModelEvent, clock: number): Verdict {
  const { body, subject } = event;
  if (body.type === 'clock.tick') return 'applied';
  if (body.type === 'prices.published') return publish(world, undefined, body, clock, event.forwarded);
  if (body.type === 'account.opened') {
    if (subject !== undefined) world.accounts.set(subject, openAccount(subject, body.policy));
    return 'applied';
  }
  if (account === undefined) return 'unknown_account';
  switch (body.type) {
    case 'usage.gpu':
    case 'usage.storage':
      return bill(world, account, event, body, clock);
    case 'policy.set':
      account.policy = body.policy;
      return 'applied';
    case 'credits.granted': {
      const { amount, grantId, kind, expiresAt } = body;
      if (expiresAt !== undefined && expiresAt <= clock) return 'not_allowed';
      account.movements.push({ kind: 'grant', amount, id: grantId, grantKind: kind, expiresAt });
      enter(world, account, { kind: 'grant', amount, ref: grantId, time: clock, cause: grantId });
      return 'applied';
    }
    case 'reservation.purchased':
      return purchase(world, account, body, clock);
    case 'reservation.extended':
      return extend(world, account, body, event, clock);
    case 'reservation.cancelled':
      return cancel(world, account, body, event, clock);
    case 'cluster.provisioned':
      provision(world, account, body.clusterId, event, clock);
      return 'applied';
    case 'cluster.decommissioned':
      account.provisioned.delete(body.clusterId);
      forget(account, `c/${body.clusterId}`, clock);
      return 'applied';
    case 'volume.decommissioned':
      forget(account, `v/${body.volumeId}`, clock);
      return 'applied';
    case 'volume.created':
      return 'applied';
    case 'contract.priced':
      return publish(world, account.id, body, clock, false);
  }
}

/** E5. `forwarded` prices were judged before. */
function publish(
  world: World,
  accountId: string | undefined,
  { effectiveFrom, gpuHour, gibMonth }: Extract<Body, { gpuHour: unknown }>,
  clock: number,
  forwarded: boolean,
): Verdict {
  const entries: PriceEntry[] = [...gpuHour].map(([gpuType, price]) => ({ accountId, gpuType, effectiveFrom, price }));
  if (gibMonth !== undefined) entries.push({ accountId, gpuType: undefined, effectiveFrom, price: gibMonth });
  if (effectiveFrom < clock && !forwarded) {
    const end = Number.POSITIVE_INFINITY;
    const first = entries.every((e) => priceAt(world.prices, undefined, e.gpuType, end) === undefined);
    if (accountId !== undefined || !first) return 'retroactive_price';
  }
  world.prices.push(...entries);
  return 'applied';
}

/** C6: what a decommission erases of a cluster or volume. */
function forget(account: Account, resource: string, clock: number): void {
  account.decommissionedAt.set(resource, clock);
  account.sightings = account.sightings.filter((s) => s.resource !== resource);
  account.uncoveredSightings = account.uncoveredSightings.filter((s) => s.resource !== resource);
}
