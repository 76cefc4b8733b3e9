import type { UsageGpu, UsageStorage } from '../../shared/contracts/event.ts';
import { HOUR_MS, type Instant } from '../../shared/time.ts';
import {
  type Account,
  type Activity,
  type Cluster,
  type GpuTypeUse,
  type Node,
  touch,
  type Volume,
} from './account.ts';
import { putTimer } from './timers.ts';

/** C6: a sample that came at most this long after its end keeps its resource active from when it came. */
const FRESH_MS = 2 * HOUR_MS;

/** C6: from when `activity_window` counts for what ended at `end` and came at `clock`. */
export function seenAt(end: Instant, clock: Instant): Instant {
  return clock - end <= FRESH_MS ? Math.max(end, clock) : end;
}

/**
 * C6: an accepted sample of a node: the one with the greatest end says what it uses, and how long it counts as active.
 * @param use of the sample's type of GPU
 */
export function nodeSeen(account: Account, node: Node, use: GpuTypeUse, usage: UsageGpu, clock: Instant): void {
  if (usage.end <= node.lastEnd || usage.end <= node.cluster.decommissionedAt) return;
  node.lastEnd = usage.end;
  node.seenAt = seenAt(usage.end, clock);
  touch(account, node);
  const unchanged = node.gpus === usage.gpus && node.use === use;
  if (unchanged && node.active && clock < node.seenAt + account.policy.activityWindowMs) {
    armNode(account, node);
    return;
  }
  const { activeNodes, since } = node.cluster;
  if (node.active) countNode(account, node, -1, clock);
  node.gpus = usage.gpus;
  node.use = use;
  node.active = false;
  refreshNode(account, node, clock);
  // B1: a cluster whose only node comes back with other GPUs was never idle, and stays active since when it was.
  if (activeNodes > 0 && node.cluster.activeNodes > 0) node.cluster.since = since;
}

/** C6: brings a node to what its last sample, the window and the clock say. True if it changed. */
export function refreshNode(account: Account, node: Node, clock: Instant): boolean {
  const active = isWithin(node.seenAt, account, clock);
  if (active) armNode(account, node);
  if (active === node.active) return false;
  node.active = active;
  countNode(account, node, active ? 1 : -1, clock);
  return true;
}

/** C6: a decommission makes a node idle at once, and ends what was coming to it; what ends later begins anew. */
export function endNode(account: Account, node: Node, clock: Instant): void {
  endActivity(node, clock);
  touch(account, node);
  refreshNode(account, node, clock);
}

/** C6: an accepted sample of a volume. */
export function volumeSeen(account: Account, volume: Volume, usage: UsageStorage, clock: Instant): void {
  if (usage.end <= volume.lastEnd || usage.end <= volume.decommissionedAt) return;
  volume.lastEnd = usage.end;
  volume.seenAt = seenAt(usage.end, clock);
  touch(account, volume);
  if (volume.sizeGib !== usage.sizeGib) {
    volume.sizeGib = usage.sizeGib;
    volumeChanged(account, volume);
  }
  refreshVolume(account, volume, clock);
}

/** C6: brings a volume to what its last sample, the window and the clock say. True if it changed. */
export function refreshVolume(account: Account, volume: Volume, clock: Instant): boolean {
  const active = isWithin(volume.seenAt, account, clock);
  if (active) arm(account, volume, volume.seenAt + account.policy.activityWindowMs);
  if (active === volume.active) return false;
  volume.active = active;
  volume.since = clock;
  touch(account, volume);
  volumeChanged(account, volume);
  return true;
}

export function endActivity(activity: Activity, clock: Instant): void {
  activity.lastEnd = clock;
  activity.seenAt = -1;
}

/** C6: notes the greatest end of what was rated `burst` or `on_demand` for a type of GPU in a cluster. */
export function paidUntil(account: Account, use: GpuTypeUse, end: Instant, clock: Instant): void {
  if (end <= use.paidEnd || end <= use.cluster.decommissionedAt) return;
  use.paidEnd = end;
  use.paidSeenAt = seenAt(end, clock);
  touch(account, use.cluster);
}

/** C6: works out what is uncovered: in use beyond reserved, while something was rated as paid within the window. */
export function refreshUncovered(account: Account, use: GpuTypeUse, clock: Instant): boolean {
  const paid = isWithin(use.paidSeenAt, account, clock);
  const uncovered = paid ? Math.max(0, use.inUse - use.reserved) : 0;
  if (uncovered > 0) arm(account, use, use.paidSeenAt + account.policy.activityWindowMs);
  if (uncovered === use.uncovered) return false;
  use.uncovered = uncovered;
  clusterChanged(account, use.cluster);
  return true;
}

/** Notes that a cluster's facts may have changed since the last update (B2). */
export function clusterChanged(account: Account, cluster: Cluster): void {
  account.unpublished.resources.add(cluster);
  touch(account, cluster);
}

/** Notes that a volume's facts may have changed since the last update (B2). */
export function volumeChanged(account: Account, volume: Volume): void {
  account.unpublished.resources.add(volume);
}

function countNode(account: Account, node: Node, sign: 1 | -1, clock: Instant): void {
  const { cluster, use } = node;
  const wasActive = cluster.activeNodes > 0;
  cluster.activeNodes += sign;
  use.inUse += sign * node.gpus;
  if (wasActive !== cluster.activeNodes > 0) cluster.since = clock;
  touch(account, node);
  clusterChanged(account, cluster);
}

function armNode(account: Account, node: Node): void {
  arm(account, node, node.seenAt + account.policy.activityWindowMs);
}

/** A timer that stands earlier is left: it is looked at then, and put back (TimerHeap). */
function arm(account: Account, subject: Node | Volume | GpuTypeUse, at: Instant): void {
  if (subject.timerAt <= at) return;
  subject.timerAt = at;
  putTimer(account, at, subject);
}

function isWithin(seen: Instant, account: Account, clock: Instant): boolean {
  return seen >= 0 && clock < seen + account.policy.activityWindowMs;
}
