import type { Fraction } from './fraction.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import type { GrantKind } from './read-event.ts';

/** All that the model knows of one account. Lists only grow, but for what a decommission erases (C6). */
export interface Account {
  readonly id: string;
  policy: Policy;
  readonly movements: Movement[];
  readonly reservations: Reservation[];
  readonly reservationCharges: ReservationCharge[];
  /** Clusters that are provisioned now (C4). */
  readonly provisioned: Set<string>;
  /** When a cluster (`c/id`) or volume (`v/id`) was last decommissioned. */
  readonly decommissionedAt: Map<string, number>;
  sightings: Sighting[];
  uncoveredSightings: UncoveredSighting[];
  /** As of the last event or instant of the account (C6): nanos an hour, and the thresholds of N2 that are passed. */
  burnRate: bigint;
  passed: number[];
  exhausted: boolean;
}

/** C5: one movement of the balance, `amount` above 0. Grants and refunds are credits. */
export type Movement =
  | { kind: 'grant' | 'refund'; amount: bigint; id: string; grantKind: GrantKind; expiresAt: number | undefined }
  | { kind: 'charge'; amount: bigint }
  | { kind: 'expiry'; amount: bigint; of: Movement };

export interface Reservation {
  readonly id: string;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly startsAt: number;
  endsAt: number;
  readonly price: Fraction;
  readonly payment: 'upfront' | 'on_provision';
  readonly overdraft: boolean;
  /** It holds, for every rule, only once it was charged (R4). */
  charged: boolean;
  /** What an `on_provision` one will be charged for: spans of time, each at its price. */
  spans: Span[];
  refunded: bigint;
}

export interface Span {
  from: number;
  to: number;
  price: Fraction;
}

/** A charged quantity of a reservation, by R6's key for these amounts. */
export interface ReservationCharge {
  readonly reservation: Reservation;
  readonly price: Fraction;
  readonly month: string;
  readonly quantityMs: bigint;
  readonly amount: bigint;
}

/** An accepted sample of a node or volume. */
export interface Sighting {
  readonly resource: string;
  readonly nodeId: string | undefined;
  readonly gpuType: string | undefined;
  readonly size: number;
  readonly end: number;
  readonly seenAt: number;
}

/** A sample of which something was rated burst or on_demand, and where the last of that ends. */
export interface UncoveredSighting {
  readonly resource: string;
  readonly gpuType: string;
  readonly end: number;
  readonly seenAt: number;
}

export function openAccount(id: string, policy: Policy | undefined): Account {
  return {
    id,
    policy: policy ?? defaultPolicy,
    movements: [],
    reservations: [],
    reservationCharges: [],
    provisioned: new Set(),
    decommissionedAt: new Map(),
    sightings: [],
    uncoveredSightings: [],
    burnRate: 0n,
    passed: [],
    exhausted: false,
  };
}

/** R4: whether a reservation of this cluster and type holds at an instant. */
export function holds(r: Reservation, clusterId: string, gpuType: string, at: number): boolean {
  return r.charged && r.clusterId === clusterId && r.gpuType === gpuType && r.startsAt <= at && at < r.endsAt;
}
