import type {
  BalanceUpdate,
  ClusterFacts,
  Level,
  ReservationFacts,
  ResourceFacts,
  VolumeFacts,
  Watermark,
} from '../../../services/shared/contracts/balance-update.ts';
import { DEFAULT_POLICY, type Policy } from '../../../services/shared/contracts/policy.ts';
import { compareText } from '../../../services/shared/text-order.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../services/shared/time.ts';

export type Input = BalanceUpdate | Watermark;

/** USD in nanos. */
export function usd(amount: number): bigint {
  return BigInt(Math.round(amount * 1000)) * 1_000_000n;
}

/** 2026-05-04T00:00:00Z: where the worlds begin. */
export const T0: Instant = 1_777_852_800_000;

const GPU_PRICE = usd(3);
const VOLUME_BURN = usd(1);
const ACTIVE_MS = 15 * MINUTE_MS;

interface Cluster {
  readonly id: string;
  readonly gpus: Map<string, number>;
  activeUntil: Instant;
  active: boolean;
  since: Instant;
  provisioned: boolean;
  decommissionedAt: Instant | undefined;
}

interface Volume {
  readonly id: string;
  activeUntil: Instant;
  active: boolean;
  since: Instant;
  decommissionedAt: Instant | undefined;
}

/**
 * A customer as the rater would tell of it: every act makes the updates that B1 and B2 ask for, with the instants of C6
 * between them. It knows nothing of enforcement. Prices are round and time is coarse, so that many things fall together.
 */
export class Customer {
  readonly id: string;
  readonly #out: (input: Input) => void;
  balance = 0n;
  charged = false;
  policy: Policy = DEFAULT_POLICY;
  readonly clusters = new Map<string, Cluster>();
  readonly volumes = new Map<string, Volume>();
  readonly reservations = new Map<string, ReservationFacts>();
  readonly grants = new Map<string, Instant | undefined>();
  #sequence = 0;
  #toldAt: Instant = 0;
  #passed: readonly number[] = [];
  /** E3: a grant or reservation id is used once, for ever. */
  readonly #used = new Set<string>();
  readonly #told = new Map<string, string>();

  constructor(id: string, out: (input: Input) => void) {
    this.id = id;
    this.#out = out;
  }

