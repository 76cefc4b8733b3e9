import type { ClusterFacts, VolumeFacts } from '../../shared/contracts/balance-update.ts';
import type { GrantKind } from '../../shared/contracts/event.ts';
import { policyOf } from '../../shared/contracts/policy.ts';
import type { Instant } from '../../shared/time.ts';
import {
  type Account,
  type AccountTotals,
  type Cluster,
  NEVER,
  type Node,
  openedAccount,
  type Quantity,
  type Reservation,
} from './account.ts';
import { refreshNode, refreshUncovered, refreshVolume } from './activity.ts';
import { keepGrant } from './credits.ts';
import { IntervalSet } from './interval-set.ts';
import { finalAt } from './months.ts';
import type { PriceList } from './price-list.ts';
import { costOf, unitOf } from './quantities.ts';
import { armReservation } from './reservations.ts';
import { clusterOf, gpuTypeOf, holdReservation, volumeOf } from './resources.ts';
import { putTimer } from './timers.ts';
import { UsedCapacity } from './used-capacity.ts';

/**
 * Puts an account together again from the fields that `takeFieldWrites` wrote, exactly as it was.
 * @throws Error `StateUnreadable` for a field that this version did not write
 */
export function restoreAccount(id: string, fields: ReadonlyMap<string, string>, clock: Instant): Account {
  const account = openedAccount(id, {});
  account.unpublished.account = false;
  const names = [...fields.keys()].sort((left, right) => order(left) - order(right));
  for (const name of names) restoreField(account, name, fields.get(name) ?? '', clock);
  arm(account, clock);
  account.changes.length = 0;
  account.unpublished.account = false;
  account.unpublished.resources.clear();
  return account;
}

/** Clusters come before their nodes, reservations before what is taken of them, resources before their chunks. */
const ORDER = ['totals', 'k', 'c', 'r', 'n', 'v', 'u', 'b', 'w', 'g', 'q', 'm', 'i'];

function order(field: string): number {
  return ORDER.indexOf(kindOf(field));
}

function kindOf(field: string): string {
  const end = field.indexOf('/');
  return end < 0 ? field : field.slice(0, end);
}

function restoreField(account: Account, field: string, text: string, clock: Instant): void {
  const parts = field.split('/');
  const name = field.slice(field.indexOf('/') + 1);
  switch (kindOf(field)) {
    case 'view': // made of the others, for who asks
      return;
    case 'totals':
      restoreTotals(account, text);
      return;
    case 'k':
      restoreContract(account, JSON.parse(text));
      return;
    case 'c':
      restoreCluster(account, name, JSON.parse(text), clock);
      return;
    case 'r':
      restoreReservation(account, name, JSON.parse(text), clock);
      return;
    case 'n':
      restoreNode(account, parts, JSON.parse(text));
      return;
    case 'v':
      restoreVolume(account, name, JSON.parse(text), clock);
      return;
    case 'u':
      account.reservations.get(parts[1] ?? '')?.used.restore(JSON.parse(text));
      return;
    case 'b':
      account.clusters
        .get(parts[1] ?? '')
        ?.nodes.get(parts[2] ?? '')
        ?.billed.restore(JSON.parse(text));
      return;
    case 'w':
      account.volumes.get(parts[1] ?? '')?.billed.restore(JSON.parse(text));
      return;
    case 'g':
      restoreGrant(account, name, JSON.parse(text));
      return;
    case 'q':
      restoreQuantity(account, name, JSON.parse(text));
      return;
    case 'm':
      restoreMonth(account, name, JSON.parse(text));
      return;
    case 'i':
      account.applied.set(name, { kind: 'applied', key: name, dirty: false, fingerprint: text });
      return;
    default:
      throw unreadable(account, field);
  }
}

function unreadable(account: Account, field: string): Error {
  const fault = new Error(`account ${account.id} has a field ${field} that this version did not write`);
  fault.name = 'StateUnreadable';
  return fault;
}

