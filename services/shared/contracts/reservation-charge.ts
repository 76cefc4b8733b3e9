import type { Nanos, PriceMicros } from '../money.ts';

/** C4, F2: one stretch of a reservation's time that was charged: what its ledger entry is made of. */
export interface ReservationCharge {
  /** `<entry_id>/<n>`: several stretches may be charged in one entry. */
  readonly chargeId: string;
  readonly entryId: string;
  readonly accountId: string;
  readonly reservationId: string;
  readonly clusterId: string;
  readonly gpuType: string;
  /** GPU-milliseconds. */
  readonly quantityMs: bigint;
  readonly unitPriceMicros: PriceMicros;
  readonly amountNanos: Nanos;
  readonly invoiceMonth: string;
}
