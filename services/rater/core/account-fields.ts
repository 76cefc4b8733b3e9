import { assertNever } from '../../shared/assert-never.ts';
import {
  type Account,
  type Changed,
  type Cluster,
  NEVER,
  type Node,
  type Quantity,
  type Reservation,
  type Volume,
} from './account.ts';
import type { PriceList } from './price-list.ts';

/** One field of an account's hash in the store; null deletes it. No id holds the character that joins a name's parts. */
export type FieldWrite = readonly [field: string, value: string | null];

/**
 * What a commit must write of an account: small absolute values, only of what changed since the last call. A node's sample
 * in steady state is its own field, the chunk of hours it is billed in, one quantity and the totals.
 */
export function takeFieldWrites(account: Account): readonly FieldWrite[] {
  const writes: FieldWrite[] = [];
  for (const changed of account.changes) {
    changed.dirty = false;
    write(account, changed, writes);
  }
  account.changes.length = 0;
  return writes;
}

function write(account: Account, changed: Changed, writes: FieldWrite[]): void {
  switch (changed.kind) {
    case 'account':
      writes.push(['totals', totalsText(changed)]);
      return;
    case 'grant': {
      const { grantKind, expiresAt, order, leftNanos } = changed;
      const value = [grantKind, expiresAt === NEVER ? null : expiresAt, order, `${leftNanos}`];
      writes.push([`g/${changed.id}`, leftNanos === 0n ? null : JSON.stringify(value)]);
      return;
    }
    case 'reservation':
      writeReservation(account, changed, writes);
      return;
    case 'cluster': {
      const known = account.clusters.get(changed.id) === changed;
      writes.push([`c/${changed.id}`, known ? clusterText(changed) : null]);
      return;
    }
    case 'node':
      writeNode(account, changed, writes);
      return;
    case 'volume':
      writeVolume(account, changed, writes);
      return;
    case 'contract': {
      const gpuHour = [...changed.gpuHour].map(([gpuType, list]) => [gpuType, priceListValue(list)]);
      writes.push(['k', JSON.stringify([gpuHour, priceListValue(changed.gibMonth)])]);
      return;
    }
    case 'applied':
      writes.push([`i/${changed.key}`, changed.fingerprint]);
      return;
    case 'quantity':
      writes.push([`q/${changed.key}`, account.quantities.get(changed.key) === changed ? quantityText(changed) : null]);
      return;
    case 'month': {
      const value = [`${changed.grantedNanos}`, `${changed.refundedNanos}`, `${changed.expiredNanos}`];
      const open = account.months.get(changed.month) === changed;
      writes.push([`m/${changed.month}`, open ? JSON.stringify(value) : null]);
      return;
    }
    default:
      assertNever(changed);
  }
}

function totalsText(account: Account): string {
  return JSON.stringify(account.totals, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

function writeReservation(account: Account, reservation: Reservation, writes: FieldWrite[]): void {
  const field = `r/${reservation.id}`;
  const chunk = (hour: number): string => `u/${reservation.id}/${hour}`;
  if (account.reservations.get(reservation.id) !== reservation) {
    writes.push([field, null]);
    for (const hour of reservation.used.hours()) writes.push([chunk(hour), null]);
    return;
  }
  const { clusterId, gpuType, gpus, startsAt, endsAt, priceMicros, payment, overdraft, charged } = reservation;
  const value = {
    ...{ clusterId, gpuType, gpus, startsAt, endsAt, priceMicros: `${priceMicros}`, payment, overdraft, charged },
    chargedNanos: `${reservation.chargedNanos}`,
    refundedNanos: `${reservation.refundedNanos}`,
    unchargedTerms: reservation.unchargedTerms.map((term) => [term.from, term.to, `${term.priceMicros}`]),
    endSetBy: reservation.endSetBy,
    revision: reservation.revision,
    entries: reservation.entries,
    ended: reservation.ended,
  };
  writes.push([field, JSON.stringify(value)]);
  for (const [hour, steps] of reservation.used.takeChanges()) writes.push([chunk(hour), chunkText(steps)]);
}

function writeNode(account: Account, node: Node, writes: FieldWrite[]): void {
  const name = `${node.cluster.id}/${node.id}`;
  const known = account.clusters.get(node.cluster.id)?.nodes.get(node.id) === node;
  const { lastEnd, seenAt, active } = node;
  const value = [node.use.gpuType, node.gpus, lastEnd, seenAt, active ? 1 : 0];
  writes.push([`n/${name}`, known ? JSON.stringify(value) : null]);
  if (known)
    for (const [hour, bounds] of node.billed.takeChanges()) writes.push([`b/${name}/${hour}`, chunkText(bounds)]);
  else for (const hour of node.billed.hours()) writes.push([`b/${name}/${hour}`, null]);
}

function writeVolume(account: Account, volume: Volume, writes: FieldWrite[]): void {
  const known = account.volumes.get(volume.id) === volume;
  const { sizeGib, lastEnd, seenAt, active, since, decommissionedAt, burnRateNanos, published } = volume;
  const value = {
    ...{ sizeGib, lastEnd, seenAt, active, since, decommissionedAt },
    burnRateNanos: `${burnRateNanos}`,
    published: published === undefined ? null : { ...published, burnRateNanos: `${published.burnRateNanos}` },
  };
  writes.push([`v/${volume.id}`, known ? JSON.stringify(value) : null]);
  if (known)
    for (const [hour, bounds] of volume.billed.takeChanges())
      writes.push([`w/${volume.id}/${hour}`, chunkText(bounds)]);
  else for (const hour of volume.billed.hours()) writes.push([`w/${volume.id}/${hour}`, null]);
}

function clusterText(cluster: Cluster): string {
  const { provisioned, decommissionedAt, since, burnRateNanos, published } = cluster;
  return JSON.stringify({
    ...{ provisioned, decommissionedAt, since, burnRateNanos: `${burnRateNanos}` },
    gpuTypes: [...cluster.gpuTypes.values()].map((use) => [
      use.gpuType,
      use.inUse,
      use.reserved,
      use.uncovered,
      use.paidEnd,
      use.paidSeenAt,
      `${use.burnRateNanos}`,
    ]),
    published: published === undefined ? null : { ...published, burnRateNanos: `${published.burnRateNanos}` },
  });
}

function quantityText(quantity: Quantity): string {
  const { resourceKind, resourceId, sku, category, reservationId, invoiceMonth, correction } = quantity;
  return JSON.stringify([
    resourceKind,
    resourceId,
    sku,
    category,
    reservationId ?? null,
    `${quantity.unitPriceMicros}`,
    `${quantity.listPriceMicros}`,
    invoiceMonth,
    correction,
    `${quantity.totalMs}`,
  ]);
}

/** A list of dated prices as a JSON value. */
export function priceListValue(list: PriceList): readonly (readonly [number, string])[] {
  return list.map(({ from, priceMicros }) => [from, `${priceMicros}`]);
}

function chunkText(chunk: readonly number[]): string | null {
  return chunk.length === 0 ? null : JSON.stringify(chunk);
}
