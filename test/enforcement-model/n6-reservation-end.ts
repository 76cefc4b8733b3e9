import type { ReservationFacts } from '../../services/shared/contracts/balance-update.ts';
import type { Instant } from '../../services/shared/time.ts';
import type { Due } from './due.ts';
import { clusterOf, everHolds, isFollowed, latest, plannedAt, reservationsOf, toldOf, type World } from './known.ts';
import { tell } from './tell.ts';
import type { Detail, Told } from './told.ts';

/** N6: the notices that are still to come, and the ends. */
export function dueOfReservations(world: World): Due[] {
  return reservationsOf(world).flatMap((r) => [...noticesOf(world, r), ...endOf(world, r)]);
}

/** N6: notices whose time is past at the event that set this end become one, sent at once. */
export function alertPastNotices(world: World, at: Instant): void {
  for (const r of reservationsOf(world)) {
    if (!everHolds(r) || r.endsAt <= at) continue;
    const planned = plannedAt(world, `reservation ${r.reservationId}`, 'reservation_end_notices');
    if (planned !== at || alertsOf(world, r).length > 0) continue;
    const past = latest(world).policy.reservationEndNoticesMs.filter((noticeMs) => r.endsAt - noticeMs <= at);
    if (past.length > 0) alertEnding(world, r, at);
  }
}

/** N6: the reservations for whose end their cluster is decommissioned at this instant. */
export function endsNow(world: World, clusterId: string, at: Instant): ReservationFacts[] {
  return reservationsOf(world).filter(
    (r) =>
      r.clusterId === clusterId &&
      r.endsAt === at &&
      !world.over.has(nameOf(r, 'end')) &&
      everHolds(r) &&
      r.endSetBy !== 'cancellation' &&
      !isFollowed(world, clusterId, at) &&
      clusterOf(world, clusterId)?.provisioned === true,
  );
}

function noticesOf(world: World, r: ReservationFacts): Due[] {
  if (!everHolds(r)) return [];
  return latest(world).policy.reservationEndNoticesMs.flatMap((noticeMs) => {
    const at = r.endsAt - noticeMs;
    const name = nameOf(r, `notice ${at}`);
    if (at <= plannedAt(world, `reservation ${r.reservationId}`, 'reservation_end_notices') || world.over.has(name))
      return [];
    const run = (): void => {
      world.over.add(name);
      alertEnding(world, r, at);
    };
    return [{ at, kind: 'reservation', id: r.reservationId, rank: 0, run }];
  });
}

function endOf(world: World, r: ReservationFacts): Due[] {
  if (world.over.has(nameOf(r, 'end'))) return [];
  const run = (): void => {
    const together = endsNow(world, r.clusterId, r.endsAt);
    for (const each of reservationsOf(world)) {
      if (each.clusterId === r.clusterId && each.endsAt === r.endsAt) world.over.add(nameOf(each, 'end'));
    }
    const [lowest] = together;
    if (lowest === undefined) return;
    const notice = naming(world, lowest);
    tell(world, r.endsAt, {
      command: 'decommission',
      resource: { kind: 'cluster', id: r.clusterId },
      scope: 'cluster',
      reason: 'reservation_ended',
      ...(notice === undefined ? {} : { notice }),
    });
    world.plans = world.plans.filter((plan) => plan.kind !== 'cluster' || plan.id !== r.clusterId);
  };
  return [{ at: r.endsAt, kind: 'cluster', id: r.clusterId, rank: 0, run }];
}

function alertEnding(world: World, r: ReservationFacts, at: Instant): void {
  tell(world, at, {
    command: 'alert',
    alert: 'reservation_ending',
    resource: { kind: 'reservation', id: r.reservationId },
    reason: 'reservation_ending',
    revision: r.revision,
    detail: { ends_at: r.endsAt, ...whatFollows(world, r) },
  });
}

/** N6: `decommission`, or how many GPUs will be burst and what they will cost an hour. */
function whatFollows(world: World, r: ReservationFacts): Detail {
  const together = reservationsOf(world).filter((o) => o.clusterId === r.clusterId && o.endsAt === r.endsAt);
  const decommissioned =
    together.some((o) => everHolds(o) && o.endSetBy !== 'cancellation') && !isFollowed(world, r.clusterId, r.endsAt);
  if (decommissioned) return { follows: 'decommission' };
  const types = clusterOf(world, r.clusterId)?.gpuTypes ?? [];
  const inUse = types.find(({ gpuType }) => gpuType === r.gpuType)?.inUse ?? 0;
  const stays = reservationsOf(world)
    .filter((o) => o.clusterId === r.clusterId && o.gpuType === r.gpuType && everHolds(o))
    .filter((o) => o.startsAt <= r.endsAt && r.endsAt < o.endsAt)
    .reduce((sum, { gpus }) => sum + gpus, 0);
  const gpus = Math.max(0, inUse - stays);
  if (gpus === 0) return { follows: 'nothing' };
  const price = latest(world).onDemandPriceNanos.get(r.gpuType) ?? 0n;
  return { follows: 'burst', burst_gpus: gpus, burst_cost: BigInt(gpus) * price };
}

/** L1: the last alert for this end that named the decommission; where none did, the last. */
function naming(world: World, r: ReservationFacts): Told | undefined {
  const alerts = alertsOf(world, r);
  return alerts.findLast(({ detail }) => detail?.follows === 'decommission') ?? alerts.at(-1);
}

/** The alerts for this end, as the present revision has it. */
function alertsOf(world: World, r: ReservationFacts): Told[] {
  return toldOf(world).filter(
    ({ alert, resource, revision }) =>
      alert === 'reservation_ending' && resource.id === r.reservationId && revision === r.revision,
  );
}

function nameOf(r: ReservationFacts, what: string): string {
  return `reservation ${r.reservationId} ${r.revision} ${what}`;
}
