import type { BalanceUpdate, ResourceFacts } from '../../shared/contracts/balance-update.ts';
import { compareText } from '../../shared/text-order.ts';
import { announceExhaustion, announceIfUnfunded } from './announce.ts';
import { tryNext } from './carry-out.ts';
import { updateCause } from './commands.ts';
import { coverOf } from './cover.ts';
import { endEpisode, resumeIfCovered } from './episodes.ts';
import { meet } from './meet.ts';
import { holdsAt } from './reserved.ts';
import { notifyExpiring, notifyReservationEnding } from './send-notices.ts';
import type { AccountState, ClusterState, ResourceState, VolumeState } from './state.ts';
import { syncGrants, syncReservations } from './sync.ts';
import { issue, type Turn } from './turn.ts';

/**
 * B1: takes an update's facts over, and decides what they lead to at its clock. What they make due stands in the due queue.
 * @returns the resources that may stand otherwise than before
 */
export function applyUpdate(turn: Turn, update: BalanceUpdate): readonly ResourceState[] {
  const { account } = turn;
  const { passedMs: passedBefore, policy: policyBefore } = account;
  takeAccount(account, update);
  const changed = update.resources.map((facts) => takeResource(turn, facts, update.origin));
  const endings = syncReservations(turn, update.reservations, policyBefore);
  const expiring = syncGrants(turn, update.grants, policyBefore);
  const touched = withReservedClusters(turn, changed);
  for (const resource of touched) meetReservations(turn, resource);
  const { episode } = account;
  if (episode !== undefined && update.level !== 'exhausted') endEpisode(turn, episode.number);
  else if (episode === undefined && update.level === 'exhausted') announceExhaustion(turn);
  else if (episode !== undefined) for (const resource of touched) proceed(turn, resource);
  if (account.episode === undefined) resumeIfCovered(turn);
  alertIfLow(turn, passedBefore);
  for (const reservation of endings) notifyReservationEnding(turn, reservation);
  for (const grant of expiring) notifyExpiring(turn, grant);
  return account.episode === episode ? touched : [...account.clusters.values(), ...account.volumes.values()];
}

function takeAccount(account: AccountState, update: BalanceUpdate): void {
  account.updateSequence = update.sequence;
  account.balanceNanos = update.balanceNanos;
  account.burnRateNanos = update.burnRateNanos;
  account.level = update.level;
  account.passedMs = update.passedMs;
  account.policy = update.policy;
  account.onDemandPriceNanos = update.onDemandPriceNanos;
}

function takeResource(turn: Turn, facts: ResourceFacts, origin: BalanceUpdate['origin']): ResourceState {
  const { account, at } = turn;
  const resource = facts.kind === 'cluster' ? clusterOf(account, facts.id) : volumeOf(account, facts.id);
  const gone = isGone(resource.facts, facts);
  if (resource.kind === 'cluster' && facts.kind === 'cluster') resource.facts = facts;
  else if (resource.kind === 'volume' && facts.kind === 'volume') resource.facts = facts;
  if (gone) meet(turn, resource, { occasion: 'confirmed' });
  const { order } = resource;
  if (order !== undefined) {
    const lookedUntil = origin === 'event' ? at + 1 : at;
    resource.order = { ...order, lookedUntil: Math.max(order.lookedUntil, lookedUntil) };
  }
  return resource;
}

/**
 * C6: the control plane has said that it is decommissioned; usage that comes after that begins anew. It may say so twice at
 * one instant. A cluster that was provisioned since is not gone, though it is idle since then: what was ordered stands.
 */
function isGone(before: ResourceFacts | undefined, facts: ResourceFacts): boolean {
  if (facts.decommissionedAt === undefined) return false;
  if (facts.decommissionedAt !== before?.decommissionedAt) return true;
  if (facts.kind === 'cluster' && facts.provisioned) return false;
  return !facts.active && facts.since === facts.decommissionedAt;
}

function clusterOf(account: AccountState, id: string): ClusterState {
  const known = account.clusters.get(id);
  if (known !== undefined) return known;
  const cluster: ClusterState = {
    kind: 'cluster',
    id,
    facts: undefined,
    plan: undefined,
    order: undefined,
    paused: undefined,
  };
  account.clusters.set(id, cluster);
  return cluster;
}

function volumeOf(account: AccountState, id: string): VolumeState {
  const known = account.volumes.get(id);
  if (known !== undefined) return known;
  const volume: VolumeState = { kind: 'volume', id, facts: undefined, plan: undefined, order: undefined };
  account.volumes.set(id, volume);
  return volume;
}

/** The changed resources and every cluster with a reservation, by kind, then id. */
function withReservedClusters(turn: Turn, changed: readonly ResourceState[]): readonly ResourceState[] {
  const { account } = turn;
  const touched = new Set(changed);
  for (const { facts } of account.reservations.values()) touched.add(clusterOf(account, facts.clusterId));
  return [...touched].sort((left, right) => compareText(left.kind, right.kind) || compareText(left.id, right.id));
}

/** N5, N7: a reservation that holds ends an order of scope `cluster`; where none holds, there is no burst to shrink. */
function meetReservations(turn: Turn, resource: ResourceState): void {
  if (resource.kind !== 'cluster') return;
  const holder = turn.reservationsOf(resource.id).find((reservation) => holdsAt(reservation, turn.at));
  if (holder !== undefined) meet(turn, resource, { occasion: 'reserved', reservation: holder });
  else if (!coverOf(turn, resource.id).holds) meet(turn, resource, { occasion: 'unreserved' });
}

/** N3, N4: while the account stays exhausted: what waited for the resource to be active, and what has to be announced. */
function proceed(turn: Turn, resource: ResourceState): void {
  const { plan } = resource;
  if (plan?.pending === 'waiting' && resource.facts?.active === true) tryNext(turn, resource, plan);
  announceIfUnfunded(turn, resource);
}

function alertIfLow(turn: Turn, passedBefore: readonly number[]): void {
  const { account, at, rules } = turn;
  const { balanceNanos, burnRateNanos, policy } = account;
  const decision = rules.decideLow({
    before: passedBefore,
    passed: account.passedMs,
    alerts: account.lowAlerts,
    balanceNanos,
    burnRateNanos,
    thresholdsMs: policy.lowRunwayMs,
    realertAfterMs: policy.realertAfterMs,
    at,
  });
  account.lowAlerts = decision.alerts;
  if (decision.alertMs === undefined) return;
  issue(turn, {
    cause: updateCause(account.updateSequence),
    command: 'alert',
    alert: 'credits_low',
    resource: { kind: 'account', id: account.accountId },
    reason: 'credits_low',
    which: `${decision.alertMs}`,
    detail: { thresholdMs: decision.alertMs, burnRateNanos },
  });
}
