import type { Instant } from '../../services/shared/time.ts';
import {
  clusterOf,
  episodeOf,
  exhausted,
  holds,
  idsOf,
  isToBegin,
  latest,
  now,
  type Plan,
  type Step,
  uncoveredOf,
  volumeOf,
  type World,
} from './known.ts';
import { endsNow } from './n6-reservation-end.ts';
import { burstOrderOf, isOfThisEpisode, orderOf } from './orders.ts';
import { accountIn, tell } from './tell.ts';
import type { ComingAction, Told } from './told.ts';

/** N3: an episode begins: one alert that lists every coming action. */
export function episodeBegins(world: World, at: Instant): void {
  if (!exhausted(world) || now(world).previous?.level === 'exhausted') return;
  const cases = casesOf(world, at);
  const notice = tell(world, at, {
    command: 'alert',
    alert: 'credits_exhausted',
    resource: accountIn(world),
    reason: 'credits_exhausted',
    episode: episodeOf(world),
    detail: { actions: cases.flatMap(({ kind, id, steps }) => actionsOf(kind, id, steps)) },
  });
  for (const { kind, id, steps } of cases) plan(world, notice, kind, id, steps);
}

/** N3: a resource that comes to be one of these while the account is exhausted gets a notice of its own. */
export function unfunded(world: World, at: Instant): void {
  if (!exhausted(world)) return;
  for (const { kind, id, steps } of casesOf(world, at)) {
    const notice = tell(world, at, {
      command: 'alert',
      alert: 'resource_unfunded',
      resource: { kind, id },
      reason: 'resource_unfunded',
      episode: episodeOf(world),
      detail: { actions: actionsOf(kind, id, steps) },
    });
    plan(world, notice, kind, id, steps);
  }
}

export function actionsOf(kind: 'cluster' | 'volume', id: string, steps: readonly Step[]): ComingAction[] {
  return steps.map(({ command, scope, gpus, at }) => ({
    resource: { kind, id },
    command,
    scope,
    ...(gpus === undefined ? {} : { gpus }),
    at,
  }));
}

interface Case {
  readonly kind: 'cluster' | 'volume';
  readonly id: string;
  readonly steps: Step[];
}

/** What is one of N3's and has no coming action yet. */
function casesOf(world: World, at: Instant): Case[] {
  const cases: Case[] = [];
  for (const kind of ['cluster', 'volume'] as const) {
    for (const id of idsOf(world, kind)) {
      if (world.plans.some((p) => p.kind === kind && p.id === id)) continue;
      const steps = kind === 'cluster' ? stepsOfCluster(world, id, at) : stepsOfVolume(world, id, at);
      if (steps.length > 0) cases.push({ kind, id, steps });
    }
  }
  return cases;
}

function stepsOfCluster(world: World, id: string, at: Instant): Step[] {
  const { policy } = latest(world);
  if (endsNow(world, id, at).length > 0) return [];
  const reserved = holds(world, id, at);
  const order = orderOf(world, 'cluster', id);
  if (order.kind === 'decommissioned' && !reserved) return [];
  if (order.kind === 'paused' && !reserved) {
    if (isOfThisEpisode(world, order.told) || isToBegin(world, id, at)) return [];
    return [{ command: 'decommission', scope: 'cluster', at: at + policy.decommissionPausedAfterMs }];
  }
  const shrinks = burstOrderOf(world, id);
  if (shrinks !== undefined) return [];
  const gpus = uncoveredOf(world, id);
  if (reserved) {
    if (gpus === 0) return [];
    return [{ command: 'decommission', scope: 'burst', gpus, at: at + policy.burstDecommissionAfterMs }];
  }
  if (clusterOf(world, id)?.active !== true) return [];
  const pauseAt = at + policy.pauseAfterMs;
  const pause: Step = { command: 'pause', scope: 'cluster', at: pauseAt };
  if (isToBegin(world, id, at)) return [pause];
  return [pause, { command: 'decommission', scope: 'cluster', at: pauseAt + policy.decommissionPausedAfterMs }];
}

function stepsOfVolume(world: World, id: string, at: Instant): Step[] {
  const { policy } = latest(world);
  const order = orderOf(world, 'volume', id);
  if (order.kind === 'decommissioned') return [];
  if (order.kind === 'revoked') {
    if (isOfThisEpisode(world, order.told)) return [];
    return [{ command: 'decommission', scope: 'volume', at: at + policy.decommissionRevokedAfterMs }];
  }
  if (volumeOf(world, id)?.active !== true) return [];
  const revokeAt = at + policy.revokeAfterMs;
  return [
    { command: 'revoke', scope: 'volume', at: revokeAt },
    { command: 'decommission', scope: 'volume', at: revokeAt + policy.decommissionRevokedAfterMs },
  ];
}

function plan(world: World, notice: Told, kind: Plan['kind'], id: string, steps: readonly Step[]): void {
  const copies = steps.map((step) => ({ ...step }));
  world.plans.push({ notice, kind, id, steps: copies, heldUntil: notice.issuedAt, waits: false });
}
