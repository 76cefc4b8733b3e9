import { assertNever } from '../../shared/assert-never.ts';
import type { Command } from '../../shared/contracts/command.ts';
import type { DropReason } from './check.ts';
import { episodeCause, reservationCause } from './commands.ts';
import { clusterStatus, type Occasion, type Outcome, volumeStatus } from './ladder.ts';
import { plannedActions } from './notices.ts';
import { keepAt, uncoveredOf } from './reserved.ts';
import type { Order, Plan, ReservationState, ResourceState, Step } from './state.ts';
import { issue, type Turn } from './turn.ts';

/** An occasion, with what its outcome needs to be carried out. */
export interface Happening {
  readonly occasion: Occasion;
  /** Of `unfunded`: what is announced, and by which alert. */
  readonly plan?: Plan;
  /** Of `due_unfit` and `confirmed`. */
  readonly why?: DropReason;
  /** Of `reserved` and `reservation_ended`. */
  readonly reservation?: ReservationState;
  /** Of `restored` and `covered`: the episode that ended. */
  readonly episode?: number;
}

/** What the ladder makes of an occasion for a resource as it stands. */
export function outcomeOf(turn: Turn, resource: ResourceState, occasion: Occasion): Outcome {
  return resource.kind === 'cluster'
    ? turn.rules.clusterLadder[clusterStatus(resource)][occasion]
    : turn.rules.volumeLadder[volumeStatus(resource)][occasion];
}

/** Has a resource meet an occasion: looks up the outcome in the ladder and carries it out. */
export function meet(turn: Turn, resource: ResourceState, happening: Happening): Outcome {
  const outcome = outcomeOf(turn, resource, happening.occasion);
  switch (outcome) {
    case 'keep':
      break;
    case 'announce':
      resource.plan = needed(happening.plan, happening);
      break;
    case 'carry_out':
      carryOutNext(turn, resource);
      break;
    case 'wait':
      resource.plan = { ...planOf(resource), pending: 'waiting' };
      break;
    case 'hold':
      resource.plan = { ...planOf(resource), pending: 'held' };
      break;
    case 'drop':
      dropPlan(
        turn,
        resource,
        happening.occasion === 'wait_over' ? 'idle_for_a_day' : needed(happening.why, happening),
      );
      break;
    case 'remind':
      remind(turn, resource);
      break;
    case 'repeat':
      repeat(turn, resource);
      break;
    case 'cancel':
      dropPlan(turn, resource, 'restored');
      break;
    case 'count_paused':
      dropPlan(turn, resource, 'restored');
      resource.order = undefined;
      break;
    case 'restore':
      dropPlan(turn, resource, 'restored');
      restore(turn, resource, needed(happening.episode, happening));
      break;
    case 'resume':
      dropPlan(turn, resource, 'resumed');
      resume(turn, resource, happening);
      break;
    case 'end_order':
      resource.order = undefined;
      break;
    case 'order_end':
      dropPlan(turn, resource, 'reservation_ended');
      orderEnd(turn, resource, needed(happening.reservation, happening));
      break;
    case 'forget':
      dropPlan(turn, resource, 'gone');
      resource.order = undefined;
      if (resource.kind === 'cluster') resource.paused = undefined;
      break;
    default:
      assertNever(outcome);
  }
  return outcome;
}

function carryOutNext(turn: Turn, resource: ResourceState): void {
  const { account, at, rules } = turn;
  const plan = planOf(resource);
  const [next, ...later] = plan.steps;
  const burst = resource.kind === 'cluster' && next.scope === 'burst';
  const sent = issue(turn, {
    cause: plan.cause,
    command: next.command,
    resource: subjectOf(resource),
    scope: next.scope,
    ...(burst ? burstSize(turn, resource) : {}),
    reason: 'credits_exhausted',
    noticeId: plan.noticeId,
    episode: plan.episode,
  });
  resource.order = orderOf(turn, plan.cause, sent);
  if (resource.kind === 'cluster' && next.command === 'pause') {
    resource.paused = { burnedNanos: resource.facts?.burnRateNanos ?? 0n, sent };
  }
  const [first, ...rest] = rules.shiftSteps(later, at - next.at, at);
  resource.plan = first === undefined ? undefined : { ...plan, steps: [first, ...rest], pending: 'coming' };
  turn.gate.passed(account, at);
}

