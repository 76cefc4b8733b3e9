import { assertNever } from '../../shared/assert-never.ts';
import { DAY_MS } from '../../shared/time.ts';
import { announceIfUnfunded } from './announce.ts';
import type { Verdict } from './check.ts';
import { coverOf } from './cover.ts';
import { decidingEnd, endedReservations } from './ends.ts';
import { meet } from './meet.ts';
import { sendExpiring, sendReservationEnding } from './send-notices.ts';
import type { ClusterState, Plan, ReservationState, ResourceState, Step } from './state.ts';
import type { GatedAction, Turn } from './turn.ts';

/** N4: a pause or revoke that finds its resource idle waits this long. */
export const WAIT_MS = DAY_MS;

export type DueKind = 'cluster' | 'grant' | 'reservation' | 'volume';

/** Carries out all that is due of one subject at the turn's instant; what was taken back meanwhile is not there any more. */
export function carryOutDue(turn: Turn, kind: DueKind, id: string): void {
  const { account } = turn;
  switch (kind) {
    case 'cluster': {
      const cluster = account.clusters.get(id);
      if (cluster === undefined) return;
      carryOutEnds(turn, cluster);
      carryOutResource(turn, cluster);
      return;
    }
    case 'volume': {
      const volume = account.volumes.get(id);
      if (volume !== undefined) carryOutResource(turn, volume);
      return;
    }
    case 'reservation': {
      const reservation = account.reservations.get(id);
      if (reservation !== undefined) sendReservationEnding(turn, reservation);
      return;
    }
    case 'grant': {
      const grant = account.grants.get(id);
      if (grant !== undefined) sendExpiring(turn, grant);
      return;
    }
    default:
      assertNever(kind);
  }
}

/**
 * N6: carries out the ends of a cluster's reservations whose time has come: one decommission, by the lowest id, or none.
 * L2: only at the end; L1: only after an alert of that end.
 */
export function carryOutEnds(turn: Turn, cluster: ClusterState): void {
  const { account } = turn;
  const ended = endedReservations(turn, cluster).filter((reservation) => reservation.end === 'coming');
  if (ended.length === 0) return;
  const deciding = decidingEnd(turn, cluster, ended);
  const because = deciding === undefined ? undefined : askGate(turn, endAction(turn, deciding));
  for (const reservation of ended) {
    reservation.end = because === undefined ? 'done' : 'held';
    if (!reservation.listed && because === undefined) account.reservations.delete(reservation.facts.reservationId);
  }
  turn.reindex();
  if (deciding !== undefined && because === undefined) {
    meet(turn, cluster, { occasion: 'reservation_ended', reservation: deciding });
  }
  announceIfUnfunded(turn, cluster);
}

/** N4, N7: carries out what is due of a resource: its next action, then reminders, then the look whether an order took. */
function carryOutResource(turn: Turn, resource: ResourceState): void {
  const { at, rules } = turn;
  if (resource.plan !== undefined && resource.plan.steps[0].at <= at) carryOutPlan(turn, resource, resource.plan);
  remindOf(turn, resource);
  const { order } = resource;
  if (order === undefined || rules.nextLookAt(order) > at) return;
  resource.order = { ...order, lookedUntil: at + 1 };
  if (!rules.goesOn(resource)) return;
  if (resource.kind === 'cluster' && !rules.mayRepeat(order, coverOf(turn, resource.id))) return;
  const forCredits = order.sent.reason === 'credits_exhausted';
  if (turn.gate.holds(turn.account, { at, forCredits, notice: undefined }) !== undefined) return;
  meet(turn, resource, { occasion: 'overdue' });
}

function carryOutPlan(turn: Turn, resource: ResourceState, plan: Plan): void {
  const { at } = turn;
  if (plan.pending === 'held') return;
  if (plan.pending === 'waiting') {
    if (plan.steps[0].at + WAIT_MS > at) return;
    meet(turn, resource, { occasion: 'wait_over' });
  } else {
    tryNext(turn, resource, plan);
  }
  announceIfUnfunded(turn, resource);
}

/** N4: checks the next action of a resource, and has it carried out, dropped, held or waiting accordingly. */
export function tryNext(turn: Turn, resource: ResourceState, plan: Plan): void {
  const verdict = check(turn, resource, plan.steps[0]);
  switch (verdict.kind) {
    case 'unfit':
      meet(turn, resource, { occasion: 'due_unfit', why: verdict.why });
      return;
    case 'idle':
      meet(turn, resource, { occasion: 'due_idle' });
      return;
    case 'fit': {
      const because = askGate(turn, stepAction(turn, plan));
      meet(turn, resource, { occasion: because === undefined ? 'due_fit' : 'due_held' });
      return;
    }
    default:
      assertNever(verdict);
  }
}

/** N4: a reminder is checked like the next action: what would not be carried out now is not reminded of. */
function remindOf(turn: Turn, resource: ResourceState): void {
  const { at } = turn;
  const { plan } = resource;
  if (plan === undefined || plan.pending !== 'coming') return;
  const isDue = (step: Step) => step.remindersMs.some((ms) => step.at - ms <= at);
  if (!plan.steps.some(isDue)) return;
  if (check(turn, resource, plan.steps[0]).kind === 'fit') meet(turn, resource, { occasion: 'reminder' });
  const [first, ...rest] = plan.steps.map((step) => ({
    ...step,
    remindersMs: step.remindersMs.filter((ms) => step.at - ms > at),
  }));
  if (first !== undefined) resource.plan = { ...plan, steps: [first, ...rest] };
}

function check(turn: Turn, resource: ResourceState, next: Step): Verdict {
  return resource.kind === 'cluster'
    ? turn.rules.checkCluster(next, resource, coverOf(turn, resource.id))
    : turn.rules.checkVolume(next, resource);
}

/** N9, N11: asks the gate, and notes on the account that something of it is held. */
export function askGate(turn: Turn, action: GatedAction): string | undefined {
  const { account } = turn;
  const because = turn.gate.holds(account, action);
  if (because === undefined) return undefined;
  account.held ??= { stale: false, freshSince: undefined };
  if (because === 'stale') account.held = { stale: true, freshSince: undefined };
  return because;
}

export function stepAction(turn: Turn, plan: Plan): GatedAction {
  return { at: turn.at, forCredits: true, notice: { id: plan.noticeId, ms: plan.steps[0].noticeMs } };
}

function endAction(turn: Turn, reservation: ReservationState): GatedAction {
  const { notice, facts } = reservation;
  return {
    at: turn.at,
    forCredits: false,
    notice: notice === undefined ? undefined : { id: notice.id, ms: facts.endsAt - notice.at },
  };
}
