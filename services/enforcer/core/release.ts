import { announceIfUnfunded, resourcesInOrder } from './announce.ts';
import { askGate, carryOutEnds, stepAction, tryNext } from './carry-out.ts';
import type { Plan, ResourceState } from './state.ts';
import type { Turn } from './turn.ts';

/**
 * N9, N11: what was held and may go on is due anew at the turn's instant and checked again; what follows moves by as long as
 * it was held. What still may not stays held.
 */
export function releaseHeld(turn: Turn): void {
  const { account } = turn;
  account.held = undefined;
  for (const resource of resourcesInOrder(account)) {
    if (resource.kind === 'cluster') {
      for (const reservation of turn.reservationsOf(resource.id)) {
        if (reservation.end === 'held') reservation.end = 'coming';
      }
      carryOutEnds(turn, resource);
    }
    if (resource.plan?.pending === 'held') releasePlan(turn, resource, resource.plan);
  }
}

function releasePlan(turn: Turn, resource: ResourceState, plan: Plan): void {
  const { at, rules } = turn;
  if (askGate(turn, stepAction(turn, plan)) !== undefined) return;
  const [first, ...rest] = rules.shiftSteps(plan.steps, Math.max(0, at - plan.steps[0].at), at);
  if (first === undefined) return;
  const anew: Plan = { ...plan, steps: [first, ...rest], pending: 'coming' };
  resource.plan = anew;
  tryNext(turn, resource, anew);
  announceIfUnfunded(turn, resource);
}
