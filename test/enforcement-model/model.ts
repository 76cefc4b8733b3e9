import type { BalanceUpdate } from '../../services/shared/contracts/balance-update.ts';
import type { Instant } from '../../services/shared/time.ts';
import { compareDue, type Due } from './due.ts';
import { inputsOf } from './inputs.ts';
import { toldOf, type World } from './known.ts';
import { learn } from './learn.ts';
import { low } from './n2-low.ts';
import { episodeBegins, unfunded } from './n3-exhausted.ts';
import { carryOutWaiting, dueOfPlans, removePlan } from './n4-checked-again.ts';
import { restored, resumeCovered, resumeReserved } from './n5-restored.ts';
import { alertPastNotices, dueOfReservations } from './n6-reservation-end.ts';
import { dueOfOrders } from './n7-overdue.ts';
import { alertExpiringAtOnce, dueOfGrants } from './n10-expiring.ts';
import type { Told } from './told.ts';

/** N, K, X: the commands of a log, worked out slowly, account by account: by time, then account, then order of issue. */
export function commandsOf(lines: readonly string[], until?: string): Told[] {
  const { updates, end } = inputsOf(lines, until);
  return [...updates.keys()]
    .sort()
    .flatMap((accountId) => commandsOfAccount(accountId, updates.get(accountId) ?? [], end))
    .sort((left, right) => left.issuedAt - right.issuedAt);
}

function commandsOfAccount(accountId: string, updates: readonly BalanceUpdate[], end: Instant): Told[] {
  const world: World = { accountId, history: [], over: new Set(), looks: new Map(), plans: [] };
  for (const update of updates) {
    // B1: what is due at that very time comes before an event's update, and after an instant's.
    passTime(world, update.origin === 'event' ? update.clock : update.clock - 1);
    react(world, update);
  }
  passTime(world, end);
  return toldOf(world);
}

function passTime(world: World, to: Instant): void {
  if (world.history.length === 0) return;
  for (let due = nextDue(world); due !== undefined && due.at <= to; due = nextDue(world)) {
    due.run();
    unfunded(world, due.at);
  }
}

function nextDue(world: World): Due | undefined {
  const all = [...dueOfPlans(world), ...dueOfReservations(world), ...dueOfOrders(world), ...dueOfGrants(world)];
  return all.sort(compareDue)[0];
}

function react(world: World, update: BalanceUpdate): void {
  const at = update.clock;
  for (const gone of learn(world, update).confirmed) removePlan(world, gone);
  const before = world.history.length;
  resumeReserved(world, at);
  restored(world, at);
  episodeBegins(world, at);
  resumeCovered(world, at);
  carryOutWaiting(world, at);
  unfunded(world, at);
  low(world, at);
  alertPastNotices(world, at);
  alertExpiringAtOnce(world, at);
  const issued = world.history.splice(before).flatMap((happening) => ('told' in happening ? [happening.told] : []));
  world.history.push(...issued.sort(compareIssued).map((told) => ({ told })));
}

/** What one update leads to: the account's own alerts, then by kind of resource and id. */
function compareIssued({ resource: left }: Told, { resource: right }: Told): number {
  if (left.kind !== right.kind) {
    if (left.kind === 'account' || right.kind === 'account') return left.kind === 'account' ? -1 : 1;
    return left.kind < right.kind ? -1 : 1;
  }
  return left.id === right.id ? 0 : left.id < right.id ? -1 : 1;
}