function restoreTotals(account: Account, text: string): void {
  const totals: AccountTotals = JSON.parse(text, (_name, value: unknown) =>
    typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  );
  Object.assign(account.totals, totals);
  account.policy = policyOf(totals.overrides);
  account.balanceNanos = totals.grantedNanos + totals.refundedNanos - totals.chargedNanos - totals.expiredNanos;
}

type StoredPrices = readonly (readonly [number, string])[];

/** A list of dated prices, as `priceListValue` wrote it. */
export function restorePriceList(list: PriceList, stored: StoredPrices): PriceList {
  for (const [from, price] of stored) list.push({ from, priceMicros: BigInt(price) });
  return list;
}

function restoreContract(
  account: Account,
  stored: readonly [readonly (readonly [string, StoredPrices])[], StoredPrices],
): void {
  for (const [gpuType, list] of stored[0]) account.contract.gpuHour.set(gpuType, restorePriceList([], list));
  restorePriceList(account.contract.gibMonth, stored[1]);
}

interface StoredCluster {
  readonly provisioned: boolean;
  readonly decommissionedAt: number;
  readonly since: number;
  readonly burnRateNanos: string;
  readonly gpuTypes: readonly (readonly [string, number, number, number, number, number, string])[];
  readonly published: (Omit<ClusterFacts, 'burnRateNanos'> & { readonly burnRateNanos: string }) | null;
}

function restoreCluster(account: Account, id: string, stored: StoredCluster, clock: Instant): void {
  const cluster = clusterOf(account, id, clock);
  cluster.dirty = false;
  cluster.provisioned = stored.provisioned;
  cluster.decommissionedAt = stored.decommissionedAt;
  cluster.since = stored.since;
  cluster.burnRateNanos = BigInt(stored.burnRateNanos);
  for (const [gpuType, inUse, reserved, uncovered, paidEnd, paidSeenAt, burnRate] of stored.gpuTypes) {
    const use = gpuTypeOf(cluster, gpuType);
    Object.assign(use, { inUse, reserved, uncovered, paidEnd, paidSeenAt, burnRateNanos: BigInt(burnRate) });
  }
  if (stored.published !== null) {
    cluster.published = {
      ...stored.published,
      decommissionedAt: stored.published.decommissionedAt,
      burnRateNanos: BigInt(stored.published.burnRateNanos),
    };
  }
}

type StoredReservation = Omit<
  Reservation,
  'kind' | 'id' | 'dirty' | 'used' | 'priceMicros' | 'chargedNanos' | 'refundedNanos' | 'unchargedTerms'
> & {
  readonly priceMicros: string;
  readonly chargedNanos: string;
  readonly refundedNanos: string;
  readonly unchargedTerms: readonly (readonly [number, number, string])[];
};

function restoreReservation(account: Account, id: string, stored: StoredReservation, clock: Instant): void {
  const reservation: Reservation = {
    ...stored,
    kind: 'reservation',
    id,
    dirty: false,
    priceMicros: BigInt(stored.priceMicros),
    chargedNanos: BigInt(stored.chargedNanos),
    refundedNanos: BigInt(stored.refundedNanos),
    unchargedTerms: stored.unchargedTerms.map(([from, to, price]) => ({ from, to, priceMicros: BigInt(price) })),
    used: new UsedCapacity(),
  };
  account.reservations.set(id, reservation);
  const cluster = clusterOf(account, reservation.clusterId, clock);
  if (reservation.charged) holdReservation(gpuTypeOf(cluster, reservation.gpuType), reservation);
}

function restoreNode(
  account: Account,
  parts: readonly string[],
  stored: readonly [string, number, number, number, number],
): void {
  const cluster = account.clusters.get(parts[1] ?? '');
  if (cluster === undefined) throw unreadable(account, parts.join('/'));
  const [gpuType, gpus, lastEnd, seenAt, active] = stored;
  const node: Node = {
    kind: 'node',
    id: parts[2] ?? '',
    dirty: false,
    cluster,
    use: gpuTypeOf(cluster, gpuType),
    gpus,
    lastEnd,
    seenAt,
    active: active === 1,
    timerAt: NEVER,
    billed: new IntervalSet(),
    lastQuantity: undefined,
  };
  cluster.nodes.set(node.id, node);
  if (node.active) cluster.activeNodes += 1;
}

