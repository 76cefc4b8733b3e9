import type {
  BalanceUpdate,
  ClusterFacts,
  ReservationFacts,
  ResourceFacts,
} from '../../../services/shared/contracts/balance-update.ts';
import type { Instant } from '../../../services/shared/time.ts';
import { HOUR_MS } from '../../../services/shared/time.ts';

/** What the updates of one account say so far. Made anew for each update, so that an older one stays as it was. */
export interface View {
  readonly update: BalanceUpdate;
  readonly resources: ReadonlyMap<string, ResourceFacts>;
}

export function viewAfter(before: View | undefined, update: BalanceUpdate): View {
  const resources = new Map(before?.resources);
  for (const facts of update.resources) resources.set(`${facts.kind}/${facts.id}`, facts);
  return { update, resources };
}

export function exhausted(view: View): boolean {
  return view.update.level === 'exhausted';
}

export function clusterFacts(view: View, id: string): ClusterFacts | undefined {
  const facts = view.resources.get(`cluster/${id}`);
  return facts?.kind === 'cluster' ? facts : undefined;
}

export function isActive(view: View, key: string): boolean {
  return view.resources.get(key)?.active === true;
}

export function uncovered(view: View, clusterId: string): number {
  return clusterFacts(view, clusterId)?.gpuTypes.reduce((sum, type) => sum + type.uncovered, 0) ?? 0;
}

export function holding(view: View, clusterId: string, at: Instant): readonly ReservationFacts[] {
  return view.update.reservations.filter(
    (r) => r.clusterId === clusterId && r.charged && r.startsAt <= at && at < r.endsAt,
  );
}

export function toBegin(view: View, clusterId: string, at: Instant): boolean {
  return view.update.reservations.some(
    (r) => r.clusterId === clusterId && r.charged && r.startsAt > at && r.endsAt > r.startsAt,
  );
}

/** N6: whether the end of `ended` at `at` decommissions its cluster, among the other reservations of it. */
export function endRemoves(
  view: View,
  ended: ReservationFacts,
  others: readonly ReservationFacts[],
  at: Instant,
): boolean {
  if (!ended.charged || ended.startsAt >= ended.endsAt || ended.endSetBy === 'cancellation') return false;
  if (clusterFacts(view, ended.clusterId)?.provisioned !== true) return false;
  return !others.some(
    (other) =>
      other.reservationId !== ended.reservationId &&
      other.charged &&
      other.startsAt < other.endsAt &&
      other.endsAt > at &&
      other.startsAt <= at + 72 * HOUR_MS,
  );
}
