import { DAY_MS, type Instant } from '../../shared/time.ts';
import { type Account, type Cluster, touch } from './account.ts';
import type { IntervalSet } from './interval-set.ts';

/** A day longer than any sample reaches back (E4 `too_late`), so that nothing that could still be asked for is forgotten. */
const KEPT_MS = 36 * DAY_MS;

/**
 * Forgets what no event can reach any more: nodes, volumes and reservations that ended before any sample that is still let
 * in, and clusters left with none. State is bounded by resources, not by history. What is forgotten reads, to every rule,
 * like what was never there.
 */
export function prune(account: Account, clock: Instant): void {
  const cutoff = clock - KEPT_MS;
  for (const reservation of account.reservations.values()) {
    if (!reservation.ended || reservation.endsAt > cutoff) continue;
    account.reservations.delete(reservation.id);
    touch(account, reservation);
    const uses = account.clusters.get(reservation.clusterId)?.gpuTypes.get(reservation.gpuType)?.reservations;
    const index = uses?.indexOf(reservation) ?? -1;
    if (index >= 0) uses?.splice(index, 1);
  }
  for (const cluster of account.clusters.values()) pruneCluster(account, cluster, cutoff);
  for (const volume of account.volumes.values()) {
    if (volume.active || volume.decommissionedAt > cutoff || isReachable(volume.billed, cutoff)) continue;
    account.volumes.delete(volume.id);
    touch(account, volume);
  }
}

function pruneCluster(account: Account, cluster: Cluster, cutoff: Instant): void {
  for (const node of cluster.nodes.values()) {
    if (node.active || isReachable(node.billed, cutoff)) continue;
    cluster.nodes.delete(node.id);
    touch(account, node);
  }
  for (const [gpuType, use] of cluster.gpuTypes) {
    if (use.inUse > 0 || use.reservations.length > 0 || use.paidEnd > cutoff) continue;
    if ([...cluster.nodes.values()].some((node) => node.use === use)) continue;
    cluster.gpuTypes.delete(gpuType);
    touch(account, cluster);
  }
  const named = [...account.reservations.values()].some(({ clusterId }) => clusterId === cluster.id);
  if (cluster.provisioned || named || cluster.nodes.size > 0 || cluster.decommissionedAt > cutoff) return;
  account.clusters.delete(cluster.id);
  touch(account, cluster);
}

/**
 * R2: what was billed may be asked for again by any sample that is still let in, whatever became of its node: a late sample
 * of a cluster that is gone is billed once, like any other.
 */
function isReachable(billed: IntervalSet, cutoff: Instant): boolean {
  billed.forgetBefore(cutoff);
  return !billed.isEmpty();
}