  /** The next instant of C6 at or before `until`, if any. */
  nextInstant(until: Instant, after: Instant): Instant | undefined {
    let next: Instant | undefined;
    const consider = (at: Instant): void => {
      if (at <= until && at >= after && (next === undefined || at < next)) next = at;
    };
    for (const one of [...this.clusters.values(), ...this.volumes.values()]) if (one.active) consider(one.activeUntil);
    for (const { startsAt, endsAt } of this.reservations.values()) {
      if (startsAt > this.#toldAt) consider(startsAt);
      consider(endsAt);
    }
    for (const expiresAt of this.grants.values()) if (expiresAt !== undefined) consider(expiresAt);
    return next;
  }

  runInstant(at: Instant): void {
    for (const one of [...this.clusters.values(), ...this.volumes.values()]) {
      if (!one.active || one.activeUntil > at) continue;
      one.active = false;
      one.since = at;
    }
    for (const [id, expiresAt] of this.grants) {
      if (expiresAt === undefined || expiresAt > at) continue;
      this.grants.delete(id);
      if (this.balance > 0n) this.balance /= 2n;
    }
    for (const [id, { endsAt }] of this.reservations) if (endsAt <= at) this.reservations.delete(id);
    this.publish('instant', at);
  }

  grant(at: Instant, id: string, amount: bigint, expiresAt?: Instant): void {
    if (this.#used.has(id)) return;
    this.#used.add(id);
    this.balance += amount;
    if (this.balance > 0n) this.grants.set(id, expiresAt);
    this.publish('event', at);
  }

  charge(at: Instant, amount: bigint): void {
    this.balance -= amount;
    this.charged = true;
    if (this.balance <= 0n) this.grants.clear();
    this.publish('event', at);
  }

  runCluster(at: Instant, id: string, gpus: ReadonlyMap<string, number>, forMs: number): void {
    const known = this.clusters.get(id);
    const cluster = known ?? newCluster(id, at);
    this.clusters.set(id, cluster);
    cluster.gpus.clear();
    for (const [type, count] of gpus) cluster.gpus.set(type, count);
    if (!cluster.active) cluster.since = at;
    cluster.active = true;
    cluster.provisioned = true;
    cluster.activeUntil = at + Math.max(forMs, ACTIVE_MS);
    this.publish('event', at);
  }

  runVolume(at: Instant, id: string, forMs: number): void {
    const volume = this.volumes.get(id) ?? {
      id,
      activeUntil: at,
      active: false,
      since: at,
      decommissionedAt: undefined,
    };
    this.volumes.set(id, volume);
    if (!volume.active) volume.since = at;
    volume.active = true;
    volume.activeUntil = at + Math.max(forMs, ACTIVE_MS);
    this.publish('event', at);
  }

  provision(at: Instant, id: string): void {
    const cluster = this.clusters.get(id) ?? newCluster(id, at);
    this.clusters.set(id, cluster);
    cluster.provisioned = true;
    this.publish('event', at);
  }

  reserve(at: Instant, facts: Omit<ReservationFacts, 'revision' | 'endSetBy'>): void {
    if (this.#used.has(facts.reservationId)) return;
    this.#used.add(facts.reservationId);
    this.reservations.set(facts.reservationId, { ...facts, revision: 1, endSetBy: 'term' });
    this.publish('event', at);
  }

  chargeReservation(at: Instant, id: string): void {
    const known = this.reservations.get(id);
    if (known === undefined || known.charged || known.endsAt <= at) return;
    this.reservations.set(id, { ...known, charged: true, revision: known.revision + 1 });
    this.publish('event', at);
  }

  extend(at: Instant, id: string, byMs: number): void {
    const known = this.reservations.get(id);
    if (known === undefined || known.endsAt <= at) return;
    const endsAt = known.endsAt + byMs;
    this.reservations.set(id, { ...known, endsAt, endSetBy: 'term', revision: known.revision + 1 });
    this.publish('event', at);
  }

  /** C4: never to earlier than the clock; with `decommission` not earlier than the shortest notice, nor later than it was. */
  cancel(at: Instant, id: string, endsAt: Instant, decommission: boolean): void {
    const known = this.reservations.get(id);
    if (known === undefined || known.endsAt <= at) return;
    const least = decommission ? at + Math.min(...this.policy.reservationEndNoticesMs) : at;
    const end = Math.min(known.endsAt, Math.max(endsAt, least));
    if (end === known.endsAt) return;
    const endSetBy = decommission ? 'cancellation_decommission' : 'cancellation';
    this.reservations.set(id, { ...known, endsAt: end, endSetBy, revision: known.revision + 1 });
    this.publish('event', at);
  }

  /** `cluster.decommissioned` or `volume.decommissioned`. */
  confirm(at: Instant, kind: 'cluster' | 'volume', id: string): void {
    const one = kind === 'cluster' ? this.clusters.get(id) : this.volumes.get(id);
    if (one === undefined) return;
    if (one.active) one.since = at;
    one.active = false;
    one.decommissionedAt = at;
    if ('provisioned' in one) one.provisioned = false;
    this.publish('event', at);
  }

  setPolicy(at: Instant, policy: Policy): void {
    this.policy = policy;
    this.publish('event', at);
  }

  /** B2: tells what changed; the balance goes along. */
  publish(origin: 'event' | 'instant', clock: Instant): void {
    const resources: ResourceFacts[] = [];
    let burn = 0n;
    for (const cluster of byId(this.clusters)) {
      const facts = this.#clusterFacts(cluster, clock);
      burn += facts.burnRateNanos;
      this.#tell(resources, facts);
    }
    for (const volume of byId(this.volumes)) {
      const facts = volumeFacts(volume);
      burn += facts.burnRateNanos;
      this.#tell(resources, facts);
    }
    const level = this.#level(burn);
    this.#sequence += 1;
    this.#toldAt = clock;
    this.#out({
      kind: 'update',
      accountId: this.id,
      sequence: this.#sequence,
      clock,
      origin,
      balanceNanos: this.balance,
      burnRateNanos: burn,
      level,
      passedMs: this.#passed,
      policy: this.policy,
      grants: [...this.grants].map(([grantId, expiresAt]) => ({ grantId, expiresAt })),
      reservations: [...this.reservations.values()].sort((a, b) => compareText(a.reservationId, b.reservationId)),
      onDemandPriceNanos: new Map([['H100', GPU_PRICE]]),
      resources,
    });
  }

  #tell(resources: ResourceFacts[], facts: ResourceFacts): void {
    const text = JSON.stringify(facts, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    const key = `${facts.kind}/${facts.id}`;
    if (this.#told.get(key) === text) return;
    this.#told.set(key, text);
    resources.push(facts);
  }

  /** N2, as the rater tells it: passed at h x burn rate, cleared above 1.10 x it or at no burn rate. */
  #level(burn: bigint): Level {
    const exhausted = this.balance <= 0n && this.charged;
    const scaled = this.balance * 100n * BigInt(HOUR_MS);
    const before = this.#passed;
    this.#passed =
      exhausted || burn === 0n
        ? []
        : this.policy.lowRunwayMs.filter((ms) => {
            const line = 100n * BigInt(ms) * burn;
            return scaled <= line
              ? this.balance > 0n || before.includes(ms)
              : before.includes(ms) && scaled * 10n <= line * 11n;
          });
    return exhausted ? 'exhausted' : this.#passed.length > 0 ? 'low' : 'active';
  }

  #clusterFacts(cluster: Cluster, at: Instant): ClusterFacts {
    const reserved = new Map<string, number>();
    for (const { clusterId, gpuType, gpus, charged, startsAt, endsAt } of this.reservations.values()) {
      if (clusterId !== cluster.id || !charged || startsAt > at || endsAt <= at) continue;
      reserved.set(gpuType, (reserved.get(gpuType) ?? 0) + gpus);
    }
    const inUse = cluster.active ? cluster.gpus : new Map<string, number>();
    const types = [...new Set([...reserved.keys(), ...inUse.keys()])].sort(compareText);
    const gpuTypes = types.map((gpuType) => {
      const [used, held] = [inUse.get(gpuType) ?? 0, reserved.get(gpuType) ?? 0];
      return { gpuType, inUse: used, reserved: held, uncovered: Math.max(0, used - held) };
    });
    const uncovered = gpuTypes.reduce((sum, type) => sum + type.uncovered, 0);
    const { id, active, since, provisioned, decommissionedAt } = cluster;
    return {
      kind: 'cluster',
      id,
      gpuTypes,
      burnRateNanos: BigInt(uncovered) * GPU_PRICE,
      active,
      since,
      provisioned,
      decommissionedAt,
    };
  }
}

