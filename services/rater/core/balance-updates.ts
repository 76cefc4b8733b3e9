import type {
  BalanceUpdate,
  ClusterFacts,
  GpuTypeFacts,
  ReservationFacts,
  ResourceFacts,
  VolumeFacts,
} from '../../shared/contracts/balance-update.ts';
import type { Nanos } from '../../shared/money.ts';
import { compareText } from '../../shared/text-order.ts';
import { type Instant, MINUTE_MS } from '../../shared/time.ts';
import { type Account, type Cluster, type Effects, NEVER, type Reservation, touch, type Volume } from './account.ts';
import { nanosOf } from './burn-rate.ts';
import { gpuPrices, type PriceBook, unitPriceAt } from './price-book.ts';

/** B2: a charge that changed nothing else is told this long after the last update at the earliest. */
const QUIET_MS = MINUTE_MS;

/**
 * B2: publishes an update if the step changed anything of it but balance and clock, or was the first charge after 60 s of
 * quiet. So what the enforcer sees is a function of the log, not of batches.
 */
export function publishUpdate(
  account: Account,
  book: PriceBook,
  origin: BalanceUpdate['origin'],
  clock: Instant,
  effects: Effects,
): void {
  const { unpublished, totals } = account;
  const { charged } = unpublished;
  unpublished.charged = false;
  if (!unpublished.account && unpublished.resources.size === 0) {
    if (!charged || clock - totals.publishedAt < QUIET_MS) return;
  }
  const resources = takeChangedResources(account);
  if (!unpublished.account && resources.length === 0 && (!charged || clock - totals.publishedAt < QUIET_MS)) return;
  unpublished.account = false;
  totals.sequence += 1;
  totals.publishedAt = clock;
  touch(account, account);
  effects.update({
    kind: 'update',
    accountId: account.id,
    sequence: totals.sequence,
    clock,
    origin,
    balanceNanos: account.balanceNanos,
    burnRateNanos: totals.burnRateNanos,
    level: totals.level,
    passedMs: totals.passedMs,
    policy: account.policy,
    grants: account.grants.map((grant) => ({
      grantId: grant.id,
      expiresAt: grant.expiresAt === NEVER ? undefined : grant.expiresAt,
    })),
    reservations: reservationFacts(account),
    onDemandPriceNanos: reservedPrices(account, book, clock),
    resources,
  });
}

function takeChangedResources(account: Account): readonly ResourceFacts[] {
  const clusters: ClusterFacts[] = [];
  const volumes: VolumeFacts[] = [];
  for (const resource of account.unpublished.resources) {
    if (resource.kind === 'cluster') {
      const facts = clusterFacts(resource);
      if (sameCluster(facts, resource.published)) continue;
      resource.published = facts;
      clusters.push(facts);
    } else {
      const facts = volumeFacts(resource);
      if (sameVolume(facts, resource.published)) continue;
      resource.published = facts;
      volumes.push(facts);
    }
    touch(account, resource);
  }
  account.unpublished.resources.clear();
  return [...clusters.sort((a, b) => compareText(a.id, b.id)), ...volumes.sort((a, b) => compareText(a.id, b.id))];
}

function clusterFacts(cluster: Cluster): ClusterFacts {
  const gpuTypes: GpuTypeFacts[] = [];
  for (const { gpuType, inUse, reserved, uncovered } of cluster.gpuTypes.values()) {
    if (inUse > 0 || reserved > 0) gpuTypes.push({ gpuType, inUse, reserved, uncovered });
  }
  return {
    kind: 'cluster',
    id: cluster.id,
    gpuTypes: gpuTypes.sort((a, b) => compareText(a.gpuType, b.gpuType)),
    burnRateNanos: cluster.burnRateNanos,
    active: cluster.activeNodes > 0,
    since: cluster.since,
    provisioned: cluster.provisioned,
    decommissionedAt: cluster.decommissionedAt < 0 ? undefined : cluster.decommissionedAt,
  };
}

function volumeFacts(volume: Volume): VolumeFacts {
  return {
    kind: 'volume',
    id: volume.id,
    sizeGib: volume.sizeGib,
    burnRateNanos: volume.burnRateNanos,
    active: volume.active,
    since: volume.since,
    decommissionedAt: volume.decommissionedAt < 0 ? undefined : volume.decommissionedAt,
  };
}

function sameCluster(facts: ClusterFacts, before: ClusterFacts | undefined): boolean {
  return (
    before !== undefined &&
    facts.burnRateNanos === before.burnRateNanos &&
    facts.active === before.active &&
    facts.since === before.since &&
    facts.provisioned === before.provisioned &&
    facts.decommissionedAt === before.decommissionedAt &&
    facts.gpuTypes.length === before.gpuTypes.length &&
    facts.gpuTypes.every((use, index) => sameUse(use, before.gpuTypes[index]))
  );
}

function sameUse(use: GpuTypeFacts, before: GpuTypeFacts | undefined): boolean {
  return (
    before !== undefined &&
    use.gpuType === before.gpuType &&
    use.inUse === before.inUse &&
    use.reserved === before.reserved &&
    use.uncovered === before.uncovered
  );
}

function sameVolume(facts: VolumeFacts, before: VolumeFacts | undefined): boolean {
  return (
    before !== undefined &&
    facts.sizeGib === before.sizeGib &&
    facts.burnRateNanos === before.burnRateNanos &&
    facts.active === before.active &&
    facts.since === before.since &&
    facts.decommissionedAt === before.decommissionedAt
  );
}

function reservationFacts(account: Account): readonly ReservationFacts[] {
  const facts: ReservationFacts[] = [];
  for (const reservation of account.reservations.values()) if (!reservation.ended) facts.push(factsOf(reservation));
  return facts.sort((a, b) => compareText(a.reservationId, b.reservationId));
}

function factsOf(reservation: Reservation): ReservationFacts {
  return {
    reservationId: reservation.id,
    clusterId: reservation.clusterId,
    gpuType: reservation.gpuType,
    gpus: reservation.gpus,
    startsAt: reservation.startsAt,
    endsAt: reservation.endsAt,
    charged: reservation.charged,
    endSetBy: reservation.endSetBy,
    revision: reservation.revision,
  };
}

/** By GPU type as text: a restored account may hold its reservations in another order, and the bytes must be the same (L10). */
function reservedPrices(account: Account, book: PriceBook, clock: Instant): ReadonlyMap<string, Nanos> {
  const prices = new Map<string, Nanos>();
  for (const { gpuType, ended } of account.reservations.values()) {
    if (ended || prices.has(gpuType)) continue;
    const price = unitPriceAt(gpuPrices(book, account, gpuType), clock);
    if (price !== undefined) prices.set(gpuType, nanosOf(price));
  }
  return new Map([...prices].sort(([a], [b]) => compareText(a, b)));
}
