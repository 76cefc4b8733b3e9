import type { BalanceUpdate, ClusterFacts, Level, VolumeFacts } from '../../shared/contracts/balance-update.ts';
import type { GrantKind, Payment } from '../../shared/contracts/event.ts';
import type { Invoice } from '../../shared/contracts/invoice.ts';
import type { LedgerEntry } from '../../shared/contracts/ledger-entry.ts';
import { DEFAULT_POLICY, type Policy, type PolicyOverrides } from '../../shared/contracts/policy.ts';
import type { Category, RatedLine } from '../../shared/contracts/rated-line.ts';
import type { ReservationCharge } from '../../shared/contracts/reservation-charge.ts';
import type { Nanos, PriceMicros } from '../../shared/money.ts';
import type { Instant } from '../../shared/time.ts';
import type { IntervalSet } from './interval-set.ts';
import type { PriceList } from './price-list.ts';
import { TimerHeap } from './timer-heap.ts';
import type { UsedCapacity } from './used-capacity.ts';

/** Never: an instant that no clock reaches. */
export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** The scalar part of an account: what one small field of the store holds. */
export interface AccountTotals {
  overrides: PolicyOverrides;
  grantedNanos: Nanos;
  refundedNanos: Nanos;
  chargedNanos: Nanos;
  expiredNanos: Nanos;
  /** N2: the thresholds that are passed, longest first. */
  passedMs: readonly number[];
  level: Level;
  burnRateNanos: Nanos;
  /** B1: the sequence of the last update, 0 before the first. */
  sequence: number;
  /** B2: the clock of the last update. */
  publishedAt: Instant;
  /** C2: how many grants came; their order of age. */
  grantsSeen: number;
  /** F1: the closing balance of the last final month, with which the next opens. */
  finalBalanceNanos: Nanos;
}

/** One account's state: money, resources, and what is to come. Mutated in place by the core's steps (see Changes). */
export interface Account {
  readonly kind: 'account';
  readonly id: string;
  dirty: boolean;
  readonly totals: AccountTotals;
  policy: Policy;
  /** C1. Kept beside the totals it is made of. */
  balanceNanos: Nanos;
  /** C2: grants with something left, in the order in which they are consumed. */
  readonly grants: Grant[];
  readonly reservations: Map<string, Reservation>;
  readonly clusters: Map<string, Cluster>;
  readonly volumes: Map<string, Volume>;
  readonly contract: Contract;
  /** E3: fingerprints of what was applied, by business id. */
  readonly applied: Map<string, AppliedId>;
  /** R6: total quantities by everything that an amount is exact for. */
  readonly quantities: Map<string, Quantity>;
  /** F1: months that are not final yet and have a line or a ledger entry. */
  readonly months: Map<string, MonthTotals>;
  /** C6: the account's own instants. */
  readonly timers: TimerHeap<Timed>;
  /** The instant for which the partition's timer of this account stands. */
  timerAt: Instant;
  timerDirty: boolean;
  /** When a price that this account may use takes effect next, and the book's version it was looked up in. */
  pricedUntil: Instant;
  pricedVersion: number;
  /** N2: while burn rate and policy stay, an account that is `active` stays so with a balance above this. */
  settled: { readonly burnRateNanos: Nanos; readonly policy: Policy; readonly aboveNanos: Nanos } | undefined;
  /** B2: what changed since the last update. */
  readonly unpublished: Unpublished;
  readonly changes: Changed[];
}

export interface Unpublished {
  account: boolean;
  readonly resources: Set<Cluster | Volume>;
  charged: boolean;
}

/** Whatever a store keeps in a field of its own. */
export type Changed =
  | Account
  | Grant
  | Reservation
  | Cluster
  | Node
  | Volume
  | Contract
  | AppliedId
  | Quantity
  | MonthTotals;

/** What a timer of an account looks at. */
export type Timed = Grant | Reservation | Node | Volume | GpuTypeUse | MonthTotals;

export interface Grant {
  readonly kind: 'grant';
  readonly id: string;
  dirty: boolean;
  readonly grantKind: GrantKind;
  readonly expiresAt: Instant;
  /** C2: which came first. */
  readonly order: number;
  leftNanos: Nanos;
}

/** C4: a stretch of a reservation's time at its own price; together they cover `[startsAt, endsAt)`. */
export interface Term {
  readonly from: Instant;
  readonly to: Instant;
  readonly priceMicros: PriceMicros;
}

export interface Reservation {
  readonly kind: 'reservation';
  readonly id: string;
  dirty: boolean;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly startsAt: Instant;
  endsAt: Instant;
  readonly priceMicros: PriceMicros;
  readonly payment: Payment;
  readonly overdraft: boolean;
  charged: boolean;
  /** C4: what was charged and refunded so far, for E6. */
  chargedNanos: Nanos;
  refundedNanos: Nanos;
  /** What will be charged when it is provisioned; empty once it was. */
  unchargedTerms: readonly Term[];
  endSetBy: 'term' | 'cancellation' | 'cancellation_decommission';
  /** Rises with every event that set the end or charged it. */
  revision: number;
  /** How many ledger entries it caused: their ids are made of it (C5). */
  entries: number;
  /** The rater has carried out its end: it is on no update any more. */
  ended: boolean;
  readonly used: UsedCapacity;
}