interface StoredVolume {
  readonly sizeGib: number;
  readonly lastEnd: number;
  readonly seenAt: number;
  readonly active: boolean;
  readonly since: number;
  readonly decommissionedAt: number;
  readonly burnRateNanos: string;
  readonly published: (Omit<VolumeFacts, 'burnRateNanos'> & { readonly burnRateNanos: string }) | null;
}

function restoreVolume(account: Account, id: string, stored: StoredVolume, clock: Instant): void {
  const volume = volumeOf(account, id, clock);
  volume.dirty = false;
  volume.sizeGib = stored.sizeGib;
  volume.lastEnd = stored.lastEnd;
  volume.seenAt = stored.seenAt;
  volume.active = stored.active;
  volume.since = stored.since;
  volume.decommissionedAt = stored.decommissionedAt;
  volume.burnRateNanos = BigInt(stored.burnRateNanos);
  if (stored.published !== null) {
    volume.published = {
      ...stored.published,
      decommissionedAt: stored.published.decommissionedAt,
      burnRateNanos: BigInt(stored.published.burnRateNanos),
    };
  }
}

function restoreGrant(account: Account, id: string, stored: readonly [GrantKind, number | null, number, string]): void {
  const [grantKind, expiresAt, arrival, left] = stored;
  keepGrant(account, {
    kind: 'grant',
    id,
    dirty: false,
    grantKind,
    expiresAt: expiresAt ?? NEVER,
    order: arrival,
    leftNanos: BigInt(left),
  });
}

type StoredQuantity = readonly [
  Quantity['resourceKind'],
  string,
  string,
  Quantity['category'],
  string | null,
  string,
  string,
  string,
  boolean,
  string,
];

function restoreQuantity(account: Account, key: string, stored: StoredQuantity): void {
  const [
    resourceKind,
    resourceId,
    sku,
    category,
    reservationId,
    unitPrice,
    listPrice,
    invoiceMonth,
    correction,
    total,
  ] = stored;
  const totalMs = BigInt(total);
  const unit = unitOf(resourceKind);
  account.quantities.set(key, {
    ...{
      kind: 'quantity',
      key,
      dirty: false,
      resourceKind,
      resourceId,
      sku,
      category,
      invoiceMonth,
      correction,
      totalMs,
    },
    reservationId: reservationId ?? undefined,
    unitPriceMicros: BigInt(unitPrice),
    listPriceMicros: BigInt(listPrice),
    amountNanos: costOf(totalMs, BigInt(unitPrice), unit),
    listAmountNanos: costOf(totalMs, BigInt(listPrice), unit),
  });
}

function restoreMonth(account: Account, month: string, stored: readonly [string, string, string]): void {
  const [granted, refunded, expired] = stored;
  account.months.set(month, {
    kind: 'month',
    month,
    dirty: false,
    grantedNanos: BigInt(granted),
    refundedNanos: BigInt(refunded),
    expiredNanos: BigInt(expired),
  });
}

/** Timers are not stored but for the account's earliest: they follow from what is. */
function arm(account: Account, clock: Instant): void {
  for (const reservation of account.reservations.values())
    if (!reservation.ended) armReservation(account, reservation, clock);
  for (const month of account.months.values()) putTimer(account, finalAt(month.month), month);
  for (const cluster of account.clusters.values()) armCluster(account, cluster, clock);
  for (const volume of account.volumes.values()) if (volume.active) refreshVolume(account, volume, clock);
}

function armCluster(account: Account, cluster: Cluster, clock: Instant): void {
  for (const node of cluster.nodes.values()) if (node.active) refreshNode(account, node, clock);
  for (const use of cluster.gpuTypes.values()) if (use.uncovered > 0) refreshUncovered(account, use, clock);
}