function newCluster(id: string, at: Instant): Cluster {
  return {
    id,
    gpus: new Map(),
    activeUntil: at,
    active: false,
    since: at,
    provisioned: false,
    decommissionedAt: undefined,
  };
}

function volumeFacts({ id, active, since, decommissionedAt }: Volume): VolumeFacts {
  const burnRateNanos = active ? VOLUME_BURN : 0n;
  return { kind: 'volume', id, sizeGib: 1000, burnRateNanos, active, since, decommissionedAt };
}

function byId<One extends { readonly id: string }>(map: ReadonlyMap<string, One>): readonly One[] {
  return [...map.values()].sort((a, b) => compareText(a.id, b.id));
}

/** Several customers in one partition, and its clock. */
export class World {
  readonly #out: (input: Input) => void;
  readonly customers = new Map<string, Customer>();
  clock: Instant = T0;

  constructor(out: (input: Input) => void) {
    this.#out = out;
  }

  customer(id: string): Customer {
    const known = this.customers.get(id);
    if (known !== undefined) return known;
    const customer = new Customer(id, this.#out);
    this.customers.set(id, customer);
    return customer;
  }

  /** X: time passes: the rater's instants come first, in order of time, then by account. */
  advance(to: Instant): void {
    for (;;) {
      let next: { readonly at: Instant; readonly customer: Customer } | undefined;
      for (const customer of [...this.customers.values()].sort((a, b) => compareText(a.id, b.id))) {
        const at = customer.nextInstant(to, this.clock);
        if (at !== undefined && (next === undefined || at < next.at)) next = { at, customer };
      }
      if (next === undefined) break;
      this.clock = Math.max(this.clock, next.at);
      next.customer.runInstant(next.at);
    }
    this.clock = to;
  }

  watermark(): void {
    this.#out({ kind: 'watermark', partition: 0, clock: this.clock, nextOffset: 0 });
  }
}
