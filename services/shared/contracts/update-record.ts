import { formatAmount, readAmount } from '../money.ts';
import type { BalanceUpdate, ClusterFacts, ResourceFacts, VolumeFacts, Watermark } from './balance-update.ts';

/** B1, B3: one record of `balance.updates`. An update is one for the account, and one for each changed resource. */
export type UpdateRecord = AccountRecord | ResourceRecord | WatermarkRecord;

interface AccountRecord {
  readonly kind: 'account';
  readonly account_id: string;
  readonly sequence: number;
  /** How many records of resources follow under this sequence. */
  readonly resources: number;
  /** The position of the event that caused it or moved the clock to it. */
  readonly offset: number;
  readonly clock: number;
  readonly origin: BalanceUpdate['origin'];
  readonly balance: string;
  readonly burn_rate: string;
  readonly level: BalanceUpdate['level'];
  readonly passed_ms: readonly number[];
  readonly policy: BalanceUpdate['policy'];
  readonly grants: readonly { readonly grantId: string; readonly expiresAt?: number }[];
  readonly reservations: BalanceUpdate['reservations'];
  readonly on_demand_prices: readonly (readonly [string, string])[];
}

interface ResourceRecord {
  readonly kind: 'resource';
  readonly account_id: string;
  readonly sequence: number;
  readonly facts: Omit<ClusterFacts, 'burnRateNanos'> | Omit<VolumeFacts, 'burnRateNanos'>;
  readonly burn_rate: string;
}

interface WatermarkRecord {
  readonly kind: 'watermark';
  readonly partition: number;
  readonly clock: number;
  readonly next_offset: number;
}

/** An update with where in the log it comes from. */
export interface PlacedUpdate {
  readonly update: BalanceUpdate;
  readonly offset: number;
}

/** The JSON text of a record. */
export function updateRecordText(record: UpdateRecord): string {
  return JSON.stringify(record);
}

/** B1: an update as its records, in their order. */
export function updateRecords(update: BalanceUpdate, offset: number): readonly UpdateRecord[] {
  const account: AccountRecord = {
    kind: 'account',
    account_id: update.accountId,
    sequence: update.sequence,
    resources: update.resources.length,
    offset,
    clock: update.clock,
    origin: update.origin,
    balance: formatAmount(update.balanceNanos),
    burn_rate: formatAmount(update.burnRateNanos),
    level: update.level,
    passed_ms: update.passedMs,
    policy: update.policy,
    grants: update.grants.map(({ grantId, expiresAt }) =>
      expiresAt === undefined ? { grantId } : { grantId, expiresAt },
    ),
    reservations: update.reservations,
    on_demand_prices: [...update.onDemandPriceNanos].map(([gpuType, price]) => [gpuType, formatAmount(price)]),
  };
  return [account, ...update.resources.map((facts) => resourceRecord(update, facts))];
}

/** B3: a watermark as its record. */
export function watermarkRecord(watermark: Watermark): UpdateRecord {
  const { partition, clock, nextOffset } = watermark;
  return { kind: 'watermark', partition, clock, next_offset: nextOffset };
}

function resourceRecord(update: BalanceUpdate, facts: ResourceFacts): ResourceRecord {
  const { burnRateNanos, ...rest } = facts;
  return {
    kind: 'resource',
    account_id: update.accountId,
    sequence: update.sequence,
    facts: rest,
    burn_rate: formatAmount(burnRateNanos),
  };
}

/** Puts updates together again from their records, in the order of the topic. */
export class UpdateAssembler {
  #account: AccountRecord | undefined;
  #resources: ResourceFacts[] = [];

  /** Whether an update was begun and is not whole yet: a checkpoint may not stand here. */
  get begun(): boolean {
    return this.#account !== undefined;
  }

  /**
   * Takes the JSON text of one record.
   * @returns what it completes, or undefined if more records of the same update follow
   * @throws Error `UpdateTorn` if a record of another update comes in between: its writer writes them in one append
   */
  take(text: string): PlacedUpdate | Watermark | undefined {
    const record: UpdateRecord = JSON.parse(text);
    if (record.kind === 'watermark') {
      if (this.#account !== undefined) throw torn(this.#account, 'a watermark');
      return { kind: 'watermark', partition: record.partition, clock: record.clock, nextOffset: record.next_offset };
    }
    if (record.kind === 'account') {
      if (this.#account !== undefined) throw torn(this.#account, 'another update');
      this.#account = record;
    } else {
      if (this.#account?.account_id !== record.account_id || this.#account.sequence !== record.sequence) {
        throw torn(this.#account, `a resource of ${record.account_id} ${record.sequence}`);
      }
      this.#resources.push(factsOf(record));
    }
    if (this.#resources.length < this.#account.resources) return undefined;
    const placed = placedUpdate(this.#account, this.#resources);
    this.#account = undefined;
    this.#resources = [];
    return placed;
  }
}

function torn(account: AccountRecord | undefined, what: string): Error {
  const fault = new Error(`${what} comes inside update ${account?.account_id} ${account?.sequence} of balance.updates`);
  fault.name = 'UpdateTorn';
  return fault;
}

function factsOf(record: ResourceRecord): ResourceFacts {
  const burnRateNanos = readAmount(record.burn_rate);
  const { facts } = record;
  if (facts.kind === 'cluster') return { ...facts, decommissionedAt: facts.decommissionedAt, burnRateNanos };
  return { ...facts, decommissionedAt: facts.decommissionedAt, burnRateNanos };
}

function placedUpdate(record: AccountRecord, resources: readonly ResourceFacts[]): PlacedUpdate {
  const update: BalanceUpdate = {
    kind: 'update',
    accountId: record.account_id,
    sequence: record.sequence,
    clock: record.clock,
    origin: record.origin,
    balanceNanos: readAmount(record.balance),
    burnRateNanos: readAmount(record.burn_rate),
    level: record.level,
    passedMs: record.passed_ms,
    policy: record.policy,
    grants: record.grants.map(({ grantId, expiresAt }) => ({ grantId, expiresAt })),
    reservations: record.reservations,
    onDemandPriceNanos: new Map(record.on_demand_prices.map(([gpuType, price]) => [gpuType, readAmount(price)])),
    resources,
  };
  return { update, offset: record.offset };
}