/** N7: the next attempt carries the first notice's id, and operators hear of some of them first. */
function repeat(turn: Turn, resource: ResourceState): void {
  const order = needed(resource.order, { occasion: 'overdue' });
  const { command, scope, reason, noticeId, episode, attempt: before } = order.sent;
  const attempt = before + 1;
  if (scope === undefined) throw new Error(`N7: an order without a scope: ${order.sent.commandId}`);
  if (turn.rules.alertsOverdue(attempt)) {
    issue(turn, {
      cause: order.cause,
      command: 'alert',
      alert: 'enforcement_overdue',
      resource: subjectOf(resource),
      reason: 'enforcement_overdue',
      noticeId,
      episode,
      which: `${command}.${scope}.${attempt}`,
      detail: { overdueCommand: command, overdueAttempt: before },
    });
  }
  const burst = resource.kind === 'cluster' && scope === 'burst' ? burstSize(turn, resource) : {};
  const resourceSubject = subjectOf(resource);
  const sent = issue(turn, {
    cause: order.cause,
    command,
    resource: resourceSubject,
    scope,
    ...burst,
    reason,
    noticeId,
    episode,
    attempt,
  });
  resource.order = { ...order, sent };
  if (resource.kind === 'cluster' && resource.paused !== undefined && command === 'pause') {
    resource.paused = { ...resource.paused, sent };
  }
}

/** N4: reminders of one resource at one instant become one; it lists what is still to come. */
function remind(turn: Turn, resource: ResourceState): void {
  const { at } = turn;
  const plan = planOf(resource);
  let which: string | undefined;
  for (const step of plan.steps) {
    const beforeMs = step.remindersMs.find((ms) => step.at - ms <= at);
    if (beforeMs !== undefined) which ??= `${step.command}.${beforeMs}`;
  }
  const resourceSubject = subjectOf(resource);
  issue(turn, {
    cause: plan.cause,
    command: 'alert',
    alert: 'action_reminder',
    resource: resourceSubject,
    reason: 'action_reminder',
    noticeId: plan.noticeId,
    episode: plan.episode,
    which: which ?? '',
    detail: { actions: plannedActions(resourceSubject, plan.steps) },
  });
}

function restore(turn: Turn, resource: ResourceState, episode: number): void {
  resource.order = undefined;
  issue(turn, {
    cause: episodeCause(episode),
    command: 'restore',
    resource: subjectOf(resource),
    scope: 'volume',
    reason: 'credits_restored',
    episode,
  });
}

function resume(turn: Turn, resource: ResourceState, happening: Happening): void {
  resource.order = undefined;
  if (resource.kind === 'cluster') resource.paused = undefined;
  const { reservation, episode } = happening;
  const draft = { command: 'resume', resource: subjectOf(resource), scope: 'cluster' } as const;
  if (reservation !== undefined) {
    issue(turn, { ...draft, cause: reservationCause(reservation.facts), reason: 'reserved' });
  } else {
    const ended = needed(episode, happening);
    issue(turn, { ...draft, cause: episodeCause(ended), reason: 'credits_restored', episode: ended });
  }
}

function orderEnd(turn: Turn, resource: ResourceState, reservation: ReservationState): void {
  const cause = reservationCause(reservation.facts);
  const sent = issue(turn, {
    cause,
    command: 'decommission',
    resource: subjectOf(resource),
    scope: 'cluster',
    reason: 'reservation_ended',
    noticeId: reservation.notice?.id,
  });
  resource.order = orderOf(turn, cause, sent);
  if (resource.kind === 'cluster') resource.paused = undefined;
}

function orderOf(turn: Turn, cause: string, sent: Command): Order {
  const { at, account } = turn;
  return { cause, sent, overdueAt: at + account.policy.overdueAfterMs, lookedUntil: at + 1 };
}

function dropPlan(turn: Turn, resource: ResourceState, why: DropReason): void {
  const { plan } = resource;
  if (plan === undefined) return;
  resource.plan = undefined;
  for (const step of plan.steps) recordDrop(turn, resource, plan.cause, step, why);
}

function recordDrop(turn: Turn, resource: ResourceState, cause: string, step: Step, why: DropReason): void {
  turn.record({
    accountId: turn.account.accountId,
    resource: subjectOf(resource),
    cause,
    command: step.command,
    scope: step.scope,
    plannedAt: step.at,
    droppedAt: turn.at,
    why,
  });
}

/** K: a burst's decommission says what is uncovered when it is sent, and what must stay. */
function burstSize(turn: Turn, resource: ResourceState & { kind: 'cluster' }) {
  return { gpus: uncoveredOf(resource.facts), keep: keepAt(turn.reservationsOf(resource.id), turn.at) };
}

export function subjectOf(resource: ResourceState): { readonly kind: 'cluster' | 'volume'; readonly id: string } {
  return { kind: resource.kind, id: resource.id };
}

function planOf(resource: ResourceState): Plan {
  if (resource.plan === undefined) throw new Error(`N3: nothing is coming to ${resource.kind} ${resource.id}`);
  return resource.plan;
}

/** The ladder names an outcome that its occasion does not carry enough for: the table is wrong, not the input. */
function needed<Value>(value: Value | undefined, happening: Happening): Value {
  if (value === undefined) throw new Error(`the ladder has an outcome that ${happening.occasion} cannot have`);
  return value;
}
