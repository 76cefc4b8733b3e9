import type {
  BalanceUpdate,
  ClusterFacts,
  ReservationFacts,
  ResourceFacts,
  VolumeFacts,
} from '../../services/shared/contracts/balance-update.ts';
import { HOUR_MS, type Instant } from '../../services/shared/time.ts';
import type { Told } from './told.ts';

/** All that has happened to one account, in its order; what stands is worked out from it anew each time. */
export interface World {
  readonly accountId: string;
  readonly history: Happening[];
  /** Instants that are over, by name: notices, ends, attempts that were sent or left out. */
  readonly over: Set<string>;
  /** N7: how often each order that stands was looked at. */
  readonly looks: Map<Told, number>;
  /** N3: coming actions, at most one plan a resource. */
  plans: Plan[];
  /** The last update. */
  last?: Learnt;
}

export type Happening = Learnt | { readonly told: Told };

/** An update, with what can be said of it at once. */
export interface Learnt {
  readonly update: BalanceUpdate;
  readonly previous: BalanceUpdate | undefined;
  /** N3, N5: how many episodes have begun, and whether this update ends one. */
  readonly episode: number;
  readonly restores: boolean;
  /** The facts of every resource as they stand now, by kind and id. */
  readonly facts: ReadonlyMap<string, ResourceFacts>;
  /** N7: the resources of which the control plane confirms that they are gone, by kind and id. */
  readonly confirmed: readonly string[];
  /** Every reservation as it was last seen: updates leave out those that are over. */
  readonly reservations: ReadonlyMap<string, ReservationFacts>;
  /** N6, N10: when each reservation's end was set, when each grant came, when each list of notices was set. */
  readonly since: ReadonlyMap<string, Instant>;
}

/** N3: what was announced for a resource by one alert and is still to come, in its order. */
export interface Plan {
  readonly notice: Told;
  readonly kind: 'cluster' | 'volume';
  readonly id: string;
  readonly steps: Step[];
  /** N4: when a step that had waited was carried out: reminders whose moved time lies before it are left out. */
  heldUntil: Instant;
  /** N4: its first step was due and found the resource idle. */
  waits: boolean;
}

export interface Step {
  readonly command: 'pause' | 'revoke' | 'decommission';
  readonly scope: 'cluster' | 'burst' | 'volume';
  readonly gpus?: number;
  at: Instant;
}

/** The last update, and what is known with it. */
export function now(world: World): Learnt {
  if (world.last === undefined) throw new Error('nothing is known before the first update');
  return world.last;
}

/** N1, N6, N10: notices for this thing come after the later of the instants at which these were set. */
export function plannedAt(world: World, ...names: string[]): Instant {
  return Math.max(...names.map((name) => now(world).since.get(name) ?? 0));
}

/** The account as the last update has it. */
export function latest(world: World): BalanceUpdate {
  return now(world).update;
}

export function toldOf(world: World): Told[] {
  return world.history.flatMap((happening) => ('told' in happening ? [happening.told] : []));
}

export function exhausted(world: World): boolean {
  return latest(world).level === 'exhausted';
}

export function episodeOf(world: World): number {
  return now(world).episode;
}

export function clusterOf(world: World, id: string): ClusterFacts | undefined {
  const facts = now(world).facts.get(`cluster ${id}`);
  return facts?.kind === 'cluster' ? facts : undefined;
}

export function volumeOf(world: World, id: string): VolumeFacts | undefined {
  const facts = now(world).facts.get(`volume ${id}`);
  return facts?.kind === 'volume' ? facts : undefined;
}

export function idsOf(world: World, kind: 'cluster' | 'volume'): string[] {
  const resources = [...now(world).facts.values()].filter((facts) => facts.kind === kind);
  return resources.map(({ id }) => id).sort();
}

/** C6: GPUs of a cluster that no reservation covers. */
export function uncoveredOf(world: World, id: string): number {
  return (clusterOf(world, id)?.gpuTypes ?? []).reduce((sum, { uncovered }) => sum + uncovered, 0);
}

export function reservationsOf(world: World): ReservationFacts[] {
  return [...now(world).reservations.values()].sort((a, b) => (a.reservationId < b.reservationId ? -1 : 1));
}

/** R4: it has capacity at some time; an `on_provision` one only once it was charged. */
export function everHolds(r: ReservationFacts): boolean {
  return r.charged && r.startsAt < r.endsAt;
}

/** R4: a reservation of the cluster holds at that instant. */
export function holds(world: World, clusterId: string, at: Instant): boolean {
  return holdsOf(now(world), clusterId, at);
}

export function holdsOf({ reservations }: Learnt, clusterId: string, at: Instant): boolean {
  return [...reservations.values()].some(
    (r) => r.clusterId === clusterId && everHolds(r) && r.startsAt <= at && at < r.endsAt,
  );
}

/** N4: a charged reservation of the cluster is still to begin. */
export function isToBegin(world: World, clusterId: string, at: Instant): boolean {
  return reservationsOf(world).some((r) => r.clusterId === clusterId && everHolds(r) && r.startsAt > at);
}

/** N6: a charged reservation of the cluster holds at that end or begins within 72 h of it. */
export function isFollowed(world: World, clusterId: string, endsAt: Instant): boolean {
  return reservationsOf(world).some(
    (r) => r.clusterId === clusterId && everHolds(r) && r.endsAt > endsAt && r.startsAt <= endsAt + 72 * HOUR_MS,
  );
}
