import type { Nanos, PriceMicros } from '../money.ts';
import type { Instant } from '../time.ts';
import type { PolicyOverrides } from './policy.ts';

/** E: what every event carries around its data. */
export interface Envelope {
  readonly id: string;
  readonly source: string;
  /** The account; absent for `prices.published` and `clock.tick`. */
  readonly subject: string | undefined;
  /** When it entered the log. */
  readonly time: Instant;
  /** E1: a price that another partition has judged already. */
  readonly forwarded: boolean;
  /** The content that decides whether a repeat is the same event (E3): `data` as it was sent. */
  readonly data: unknown;
}

export interface UsageGpu {
  readonly type: 'usage.gpu';
  readonly clusterId: string;
  readonly nodeId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly start: Instant;
  readonly end: Instant;
  readonly tags: Tags | undefined;
}

export interface UsageStorage {
  readonly type: 'usage.storage';
  readonly volumeId: string;
  readonly sizeGib: number;
  readonly start: Instant;
  readonly end: Instant;
  readonly tags: Tags | undefined;
}

/** Label pairs of a sample, kept on the rated line in the order in which they were sent. */
export type Tags = ReadonlyMap<string, string>;

export interface AccountOpened {
  readonly type: 'account.opened';
  readonly name: string | undefined;
  readonly policy: PolicyOverrides;
}

export interface PolicySet {
  readonly type: 'policy.set';
  readonly policy: PolicyOverrides;
}

export type GrantKind = 'promotional' | 'adjustment' | 'paid';

export interface CreditsGranted {
  readonly type: 'credits.granted';
  readonly grantId: string;
  readonly amountNanos: Nanos;
  readonly kind: GrantKind;
  readonly expiresAt: Instant | undefined;
}

export type Payment = 'upfront' | 'on_provision';

export interface ReservationPurchased {
  readonly type: 'reservation.purchased';
  readonly reservationId: string;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly priceMicros: PriceMicros;
  readonly payment: Payment;
  readonly overdraft: boolean;
}

export interface ReservationExtended {
  readonly type: 'reservation.extended';
  readonly reservationId: string;
  readonly endsAt: Instant;
  readonly priceMicros: PriceMicros | undefined;
}

export interface ReservationCancelled {
  readonly type: 'reservation.cancelled';
  readonly reservationId: string;
  readonly endsAt: Instant;
  readonly refundNanos: Nanos;
  readonly decommission: boolean;
}

export interface ClusterProvisioned {
  readonly type: 'cluster.provisioned';
  readonly clusterId: string;
}

export interface ClusterDecommissioned {
  readonly type: 'cluster.decommissioned';
  readonly clusterId: string;
}

export interface VolumeCreated {
  readonly type: 'volume.created';
  readonly volumeId: string;
}

export interface VolumeDecommissioned {
  readonly type: 'volume.decommissioned';
  readonly volumeId: string;
}

export interface PricesPublished {
  readonly type: 'prices.published';
  readonly effectiveFrom: Instant;
  readonly gpuHour: ReadonlyMap<string, PriceMicros>;
  readonly gibMonth: PriceMicros | undefined;
}

export interface ContractPriced {
  readonly type: 'contract.priced';
  readonly effectiveFrom: Instant;
  readonly gpuHour: ReadonlyMap<string, PriceMicros>;
  readonly gibMonth: PriceMicros | undefined;
}

export interface ClockTick {
  readonly type: 'clock.tick';
}

export type Usage = UsageGpu | UsageStorage;

/** E: what an event says, by its type. */
export type EventBody =
  | Usage
  | AccountOpened
  | PolicySet
  | CreditsGranted
  | ReservationPurchased
  | ReservationExtended
  | ReservationCancelled
  | ClusterProvisioned
  | ClusterDecommissioned
  | VolumeCreated
  | VolumeDecommissioned
  | PricesPublished
  | ContractPriced
  | ClockTick;

export type EventType = EventBody['type'];

export interface MeteringEvent {
  readonly envelope: Envelope;
  readonly body: EventBody;
}

/** E4: why an event was not applied, in the order in which the reasons are looked for. */
export const REJECTION_REASONS = [
  'malformed',
  'unknown_type',
  'invalid_field',
  'interval_invalid',
  'interval_too_long',
  'in_future',
  'too_late',
  'unknown_account',
  'conflict',
  'no_price',
  'retroactive_price',
  'unknown_reservation',
  'not_allowed',
  'insufficient_credits',
] as const;

export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** E4: a refusal: the first reason that holds, and in words what was wrong, where, and what to do. */
export interface Refusal {
  readonly reason: RejectionReason;
  readonly detail: string;
}