/** C6: when a node or volume was last seen. */
export interface Activity {
  /** The greatest end of its samples; -1 before the first. A decommission puts it to its clock. */
  lastEnd: Instant;
  /** From when `activity_window` counts; -1 if it is idle whatever the window. */
  seenAt: Instant;
  active: boolean;
  /** The instant for which a timer stands, NEVER if none does. */
  timerAt: Instant;
}

export interface Node extends Activity {
  readonly kind: 'node';
  readonly id: string;
  dirty: boolean;
  readonly cluster: Cluster;
  /** Of the type of its GPUs. */
  use: GpuTypeUse;
  gpus: number;
  readonly billed: IntervalSet;
  /** R6: the quantity its last line went to, which is nearly always the next one's too. */
  lastQuantity: Quantity | undefined;
}

export interface Cluster {
  readonly kind: 'cluster';
  readonly id: string;
  dirty: boolean;
  readonly nodes: Map<string, Node>;
  readonly gpuTypes: Map<string, GpuTypeUse>;
  provisioned: boolean;
  /** The clock of the last `cluster.decommissioned`; -1 if there was none. */
  decommissionedAt: Instant;
  activeNodes: number;
  since: Instant;
  burnRateNanos: Nanos;
  published: ClusterFacts | undefined;
}

/** C6: the GPUs of one type in one cluster. */
export interface GpuTypeUse {
  readonly kind: 'gpu_type';
  readonly gpuType: string;
  readonly cluster: Cluster;
  inUse: number;
  reserved: number;
  uncovered: number;
  /** C6: the greatest end of what was rated `burst` or `on_demand`, -1 if nothing was, and from when its window counts. */
  paidEnd: Instant;
  paidSeenAt: Instant;
  timerAt: Instant;
  burnRateNanos: Nanos;
  /** R4: charged reservations, earliest end first, then lowest id. */
  readonly reservations: Reservation[];
}

export interface Volume extends Activity {
  readonly kind: 'volume';
  readonly id: string;
  dirty: boolean;
  sizeGib: number;
  since: Instant;
  decommissionedAt: Instant;
  burnRateNanos: Nanos;
  readonly billed: IntervalSet;
  lastQuantity: Quantity | undefined;
  published: VolumeFacts | undefined;
}

/** The account's own rates (`contract.priced`). */
export interface Contract {
  readonly kind: 'contract';
  dirty: boolean;
  readonly gpuHour: Map<string, PriceList>;
  readonly gibMonth: PriceList;
}

export interface AppliedId {
  readonly kind: 'applied';
  readonly key: string;
  dirty: boolean;
  readonly fingerprint: string;
}

/** R6: everything that one exact sum is kept for. Reservation charges are kept in the same way (C4). */
export interface QuantityKey {
  readonly resourceKind: 'cluster' | 'volume';
  readonly resourceId: string;
  readonly sku: string;
  readonly category: Category | 'reservation';
  readonly reservationId: string | undefined;
  readonly unitPriceMicros: PriceMicros;
  readonly listPriceMicros: PriceMicros;
  readonly invoiceMonth: string;
  readonly correction: boolean;
}

export interface Quantity extends QuantityKey {
  readonly kind: 'quantity';
  readonly key: string;
  dirty: boolean;
  totalMs: bigint;
  /** floor(total x price), kept so that a line needs one division. */
  amountNanos: Nanos;
  listAmountNanos: Nanos;
}

/** F1: what a month's invoice holds beside its lines. */
export interface MonthTotals {
  readonly kind: 'month';
  readonly month: string;
  dirty: boolean;
  grantedNanos: Nanos;
  refundedNanos: Nanos;
  expiredNanos: Nanos;
}

/** The state of an account that has just been opened. */
export function openedAccount(id: string, overrides: PolicyOverrides): Account {
  return {
    kind: 'account',
    id,
    dirty: false,
    totals: {
      overrides,
      grantedNanos: 0n,
      refundedNanos: 0n,
      chargedNanos: 0n,
      expiredNanos: 0n,
      passedMs: [],
      level: 'active',
      burnRateNanos: 0n,
      sequence: 0,
      publishedAt: -1,
      grantsSeen: 0,
      finalBalanceNanos: 0n,
    },
    policy: { ...DEFAULT_POLICY, ...overrides },
    balanceNanos: 0n,
    grants: [],
    reservations: new Map(),
    clusters: new Map(),
    volumes: new Map(),
    contract: { kind: 'contract', dirty: false, gpuHour: new Map(), gibMonth: [] },
    applied: new Map(),
    quantities: new Map(),
    months: new Map(),
    timers: new TimerHeap(),
    timerAt: NEVER,
    timerDirty: false,
    pricedUntil: -1,
    pricedVersion: -1,
    settled: undefined,
    unpublished: { account: true, resources: new Set(), charged: false },
    changes: [],
  };
}

/** Notes that something must be written at the next commit. */
export function touch(account: Account, changed: Changed): void {
  if (changed.dirty) return;
  changed.dirty = true;
  account.changes.push(changed);
}

/** What a step of the core brings about beside the new state. Called in the order in which it happens. */
export interface Effects {
  line(line: RatedLine): void;
  entry(entry: LedgerEntry): void;
  update(update: BalanceUpdate): void;
  reservationCharge(charge: ReservationCharge): void;
  invoice(invoice: Invoice): void;
}
