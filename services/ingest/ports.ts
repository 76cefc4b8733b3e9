import type { AccountBalance } from '../shared/contracts/account-balance.ts';
import type { StandingOrder } from '../shared/contracts/account-enforcement.ts';
import type { PlannedAction } from '../shared/contracts/command.ts';
import type { RejectionReason } from '../shared/contracts/event.ts';
import type { OperatorWord, PartitionEnforcement } from '../shared/contracts/partition-enforcement.ts';
import type { Category, ResourceKind, Unit } from '../shared/contracts/rated-line.ts';
import type { Nanos, PriceMicros } from '../shared/money.ts';
import type { Instant } from '../shared/time.ts';
import type { RefusalReason } from './core/accept.ts';

/** Where a record stands in the log. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

export interface SinkRecord {
  /** Undefined for what concerns all accounts. */
  readonly account: string | undefined;
  /** The record's time where the log takes the event's own; undefined where the log stamps it. */
  readonly at: Instant | undefined;
  /** One JSON text on one line, without `time` (core/accept.ts). */
  readonly text: string;
}

/** An event that the door refused from a sender it knows, kept whole (E4). */
export interface RejectedRecord {
  readonly account: string | undefined;
  readonly reason: RefusalReason;
  readonly detail: string;
  /** What was sent, exactly: one line of JSON, other text, or base64 of bytes that are no UTF-8. */
  readonly event: { readonly encoding: 'json' | 'text' | 'base64'; readonly text: string };
  /** True if `event` holds only the beginning of what was sent. */
  readonly truncated: boolean;
  /** The id of the key that sent it. */
  readonly sentBy: string;
  readonly receivedAt: Instant;
}

/** `busy`: nothing, or not everything, was written; the caller tells its client to send again after that long. */
export type AppendOutcome =
  | { readonly kind: 'appended'; readonly firstOffset: number }
  | { readonly kind: 'busy'; readonly retryAfterMs: number };
export type RejectOutcome = { readonly kind: 'kept' } | { readonly kind: 'busy'; readonly retryAfterMs: number };

/**
 * Where accepted events go. Any rejection of its promises is a failure of the log: the door answers 503 and the client
 * sends again; that repeats nothing, since the rater makes repeats harmless (E3, R2).
 */
export interface EventSink {
  readonly partitions: number;
  /** Appends in this order, at offsets without gaps, and resolves once all are durable. */
  append(partition: number, records: readonly SinkRecord[]): Promise<AppendOutcome>;
  /** Writes to `metering.rejected` and resolves once all are durable. */
  reject(records: readonly RejectedRecord[]): Promise<RejectOutcome>;
}

/** What became of an event that is in the log. */
export type EventVerdict =
  | { readonly status: 'applied' }
  | { readonly status: 'duplicate' }
  | { readonly status: 'rejected'; readonly reason: RejectionReason; readonly detail: string }
  | { readonly status: 'pending' };

export interface EventFate {
  readonly account: string | undefined;
  readonly position: Position;
  readonly verdict: EventVerdict;
}

export interface Verdicts {
  /** What became of the events with this source and id, oldest first; none if no such event is known. E3: accounts may share both. */
  of(source: string, id: string): Promise<readonly EventFate[]>;
  /** The verdicts on these positions, in their order; resolves once none is pending, after `timeoutMs`, or when aborted. */
  wait(positions: readonly Position[], timeoutMs: number, signal: AbortSignal): Promise<readonly EventVerdict[]>;
}

export interface AccountView extends AccountBalance {
  /** The clock up to which the log was processed. */
  readonly asOf: Instant;
  /** N3: what will be done, and when, in the order of time. */
  readonly coming: readonly PlannedAction[];
}

/** What an account used in full UTC hours `[from, to)`, summed by F2's key. */
export interface UsageLine {
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  readonly sku: string;
  readonly category: Category;
  readonly reservationId: string | undefined;
  readonly correction: boolean;
  readonly quantityMs: bigint;
  readonly unit: Unit;
  readonly unitPriceMicros: PriceMicros;
  readonly listUnitPriceMicros: PriceMicros;
  readonly amountNanos: Nanos;
  readonly listAmountNanos: Nanos;
}

export interface UsageQuery {
  readonly accountId: string;
  /** Both on a full UTC hour. */
  readonly from: Instant;
  readonly to: Instant;
  readonly limit: number;
  /** `next` of the page before; undefined for the first. */
  readonly after: string | undefined;
}

export interface OrdersQuery {
  readonly accountId: string | undefined;
  readonly resourceKind: ResourceKind | undefined;
  readonly resourceId: string | undefined;
  readonly limit: number;
  readonly after: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined if this is the last. */
  readonly next: string | undefined;
}

/** `asOf`: what was let in up to this instant of the log is in it. */
export interface UsagePage extends Page<UsageLine> {
  readonly asOf: Instant;
}

/** What billing and the enforcer can be asked. Undefined: there is no such account. */
export interface Queries {
  account(accountId: string): Promise<AccountView | undefined>;
  usage(query: UsageQuery): Promise<UsagePage | undefined>;
  /** K: the command that stands for each resource, by account, kind and id. */
  orders(query: OrdersQuery): Promise<Page<StandingOrder>>;
}

export interface EnforcementAct {
  readonly kind: 'hold' | 'release';
  /** An account, or all. */
  readonly target: { readonly accountId: string } | 'all';
  readonly by: string;
  readonly why: string;
}

/**
 * `done`: it was carried out and is durable. `recorded`: it stands in the log of operations, and is carried out as soon as an
 * enforcer runs that has not yet. Otherwise nothing was done.
 */
export type EnforcementActOutcome =
  | { readonly kind: 'done' | 'recorded'; readonly at: Instant }
  | { readonly kind: 'unknown_account' }
  | { readonly kind: 'busy'; readonly retryAfterMs: number };

export interface AccountHold extends OperatorWord {
  readonly accountId: string;
}

export interface HeldAccountsQuery {
  /** Of these accounts only. */
  readonly among: ReadonlySet<string> | 'all';
  readonly limit: number;
  readonly after: string | undefined;
}

/** N11: what operators may do to the enforcers. */
export interface EnforcementControl {
  /** Resolves once it is carried out, or a bounded while after it was recorded. */
  act(act: EnforcementAct): Promise<EnforcementActOutcome>;
  partitions(): Promise<readonly PartitionEnforcement[]>;
  /** The accounts that are held by themselves, by id. */
  heldAccounts(query: HeldAccountsQuery): Promise<Page<AccountHold>>;
}

export interface Readiness {
  readonly ready: boolean;
  /** What is missing, in words. */
  readonly reasons: readonly string[];
}
