import type { Nanos } from '../money.ts';
import type { Instant } from '../time.ts';

export type LedgerKind = 'grant' | 'usage' | 'reservation' | 'expiry' | 'refund';

/** C5: one movement of an account's balance, with its cause. */
export interface LedgerEntry {
  /** Made of what caused it: of a sample, its first line. */
  readonly entryId: string;
  readonly accountId: string;
  readonly time: Instant;
  readonly kind: LedgerKind;
  /** Signed: a charge is negative. Never 0. */
  readonly amountNanos: Nanos;
  /** The grant, the reservation, or `<source>/<id>` of the sample. */
  readonly ref: string;
  /** Absent for `usage`, whose lines may belong to several. */
  readonly invoiceMonth: string | undefined;
  /** C2: which grants paid a charge, in the order of consumption; what is missing to the amount became debt. */
  readonly consumed: readonly GrantUse[];
}

export interface GrantUse {
  readonly grantId: string;
  readonly amountNanos: Nanos;
}
