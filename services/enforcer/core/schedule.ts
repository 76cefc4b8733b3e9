import type { Instant } from '../../shared/time.ts';
import type { DueKind } from './carry-out.ts';
import { noticeDueAt, resourceDueAt } from './due.ts';
import { type Due, DueQueue } from './due-queue.ts';
import { type Entry, isForgettable } from './entry.ts';
import type { Rules } from './rules.ts';
import type { ResourceState } from './state.ts';

/** Which subjects of an account there were before a step: those that are gone after it are due no more. */
export interface Known {
  readonly grantIds: readonly string[];
  /** By reservation, its cluster. */
  readonly clusterIds: ReadonlyMap<string, string>;
}

/** X: keeps the due queue of a partition in step with the state of its accounts. */
export class Schedule {
  readonly #rules: Rules;
  readonly #due = new DueQueue();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Takes the first subject that is due at or before `until`; it is to be set anew. */
  take(until: Instant): Due | undefined {
    return this.#due.take(until);
  }

  setAll(entry: Entry): void {
    const { clusters, volumes } = entry.state;
    for (const resource of [...clusters.values(), ...volumes.values()]) this.setResource(entry, resource);
    this.setNotices(entry);
  }

  set(entry: Entry, kind: DueKind, id: string): void {
    const { accountId, clusters, volumes, reservations, grants } = entry.state;
    if (kind === 'cluster' || kind === 'volume') {
      const resource = kind === 'cluster' ? clusters.get(id) : volumes.get(id);
      if (resource !== undefined) this.setResource(entry, resource);
      return;
    }
    const notices = (kind === 'reservation' ? reservations.get(id) : grants.get(id))?.notices;
    this.#due.set(accountId, kind, id, notices === undefined ? undefined : noticeDueAt(notices));
  }

  /** Sets when a resource is due next, and forgets one that needs not be known any more. */
  setResource(entry: Entry, resource: ResourceState): void {
    const { state } = entry;
    const reservations = resource.kind === 'cluster' ? (entry.reservationsByCluster.get(resource.id) ?? []) : [];
    const dueAt = resourceDueAt(this.#rules, resource, reservations);
    this.#due.set(state.accountId, resource.kind, resource.id, dueAt);
    if (reservations.length > 0 || !isForgettable(resource)) return;
    if (resource.kind === 'cluster') state.clusters.delete(resource.id);
    else state.volumes.delete(resource.id);
  }

  setNotices(entry: Entry): void {
    const { accountId, reservations, grants } = entry.state;
    for (const [id, { notices }] of reservations) this.#due.set(accountId, 'reservation', id, noticeDueAt(notices));
    for (const [id, { notices }] of grants) this.#due.set(accountId, 'grant', id, noticeDueAt(notices));
  }

  known(entry: Entry): Known {
    const { grants, reservations } = entry.state;
    const clusterIds = new Map([...reservations].map(([id, { facts }]) => [id, facts.clusterId]));
    return { grantIds: [...grants.keys()], clusterIds };
  }

  /** Takes off what was known before and is gone; a cluster whose reservation is gone may be forgotten now. */
  takeOff(entry: Entry, { grantIds, clusterIds }: Known): void {
    const { accountId, grants, reservations } = entry.state;
    for (const id of grantIds) if (!grants.has(id)) this.#due.set(accountId, 'grant', id, undefined);
    for (const [id, clusterId] of clusterIds) {
      if (reservations.has(id)) continue;
      this.#due.set(accountId, 'reservation', id, undefined);
      this.set(entry, 'cluster', clusterId);
    }
  }
}
