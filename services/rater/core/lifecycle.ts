import type { Instant } from '../../shared/time.ts';
import { type Account, type Effects, touch } from './account.ts';
import {
  clusterChanged,
  endActivity,
  endNode,
  refreshNode,
  refreshUncovered,
  refreshVolume,
  volumeChanged,
} from './activity.ts';
import { provision } from './provisioning.ts';
import { clusterOf, volumeOf } from './resources.ts';

/** C4: `cluster.provisioned`: its `on_provision` reservations are charged, if it was not there already. */
export function provisionCluster(account: Account, clusterId: string, clock: Instant, effects: Effects): void {
  const cluster = clusterOf(account, clusterId, clock);
  if (!cluster.provisioned) provision(account, cluster, clock, effects);
}

/** C4, C6: `cluster.decommissioned`: idle at once, what was coming to it ends, and usage that ends later begins anew. */
export function decommissionCluster(account: Account, clusterId: string, clock: Instant): void {
  const cluster = clusterOf(account, clusterId, clock);
  cluster.provisioned = false;
  cluster.decommissionedAt = clock;
  clusterChanged(account, cluster);
  for (const node of cluster.nodes.values()) endNode(account, node, clock);
  for (const use of cluster.gpuTypes.values()) {
    use.paidEnd = clock;
    use.paidSeenAt = -1;
    refreshUncovered(account, use, clock);
  }
}

/** C6: `volume.decommissioned`: idle at once, and usage that ends later begins anew. */
export function decommissionVolume(account: Account, volumeId: string, clock: Instant): void {
  const volume = volumeOf(account, volumeId, clock);
  volume.decommissionedAt = clock;
  endActivity(volume, clock);
  touch(account, volume);
  volumeChanged(account, volume);
  refreshVolume(account, volume, clock);
}

/** N1, C6: a new `activity_window` holds at once, for everything that is or was in use. */
export function refreshAllActivity(account: Account, clock: Instant): void {
  for (const cluster of account.clusters.values()) {
    for (const node of cluster.nodes.values()) refreshNode(account, node, clock);
    for (const use of cluster.gpuTypes.values()) refreshUncovered(account, use, clock);
  }
  for (const volume of account.volumes.values()) refreshVolume(account, volume, clock);
}
