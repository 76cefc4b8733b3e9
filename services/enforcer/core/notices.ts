import type { PlannedAction, Subject } from '../../shared/contracts/command.ts';
import type { Policy } from '../../shared/contracts/policy.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../shared/time.ts';
import { uncoveredOf } from './reserved.ts';
import type { ActionName, ClusterState, Step, VolumeState } from './state.ts';

/** N1: how long before an action it is reminded of, longest first; before a pause or the end of a burst not at all. */
const REVOKE_REMINDERS_MS: readonly number[] = [HOUR_MS];
const REMOVE_CLUSTER_REMINDERS_MS: readonly number[] = [DAY_MS];
const REMOVE_VOLUME_REMINDERS_MS: readonly number[] = [7 * DAY_MS, 72 * HOUR_MS, DAY_MS];

/** How a cluster stands with its reservations. */
export interface ClusterCover {
  /** A reservation of it holds. */
  readonly holds: boolean;
  /** A charged reservation of it is still to begin. */
  readonly begins: boolean;
}

/**
 * N3: what comes to a cluster of an exhausted account that gets its notice at `at`, the next step first; none if N3 does not
 * list it. N4: with a reservation still to begin it may be paused, but its decommission is not announced.
 */
export function clusterSteps(cluster: ClusterState, cover: ClusterCover, policy: Policy, at: Instant): readonly Step[] {
  if (cover.holds) {
    const gpus = uncoveredOf(cluster.facts);
    if (gpus === 0) return [];
    return [step('decommission', 'burst', at, policy.burstDecommissionAfterMs, [], gpus)];
  }
  if (cluster.paused !== undefined) {
    if (cover.begins) return [];
    return [step('decommission', 'cluster', at, policy.decommissionPausedAfterMs, REMOVE_CLUSTER_REMINDERS_MS)];
  }
  if (cluster.facts?.active !== true) return [];
  const pause = step('pause', 'cluster', at, policy.pauseAfterMs, []);
  if (cover.begins) return [pause];
  const afterMs = policy.pauseAfterMs + policy.decommissionPausedAfterMs;
  return [pause, step('decommission', 'cluster', at, afterMs, REMOVE_CLUSTER_REMINDERS_MS)];
}

/** N3: what comes to a volume of an exhausted account that gets its notice at `at`; none unless it is active. */
export function volumeSteps(volume: VolumeState, policy: Policy, at: Instant): readonly Step[] {
  if (volume.facts?.active !== true) return [];
  const afterMs = policy.revokeAfterMs + policy.decommissionRevokedAfterMs;
  return [
    step('revoke', 'volume', at, policy.revokeAfterMs, REVOKE_REMINDERS_MS),
    step('decommission', 'volume', at, afterMs, REMOVE_VOLUME_REMINDERS_MS),
  ];
}

/** K: `detail.actions`, for one resource. */
export function plannedActions(resource: Subject, steps: readonly Step[]): readonly PlannedAction[] {
  return steps.map(({ command, scope, gpus, at }) => ({ resource, command, scope, gpus, at }));
}

/**
 * N4, N9: what follows an action moves by as long as the action was late. A reminder whose new time is past is left out: it
 * would not come before what it reminds of by as much as it says.
 */
export function shiftSteps(steps: readonly Step[], byMs: number, at: Instant): readonly Step[] {
  if (byMs === 0) return steps;
  return steps.map((later) => {
    const movedAt = later.at + byMs;
    return { ...later, at: movedAt, remindersMs: later.remindersMs.filter((beforeMs) => movedAt - beforeMs >= at) };
  });
}

/** N4: a reminder is left out where it would not come after the notice. */
function step(
  command: ActionName,
  scope: Step['scope'],
  noticeAt: Instant,
  noticeMs: number,
  remindersMs: readonly number[],
  gpus?: number,
): Step {
  return {
    command,
    scope,
    at: noticeAt + noticeMs,
    noticeMs,
    gpus,
    remindersMs: remindersMs.filter((beforeMs) => beforeMs < noticeMs),
  };
}
