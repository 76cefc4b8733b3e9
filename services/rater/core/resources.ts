import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import { type Account, type Cluster, type GpuTypeUse, NEVER, type Reservation, touch, type Volume } from './account.ts';
import { clusterChanged } from './activity.ts';
import { IntervalSet } from './interval-set.ts';

/** The account's cluster of this name, known from now on if it was not. */
export function clusterOf(account: Account, id: string, clock: Instant): Cluster {
  const known = account.clusters.get(id);
  if (known !== undefined) return known;
  const cluster: Cluster = {
    kind: 'cluster',
    id,
    dirty: false,
    nodes: new Map(),
    gpuTypes: new Map(),
    provisioned: false,
    decommissionedAt: -1,
    activeNodes: 0,
    since: clock,
    burnRateNanos: 0n,
    published: undefined,
  };
  account.clusters.set(id, cluster);
  touch(account, cluster);
  return cluster;
}

/** The account's volume of this name, known from now on if it was not. */
export function volumeOf(account: Account, id: string, clock: Instant): Volume {
  const known = account.volumes.get(id);
  if (known !== undefined) return known;
  const volume: Volume = {
    kind: 'volume',
    id,
    dirty: false,
    sizeGib: 0,
    lastEnd: -1,
    seenAt: -1,
    active: false,
    timerAt: NEVER,
    since: clock,
    decommissionedAt: -1,
    burnRateNanos: 0n,
    billed: new IntervalSet(),
    lastQuantity: undefined,
    published: undefined,
  };
  account.volumes.set(id, volume);
  touch(account, volume);
  return volume;
}

/** The use of one type of GPU in a cluster, known from now on if it was not. */
export function gpuTypeOf(cluster: Cluster, gpuType: string): GpuTypeUse {
  const known = cluster.gpuTypes.get(gpuType);
  if (known !== undefined) return known;
  const use: GpuTypeUse = {
    kind: 'gpu_type',
    gpuType,
    cluster,
    inUse: 0,
    reserved: 0,
    uncovered: 0,
    paidEnd: -1,
    paidSeenAt: -1,
    timerAt: NEVER,
    burnRateNanos: 0n,
    reservations: [],
  };
  cluster.gpuTypes.set(gpuType, use);
  return use;
}

/** R4: puts a charged reservation in its place: earliest end first, then lowest id; also after its end has moved. */
export function holdReservation(use: GpuTypeUse, reservation: Reservation): void {
  if (!use.reservations.includes(reservation)) use.reservations.push(reservation);
  use.reservations.sort((left, right) => left.endsAt - right.endsAt || compareText(left.id, right.id));
}

/** C6: works out the capacity of the reservations that hold now. True if it changed. */
export function refreshReserved(account: Account, use: GpuTypeUse, clock: Instant): boolean {
  let reserved = 0;
  for (const { startsAt, endsAt, gpus } of use.reservations) if (startsAt <= clock && clock < endsAt) reserved += gpus;
  if (reserved === use.reserved) return false;
  use.reserved = reserved;
  clusterChanged(account, use.cluster);
  return true;
}
