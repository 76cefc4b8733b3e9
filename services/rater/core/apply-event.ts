import { assertNever } from '../../shared/assert-never.ts';
import { fingerprint } from '../../shared/canonical-json.ts';
import type { ContractPriced, CreditsGranted, EventBody, MeteringEvent } from '../../shared/contracts/event.ts';
import { type PolicyOverrides, policyOf } from '../../shared/contracts/policy.ts';
import { formatInstant, type Instant } from '../../shared/time.ts';
import { type Account, type AppliedId, type Effects, NEVER, touch } from './account.ts';
import { credit } from './credits.ts';
import { decommissionCluster, decommissionVolume, provisionCluster, refreshAllActivity } from './lifecycle.ts';
import { APPLIED, DUPLICATE, type Outcome, rejected } from './outcome.ts';
import { agreePrices, type PriceBook } from './price-book.ts';
import { rateGpuUsage, rateStorageUsage } from './rate-usage.ts';
import { cancelReservation, extendReservation, purchaseReservation } from './reservations.ts';

/** An event that concerns one account, which is open. */
export type AccountEventBody = Exclude<EventBody, { type: 'prices.published' | 'clock.tick' }>;

/** E3: the id under which an event is applied once, for ever. No id holds the character that joins them. */
export function businessId(event: MeteringEvent): string {
  const { body, envelope } = event;
  switch (body.type) {
    case 'account.opened':
      return 'account';
    case 'credits.granted':
      return `grant/${body.grantId}`;
    case 'reservation.purchased':
      return `reservation/${body.reservationId}`;
    default:
      return `event/${envelope.id}/${envelope.source}`;
  }
}

/** E3: what must be the same for a repeat to be one: type, subject and data, as JSON values. */
export function contentOf(event: MeteringEvent): string {
  return fingerprint([event.body.type, event.envelope.subject ?? null, event.envelope.data]);
}

/** E3: the answer for an id that was applied before, or undefined for one that was not. */
export function repeatOf(applied: ReadonlyMap<string, AppliedId>, id: string, content: string): Outcome | undefined {
  const before = applied.get(id);
  if (before === undefined) return undefined;
  if (before.fingerprint === content) return DUPLICATE;
  return rejected('conflict', `${id} was applied before with other content; send it under another id`);
}

/** E3, E4: applies an event of an open account, once; a rejected one leaves no trace. */
export function applyToAccount(
  account: Account,
  book: PriceBook,
  event: MeteringEvent & { readonly body: AccountEventBody },
  clock: Instant,
  effects: Effects,
): Outcome {
  const { body, envelope } = event;
  if (body.type === 'usage.gpu') return rateGpuUsage(account, book, envelope, body, clock, effects);
  if (body.type === 'usage.storage') return rateStorageUsage(account, book, envelope, body, clock, effects);
  const id = businessId(event);
  const content = contentOf(event);
  const repeat = repeatOf(account.applied, id, content);
  if (repeat !== undefined) return repeat;
  const outcome = applyOnce(account, body, clock, effects);
  if (outcome.kind === 'applied') rememberApplied(account, id, content);
  return outcome;
}

/** E3: remembers an id for ever. */
export function rememberApplied(account: Account, id: string, content: string): void {
  const entry: AppliedId = { kind: 'applied', key: id, dirty: false, fingerprint: content };
  account.applied.set(id, entry);
  touch(account, entry);
}

type Operation = Exclude<AccountEventBody, { type: 'usage.gpu' | 'usage.storage' }>;

function applyOnce(account: Account, body: Operation, clock: Instant, effects: Effects): Outcome {
  switch (body.type) {
    case 'account.opened':
      return APPLIED;
    case 'policy.set':
      setPolicy(account, body.policy, clock);
      return APPLIED;
    case 'credits.granted':
      return grantCredits(account, body, clock, effects);
    case 'reservation.purchased':
      return purchaseReservation(account, body, clock, effects);
    case 'reservation.extended':
      return extendReservation(account, body, clock, effects);
    case 'reservation.cancelled':
      return cancelReservation(account, body, clock, effects);
    case 'cluster.provisioned':
      provisionCluster(account, body.clusterId, clock, effects);
      return APPLIED;
    case 'cluster.decommissioned':
      decommissionCluster(account, body.clusterId, clock);
      return APPLIED;
    case 'volume.created':
      return APPLIED;
    case 'volume.decommissioned':
      decommissionVolume(account, body.volumeId, clock);
      return APPLIED;
    case 'contract.priced':
      return priceContract(account, body, clock);
    default:
      return assertNever(body);
  }
}

/** N1: replaces the account's overrides; a new activity_window holds at once. */
function setPolicy(account: Account, overrides: PolicyOverrides, clock: Instant): void {
  const policy = policyOf(overrides);
  account.totals.overrides = overrides;
  touch(account, account);
  if (JSON.stringify(policy) === JSON.stringify(account.policy)) return;
  account.policy = policy;
  account.unpublished.account = true;
  refreshAllActivity(account, clock);
}

/** C1-C3: `credits.granted`. */
function grantCredits(account: Account, body: CreditsGranted, clock: Instant, effects: Effects): Outcome {
  if (body.expiresAt !== undefined && body.expiresAt <= clock) {
    return rejected('not_allowed', `data.expires_at: not after the clock ${formatInstant(clock)}`);
  }
  const { grantId, kind, amountNanos } = body;
  const grant = { id: grantId, kind, amountNanos, expiresAt: body.expiresAt ?? NEVER };
  const cause = { entryId: `grant/${account.id}/${grantId}`, ref: grantId };
  credit(account, 'grant', grant, cause, clock, effects);
  return APPLIED;
}

/** E5: a contract's price is never retroactive. */
function priceContract(account: Account, body: ContractPriced, clock: Instant): Outcome {
  if (body.effectiveFrom < clock) {
    return rejected('retroactive_price', `data.effective_from: before the clock ${formatInstant(clock)}`);
  }
  agreePrices(account.contract, body, clock);
  touch(account, account.contract);
  account.pricedUntil = -1;
  return APPLIED;
}
