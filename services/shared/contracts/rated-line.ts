import type { Nanos, PriceMicros } from '../money.ts';
import type { Instant } from '../time.ts';
import type { Tags } from './event.ts';

export type ResourceKind = 'cluster' | 'volume';
/** R4: what a piece of usage is billed as. */
export type Category = 'reserved' | 'burst' | 'on_demand' | 'storage';
export type Unit = 'gpu_hour' | 'gib_month';

/** R7: what one sample costs in one UTC hour under one price; the rows of `rated.ndjson` and of `rated_lines`. */
export interface RatedLine {
  /** R7: `c/<account>/<cluster>/<node>/<start ms>/<n>` or `v/<account>/<volume>/<start ms>/<n>`. */
  readonly lineId: string;
  /** `<source>/<id>` of the sample. */
  readonly event: string;
  readonly accountId: string;
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  readonly nodeId: string | undefined;
  /** The gpu_type, or `storage`. */
  readonly sku: string;
  readonly category: Category;
  readonly reservationId: string | undefined;
  /** First and last instant of its pieces. */
  readonly start: Instant;
  readonly end: Instant;
  /** U4: GPU-milliseconds or GiB-milliseconds. */
  readonly quantityMs: bigint;
  readonly unit: Unit;
  readonly unitPriceMicros: PriceMicros;
  readonly listUnitPriceMicros: PriceMicros;
  readonly amountNanos: Nanos;
  readonly listAmountNanos: Nanos;
  readonly invoiceMonth: string;
  readonly correction: boolean;
  readonly tags: Tags | undefined;
}
