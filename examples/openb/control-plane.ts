import type { LogEvent } from './log-event.ts';
import type { Reservation } from './reservations.ts';
import { DAY_MS, MINUTE_MS, type Window } from './time.ts';
import type { Volume } from './volumes.ts';
import type { Workload } from './workloads.ts';

const PROVISIONED_BEFORE_MS = 5 * MINUTE_MS;
const DECOMMISSIONED_AFTER_MS = 10 * MINUTE_MS;
const IDLE_MAX_MS = 7 * DAY_MS;
const SOURCE = 'openb/control-plane';

/**
 * What the control plane says: a cluster is provisioned five minutes before its first pod and decommissioned ten
 * minutes after it was left: when its last reservation ended and nothing ran, or nothing ran for a week to come.
 * The next pod provisions it anew. Volumes are created and decommissioned as planned.
 */
export function controlPlaneEvents(
  workloads: readonly Workload[],
  reservations: readonly Reservation[],
  volumes: readonly Volume[],
  window: Window,
): LogEvent[] {
  const events: LogEvent[] = [];
  for (const volume of volumes) {
    const about = { source: SOURCE, subject: volume.account, data: { volume_id: volume.volumeId } };
    events.push({ ...about, id: `created:${volume.volumeId}`, type: 'volume.created', at: volume.startAt });
    if (volume.ends) {
      const at = volume.endAt + DECOMMISSIONED_AFTER_MS;
      events.push({ ...about, id: `gone:${volume.volumeId}`, type: 'volume.decommissioned', at });
    }
  }
  for (const [clusterId, changes] of changesByCluster(workloads, reservations)) {
    events.push(...clusterEvents(clusterId, changes, window));
  }
  return events;
}

interface Change {
  readonly at: number;
  readonly of: 'pod' | 'reservation';
  readonly by: 1 | -1;
  readonly account: string;
}

function changesByCluster(
  workloads: readonly Workload[],
  reservations: readonly Reservation[],
): Map<string, readonly Change[]> {
  const clusters = new Map<string, Change[]>();
  const add = (clusterId: string, change: Change): void => {
    const changes = clusters.get(clusterId);
    if (changes === undefined) clusters.set(clusterId, [change]);
    else changes.push(change);
  };
  for (const { clusterId, account, startAt, endAt } of workloads) {
    add(clusterId, { at: startAt, of: 'pod', by: 1, account });
    add(clusterId, { at: endAt, of: 'pod', by: -1, account });
  }
  for (const { clusterId, account, startsAt, endsAt } of reservations) {
    add(clusterId, { at: startsAt, of: 'reservation', by: 1, account });
    add(clusterId, { at: endsAt, of: 'reservation', by: -1, account });
  }
  // Beginnings before ends: one that follows another without a gap leaves the cluster in use. Pods end before
  // reservations, so that the last change of an instant says what was left last.
  for (const changes of clusters.values()) {
    changes.sort((a, b) => a.at - b.at || b.by - a.by || (a.of === b.of ? 0 : a.of === 'pod' ? -1 : 1));
  }
  return clusters;
}

function* clusterEvents(clusterId: string, changes: readonly Change[], window: Window): Generator<LogEvent> {
  let provisioned = false;
  let times = 0;
  let pods = 0;
  let reserved = 0;
  for (const [index, change] of changes.entries()) {
    if (change.of === 'pod') pods += change.by;
    else reserved += change.by;
    const about = { source: SOURCE, subject: change.account, data: { cluster_id: clusterId } };

    if (change.of === 'pod' && change.by === 1 && !provisioned) {
      provisioned = true;
      times += 1;
      const at = Math.max(window.startAt, change.at - PROVISIONED_BEFORE_MS);
      yield { ...about, id: `provisioned:${clusterId}:${times}`, type: 'cluster.provisioned', at };
    }
    if (!provisioned || pods > 0 || reserved > 0) continue;

    const nextAt = changes[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const at = change.at + DECOMMISSIONED_AFTER_MS;
    const left = change.of === 'reservation' ? nextAt - PROVISIONED_BEFORE_MS > at : nextAt - change.at > IDLE_MAX_MS;
    if (left && at < window.endAt) {
      provisioned = false;
      yield { ...about, id: `decommissioned:${clusterId}:${times}`, type: 'cluster.decommissioned', at };
    }
  }
}
