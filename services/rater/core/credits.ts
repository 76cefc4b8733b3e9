import type { GrantKind } from '../../shared/contracts/event.ts';
import type { GrantUse, LedgerKind } from '../../shared/contracts/ledger-entry.ts';
import type { Nanos } from '../../shared/money.ts';
import { compareText } from '../../shared/text-order.ts';
import { type Instant, monthOf } from '../../shared/time.ts';
import { type Account, type Effects, type Grant, NEVER, touch } from './account.ts';
import { openMonth } from './months.ts';
import { putTimer } from './timers.ts';

/** C2: of grants that expire at the same instant, the kind that is consumed first. */
const KIND_ORDER: Readonly<Record<GrantKind, number>> = { promotional: 0, adjustment: 1, paid: 2 };

export interface NewGrant {
  readonly id: string;
  readonly kind: GrantKind;
  readonly amountNanos: Nanos;
  readonly expiresAt: Instant;
}

/** What caused a movement of the balance: the id of its ledger entry is made of it, and its ref (C5). */
export interface Cause {
  readonly entryId: string;
  readonly ref: string;
}

/** C1, C2: credits an account with a grant or (C2) a refund; what is owed is paid first. */
export function credit(
  account: Account,
  kind: 'grant' | 'refund',
  grant: NewGrant,
  cause: Cause,
  clock: Instant,
  effects: Effects,
): void {
  const owed = account.balanceNanos < 0n ? -account.balanceNanos : 0n;
  const left = grant.amountNanos > owed ? grant.amountNanos - owed : 0n;
  const { totals } = account;
  const month = openMonth(account, monthOf(clock));
  if (kind === 'grant') {
    totals.grantedNanos += grant.amountNanos;
    month.grantedNanos += grant.amountNanos;
  } else {
    totals.refundedNanos += grant.amountNanos;
    month.refundedNanos += grant.amountNanos;
  }
  totals.grantsSeen += 1;
  account.balanceNanos += grant.amountNanos;
  touch(account, account);
  touch(account, month);
  if (left > 0n) holdGrant(account, grant, totals.grantsSeen, left);
  const paid = owed < grant.amountNanos ? owed : grant.amountNanos;
  const consumed = paid > 0n ? [{ grantId: grant.id, amountNanos: paid }] : [];
  emitEntry(account, kind, grant.amountNanos, cause, clock, consumed, effects);
}

/**
 * C2: charges an account: grants are consumed in their order, what finds none is debt. An amount of 0 leaves no trace (C5).
 * @param kind `usage` carries no invoice month, for its lines may belong to several
 */
export function charge(
  account: Account,
  kind: 'usage' | 'reservation',
  amountNanos: Nanos,
  cause: Cause,
  clock: Instant,
  effects: Effects,
): void {
  if (amountNanos === 0n) return;
  const consumed = consume(account, amountNanos);
  account.totals.chargedNanos += amountNanos;
  account.balanceNanos -= amountNanos;
  account.unpublished.charged = true;
  touch(account, account);
  emitEntry(account, kind, -amountNanos, cause, clock, consumed, effects);
}

/** C3: writes off what is left of a grant whose expiry the clock has reached. */
export function expireGrant(account: Account, grant: Grant, clock: Instant, effects: Effects): void {
  const amountNanos = grant.leftNanos;
  grant.leftNanos = 0n;
  account.grants.splice(account.grants.indexOf(grant), 1);
  account.unpublished.account = true;
  account.totals.expiredNanos += amountNanos;
  account.balanceNanos -= amountNanos;
  const month = openMonth(account, monthOf(clock));
  month.expiredNanos += amountNanos;
  touch(account, grant);
  touch(account, account);
  touch(account, month);
  const cause = { entryId: `expiry/${account.id}/${grant.id}`, ref: grant.id };
  emitEntry(account, 'expiry', -amountNanos, cause, clock, [{ grantId: grant.id, amountNanos }], effects);
}

function emitEntry(
  account: Account,
  kind: LedgerKind,
  amountNanos: Nanos,
  cause: Cause,
  clock: Instant,
  consumed: readonly GrantUse[],
  effects: Effects,
): void {
  const invoiceMonth = kind === 'usage' ? undefined : monthOf(clock);
  effects.entry({
    entryId: cause.entryId,
    accountId: account.id,
    time: clock,
    kind,
    amountNanos,
    ref: cause.ref,
    invoiceMonth,
    consumed,
  });
}

function holdGrant(account: Account, grant: NewGrant, order: number, leftNanos: Nanos): void {
  const held: Grant = {
    kind: 'grant',
    id: grant.id,
    dirty: false,
    grantKind: grant.kind,
    expiresAt: grant.expiresAt,
    order,
    leftNanos,
  };
  keepGrant(account, held);
  account.unpublished.account = true;
  touch(account, held);
}

/** Puts a grant in its place among those with something left, with the timer of its expiry. */
export function keepGrant(account: Account, grant: Grant): void {
  const index = account.grants.findIndex((other) => compareGrants(grant, other) < 0);
  account.grants.splice(index < 0 ? account.grants.length : index, 0, grant);
  if (grant.expiresAt !== NEVER) putTimer(account, grant.expiresAt, grant);
}

function compareGrants(left: Grant, right: Grant): number {
  if (left.expiresAt !== right.expiresAt) return left.expiresAt < right.expiresAt ? -1 : 1;
  const byKind = KIND_ORDER[left.grantKind] - KIND_ORDER[right.grantKind];
  return byKind !== 0 ? byKind : left.order - right.order || compareText(left.id, right.id);
}

function consume(account: Account, amountNanos: Nanos): readonly GrantUse[] {
  const uses: GrantUse[] = [];
  let open = amountNanos;
  while (open > 0n) {
    const grant = account.grants[0];
    if (grant === undefined) break;
    const used = grant.leftNanos < open ? grant.leftNanos : open;
    grant.leftNanos -= used;
    open -= used;
    uses.push({ grantId: grant.id, amountNanos: used });
    touch(account, grant);
    if (grant.leftNanos === 0n) {
      account.grants.shift();
      account.unpublished.account = true;
    }
  }
  return uses;
}
