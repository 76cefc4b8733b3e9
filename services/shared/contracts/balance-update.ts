import type { Nanos } from '../money.ts';
import type { Instant } from '../time.ts';
import type { Policy } from './policy.ts';

/** B2, N2: how an account stands. */
export type Level = 'active' | 'low' | 'exhausted';

/**
 * B1: what the enforcer learns of one account, all values absolute. Published after an event or an instant that changed
 * any of this but balance and clock, and else after the first charge that comes 60 s of clock after the last one (B2).
 */
export interface BalanceUpdate {
  readonly kind: 'update';
  readonly accountId: string;
  /** B1: per account, from 1, without gaps. */
  readonly sequence: number;
  readonly clock: Instant;
  /** X: what is due at that very time comes before an `event`'s update, and after an `instant`'s. */
  readonly origin: 'event' | 'instant';
  readonly balanceNanos: Nanos;
  /** C6: nanos an hour. */
  readonly burnRateNanos: Nanos;
  readonly level: Level;
  /** N2: the thresholds of `low_runway` that are passed, in milliseconds, longest first; none while exhausted. */
  readonly passedMs: readonly number[];
  readonly policy: Policy;
  /** Grants with something left, by expiry (C2's order). That nothing is left of one takes it off this list. */
  readonly grants: readonly GrantFacts[];
  /** Reservations whose end has not been carried out as an instant yet, by id. */
  readonly reservations: readonly ReservationFacts[];
  /**
   * The on-demand price in force, in nanos per GPU-hour, of each gpu_type reserved; what N6's alerts tell the cost of. A
   * price that changes is not an update's occasion by itself (B2).
   */
  readonly onDemandPriceNanos: ReadonlyMap<string, Nanos>;
  /** The resources whose facts changed since the update before, clusters first, each kind by id. */
  readonly resources: readonly ResourceFacts[];
}

export interface GrantFacts {
  readonly grantId: string;
  readonly expiresAt: Instant | undefined;
}

export interface ReservationFacts {
  readonly reservationId: string;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  /** R4: an `on_provision` one holds, for every rule, only once it was charged. */
  readonly charged: boolean;
  /** N6: what set the end: a purchase or extension, or a cancellation, with or without `decommission: true`. */
  readonly endSetBy: 'term' | 'cancellation' | 'cancellation_decommission';
  /** Rises with every event that set the end or charged it: notices are planned anew for each (N6). */
  readonly revision: number;
}

export type ResourceFacts = ClusterFacts | VolumeFacts;

export interface ClusterFacts {
  readonly kind: 'cluster';
  readonly id: string;
  /** By gpu_type, in the order of its name; types with nothing in use and nothing reserved are left out. */
  readonly gpuTypes: readonly GpuTypeFacts[];
  /** C6: nanos an hour. */
  readonly burnRateNanos: Nanos;
  readonly active: boolean;
  /** Since when it is active or idle. */
  readonly since: Instant;
  /** C4: from `cluster.provisioned` or its first accepted usage until `cluster.decommissioned`. */
  readonly provisioned: boolean;
  /** The clock of the last `cluster.decommissioned`. */
  readonly decommissionedAt: Instant | undefined;
}

export interface GpuTypeFacts {
  readonly gpuType: string;
  readonly inUse: number;
  /** Capacity of the reservations that hold now. */
  readonly reserved: number;
  /** C6: GPUs beyond it, 0 once nothing was rated `burst` or `on_demand` for `activity_window`. */
  readonly uncovered: number;
}

export interface VolumeFacts {
  readonly kind: 'volume';
  readonly id: string;
  readonly sizeGib: number;
  readonly burnRateNanos: Nanos;
  readonly active: boolean;
  readonly since: Instant;
  readonly decommissionedAt: Instant | undefined;
}

/** B3: all updates of records before `nextOffset` have been sent; time has come to `clock`. */
export interface Watermark {
  readonly kind: 'watermark';
  readonly partition: number;
  readonly clock: Instant;
  readonly nextOffset: number;
}
