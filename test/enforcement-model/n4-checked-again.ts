import { DAY_MS, HOUR_MS, type Instant } from '../../services/shared/time.ts';
import type { Due } from './due.ts';
import {
  clusterOf,
  episodeOf,
  exhausted,
  holds,
  isToBegin,
  type Plan,
  type Step,
  uncoveredOf,
  volumeOf,
  type World,
} from './known.ts';
import { actionsOf } from './n3-exhausted.ts';
import { orderOf } from './orders.ts';
import { tell } from './tell.ts';

const waitMs = 24 * HOUR_MS;

/** N4: the next step of each plan, or the end of its wait, and the reminders of that step. */
export function dueOfPlans(world: World): Due[] {
  return world.plans.flatMap((plan) => {
    const [step] = plan.steps;
    if (step === undefined) return [];
    const { kind, id } = plan;
    const at = plan.waits ? step.at + waitMs : step.at;
    const carryOut: Due = {
      at,
      kind,
      id,
      rank: 1,
      run: () => (plan.waits ? drop(world, plan) : checkStep(world, plan, step)),
    };
    return [carryOut, ...plan.steps.flatMap((each) => remindersOf(world, plan, each))];
  });
}

/** N4: a waiting pause or revoke is carried out once its resource is active again. */
export function carryOutWaiting(world: World, at: Instant): void {
  for (const plan of [...world.plans]) {
    const [step] = plan.steps;
    if (!plan.waits || step === undefined || !isActive(world, plan)) continue;
    if (plan.kind === 'cluster' && holds(world, plan.id, at)) {
      drop(world, plan);
      continue;
    }
    const laterMs = at - step.at;
    for (const each of plan.steps) each.at += laterMs;
    plan.heldUntil = at;
    carryOut(world, plan, step);
  }
}

/** C6: what the control plane has removed has nothing coming to it. */
export function removePlan(world: World, gone: string): void {
  world.plans = world.plans.filter(({ kind, id }) => `${kind} ${id}` !== gone);
}

function checkStep(world: World, plan: Plan, step: Step): void {
  const verdict = check(world, plan, step, step.at);
  if (verdict === 'drop') drop(world, plan);
  else if (verdict === 'wait') plan.waits = true;
  else carryOut(world, plan, step);
}

/** N4: still exhausted, and still what N3 says. */
function check(world: World, plan: Plan, step: Step, at: Instant): 'carry out' | 'drop' | 'wait' {
  if (!exhausted(world)) return 'drop';
  const { kind, id } = plan;
  switch (step.command) {
    case 'pause':
      if (holds(world, id, at)) return 'drop';
      return isActive(world, plan) ? 'carry out' : 'wait';
    case 'revoke':
      return isActive(world, plan) ? 'carry out' : 'wait';
    case 'decommission':
      if (step.scope === 'burst') return holds(world, id, at) && uncoveredOf(world, id) > 0 ? 'carry out' : 'drop';
      if (kind === 'volume') return orderOf(world, kind, id).kind === 'revoked' ? 'carry out' : 'drop';
      if (holds(world, id, at) || isToBegin(world, id, at)) return 'drop';
      return orderOf(world, kind, id).kind === 'paused' ? 'carry out' : 'drop';
  }
}

function carryOut(world: World, plan: Plan, step: Step): void {
  const { kind, id } = plan;
  tell(world, step.at, {
    command: step.command,
    resource: { kind, id },
    scope: step.scope,
    ...(step.scope === 'burst' ? burst(world, id) : {}),
    reason: 'credits_exhausted',
    notice: plan.notice,
    episode: episodeOf(world),
    ...(step.command === 'pause' ? { burnedNanos: clusterOf(world, id)?.burnRateNanos ?? 0n } : {}),
  });
  plan.steps.shift();
  plan.waits = false;
  if (plan.steps.length === 0) drop(world, plan);
}

/** K: of scope `burst`, what is uncovered when it is sent, and the reserved capacity that must stay. */
export function burst(world: World, id: string): { gpus: number; keep: Record<string, number> } {
  const types = clusterOf(world, id)?.gpuTypes ?? [];
  const keep = Object.fromEntries(types.filter((t) => t.reserved > 0).map((t) => [t.gpuType, t.reserved]));
  return { gpus: uncoveredOf(world, id), keep };
}

function drop(world: World, plan: Plan): void {
  world.plans = world.plans.filter((other) => other !== plan);
}

function isActive(world: World, { kind, id }: Plan): boolean {
  return (kind === 'cluster' ? clusterOf(world, id) : volumeOf(world, id))?.active === true;
}

/** N1: reminders come 24 h before a cluster's decommission, 1 h before a revoke, 7 d, 72 h and 24 h before a volume's. */
function reminderTimesMs(step: Step): readonly number[] {
  if (step.command === 'revoke') return [HOUR_MS];
  if (step.scope === 'cluster' && step.command === 'decommission') return [24 * HOUR_MS];
  if (step.scope === 'volume' && step.command === 'decommission') return [7 * DAY_MS, 72 * HOUR_MS, 24 * HOUR_MS];
  return [];
}

function remindersOf(world: World, plan: Plan, step: Step): Due[] {
  if (plan.waits) return [];
  return reminderTimesMs(step).flatMap((beforeMs) => {
    const at = step.at - beforeMs;
    const name = `reminder ${plan.notice.issuedAt} ${plan.kind} ${plan.id} ${step.command} ${beforeMs}`;
    if (at <= plan.notice.issuedAt || at < plan.heldUntil || world.over.has(name)) return [];
    const { kind, id } = plan;
    const run = (): void => {
      world.over.add(name);
      const [next] = plan.steps;
      if (next === undefined || check(world, plan, next, at) !== 'carry out') return;
      tell(world, at, {
        command: 'alert',
        alert: 'action_reminder',
        resource: { kind, id },
        reason: 'action_reminder',
        notice: plan.notice,
        episode: episodeOf(world),
        detail: { actions: actionsOf(kind, id, plan.steps) },
      });
    };
    return [{ at, kind, id, rank: 2, run }];
  });
}
