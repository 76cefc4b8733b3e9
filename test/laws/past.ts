import { type PriceEntry, pricesAt } from '../model/price-book.ts';
import type { Books } from './books.ts';
import { Intervals } from './intervals.ts';
import type { Policy } from './policy.ts';
import { Versions } from './versions.ts';

/** All that the log says of one account, as of each of its steps. */
export interface AccountPast {
  readonly id: string;
  /** The lines of its applied events, with the clock of each. */
  readonly steps: { readonly step: number; readonly clock: number }[];
  readonly policy: Versions<Policy>;
  readonly reservations: Map<string, ReservationPast>;
  readonly clusters: Map<string, ClusterPast>;
  readonly volumes: Map<string, MeterPast>;
  readonly books: Books;
}

export interface ReservationPast {
  readonly id: string;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly startsAt: number;
  readonly payment: string;
  readonly priceMicros: bigint;
  readonly terms: Versions<Terms>;
  /** C4: what is to be charged once its cluster is provisioned. */
  due: readonly Charge[];
  /** R6: what was charged, by unit price and invoice month. */
  readonly sums: Map<string, { quantity: bigint; amount: bigint }>;
}

export interface Terms {
  readonly endsAt: number;
  readonly charged: boolean;
  /** N6: the clock of the event that set this end, or that charged it. */
  readonly setAt: number;
  readonly setBy: 'term' | 'cancellation' | 'cancellation_decommission';
}

export interface Charge {
  readonly from: number;
  readonly to: number;
  readonly priceMicros: bigint;
}

export interface ClusterPast {
  readonly provisioned: Versions<boolean>;
  /** The clock of its last decommission. */
  readonly goneAt: Versions<number>;
  readonly nodes: Map<string, MeterPast>;
  /** C6: of each gpu_type, the greatest end of what was rated burst or on_demand. */
  readonly paid: Map<string, Versions<Seen>>;
}

/** A node or volume. */
export interface MeterPast {
  readonly goneAt: Versions<number>;
  readonly seen: Versions<Seen>;
  readonly billed: Intervals;
}

/** C6: the last sample: where it ends, from when `activity_window` counts, and what it says is in use. */
export interface Seen {
  readonly end: number;
  readonly seenAt: number;
  readonly size: number;
  readonly gpuType: string | undefined;
}

export function newCluster(): ClusterPast {
  return { provisioned: new Versions(), goneAt: new Versions(), nodes: new Map(), paid: new Map() };
}

export function newMeter(): MeterPast {
  return { goneAt: new Versions(), seen: new Versions(), billed: new Intervals() };
}

/** A price, and the line that said it. */
export type PricedAt = PriceEntry & { readonly step: number };

/** How an account stood at an instant, after one of its steps. */
export class View {
  readonly account: AccountPast;
  readonly step: number;
  readonly at: number;
  readonly exhausted: boolean;

  constructor(account: AccountPast, step: number, at: number, exhausted: boolean) {
    this.account = account;
    this.step = step;
    this.at = at;
    this.exhausted = exhausted;
  }

  get policy(): Policy {
    const policy = this.account.policy.at(this.step);
    if (policy === undefined) throw new Error(`account ${this.account.id} is not open at line ${this.step}`);
    return policy;
  }

  /** The reservations of a cluster that were charged, with their terms. */
  *charged(clusterId: string): Iterable<readonly [ReservationPast, Terms]> {
    for (const one of this.account.reservations.values()) {
      if (one.clusterId !== clusterId) continue;
      const terms = one.terms.at(this.step);
      if (terms?.charged === true) yield [one, terms];
    }
  }

  /** R4: the capacity that holds, by gpu_type; empty: no reservation of the cluster holds. */
  capacity(clusterId: string, at = this.at): Map<string, number> {
    const capacity = new Map<string, number>();
    for (const [one, { endsAt }] of this.charged(clusterId)) {
      if (one.startsAt > at || endsAt <= at) continue;
      capacity.set(one.gpuType, (capacity.get(one.gpuType) ?? 0) + one.gpus);
    }
    return capacity;
  }

  holds(clusterId: string): boolean {
    return this.capacity(clusterId).size > 0;
  }

  /** N4: a charged reservation of the cluster is still to begin. */
  begins(clusterId: string): boolean {
    for (const [one, { endsAt }] of this.charged(clusterId)) {
      if (one.startsAt > this.at && endsAt > one.startsAt) return true;
    }
    return false;
  }

  /** C6: GPUs in use of a cluster, by gpu_type. */
  inUse(clusterId: string): Map<string, number> {
    const inUse = new Map<string, number>();
    for (const node of this.account.clusters.get(clusterId)?.nodes.values() ?? []) {
      const seen = node.seen.at(this.step);
      if (seen?.gpuType === undefined || !this.within(seen.seenAt)) continue;
      inUse.set(seen.gpuType, (inUse.get(seen.gpuType) ?? 0) + seen.size);
    }
    return inUse;
  }

  /** C6: GPUs beyond what is reserved, by gpu_type. */
  uncovered(clusterId: string): Map<string, number> {
    const capacity = this.capacity(clusterId);
    const uncovered = new Map<string, number>();
    for (const [gpuType, inUse] of this.inUse(clusterId)) {
      const paid = this.account.clusters.get(clusterId)?.paid.get(gpuType)?.at(this.step);
      const beyond = inUse - (capacity.get(gpuType) ?? 0);
      if (beyond > 0 && paid !== undefined && this.within(paid.seenAt)) uncovered.set(gpuType, beyond);
    }
    return uncovered;
  }

  uncoveredGpus(clusterId: string): number {
    return [...this.uncovered(clusterId).values()].reduce((sum, gpus) => sum + gpus, 0);
  }

  /** C6: whether a resource (`cluster/id` or `volume/id`) is active. */
  active(key: string): boolean {
    const id = key.slice(key.indexOf('/') + 1);
    if (key.startsWith('cluster/')) return this.inUse(id).size > 0;
    const seen = this.account.volumes.get(id)?.seen.at(this.step);
    return seen !== undefined && this.within(seen.seenAt);
  }

  /**
   * C6: what a cluster burns, in nanos an hour; undefined where a price changed since the account's last event, for then it
   * hangs on when it was last worked out.
   */
  burn(clusterId: string, prices: readonly PricedAt[]): bigint | undefined {
    const since = this.account.steps.findLast(({ step }) => step <= this.step)?.clock ?? 0;
    const known = prices.filter(({ step }) => step <= this.step);
    let burn = 0n;
    for (const [gpuType, gpus] of this.uncovered(clusterId)) {
      const [before, now, later] = [
        pricesAt(known, this.account.id, gpuType, since),
        pricesAt(known, this.account.id, gpuType, this.at),
        pricesAt(prices, this.account.id, gpuType, this.at),
      ].map((price) => (price === undefined ? 0n : (price.paid.numerator * 1_000_000_000n) / price.paid.denominator));
      if (now === undefined || before !== now || later !== now) return undefined;
      burn += BigInt(gpus) * now;
    }
    return burn;
  }

  private within(seenAt: number): boolean {
    return seenAt >= 0 && this.at < seenAt + this.policy.activityWindow;
  }
}
