import type { Entry } from './rows.ts';
import { Versions } from './versions.ts';

interface Grant {
  readonly ref: string;
  readonly kindOrder: number;
  readonly order: number;
  readonly expiresAt: number;
  readonly grantedAt: number;
  left: bigint;
  /** When nothing was left any more; undefined: something is left, or never was. */
  emptyAt: number | undefined;
}

/** N3: the account came to be exhausted, or was restored. `step` is the line that did it; -1: an instant. */
export interface Transition {
  readonly at: number;
  readonly step: number;
  readonly exhausted: boolean;
}

const kindOrder = new Map([
  ['promotional', 0],
  ['adjustment', 1],
  ['paid', 2],
]);

/** C1-C5: the books of one account, kept from its events: which entries its ledger must have, and when it was exhausted. */
export class Books {
  readonly expected: Omit<Entry, 'id' | 'accountId'>[] = [];
  readonly transitions: Transition[] = [];
  /** Grants that expire and of which something was left. */
  readonly expiring: Grant[] = [];
  /** After each step. */
  readonly balances = new Versions<bigint>();
  readonly sums = { granted: 0n, refunded: 0n, charged: 0n, expired: 0n };
  #grants: Grant[] = [];
  #count = 0;

  get balance(): bigint {
    const { granted, refunded, charged, expired } = this.sums;
    return granted + refunded - charged - expired;
  }

  /** C2: what is owed is paid first. */
  grant(ref: string, kind: string, amount: bigint, expiresAt: number | undefined, time: number): void {
    const owed = this.balance < 0n ? -this.balance : 0n;
    this.sums.granted += amount;
    this.#enter('grant', amount, ref, time);
    this.#hold(ref, kind, amount - owed, expiresAt ?? Number.POSITIVE_INFINITY, time);
  }

  refund(ref: string, amount: bigint, time: number): void {
    const owed = this.balance < 0n ? -this.balance : 0n;
    this.sums.refunded += amount;
    this.#enter('refund', amount, ref, time);
    this.#hold(ref, 'adjustment', amount - owed, Number.POSITIVE_INFINITY, time);
  }

  /** C2: by earliest expiry, then kind, then oldest. */
  charge(kind: 'usage' | 'reservation', ref: string, amount: bigint, time: number): void {
    this.sums.charged += amount;
    this.#enter(kind, -amount, ref, time);
    let open = amount;
    for (const grant of this.#grants) {
      if (open === 0n) break;
      const used = grant.left < open ? grant.left : open;
      grant.left -= used;
      open -= used;
      if (grant.left === 0n) grant.emptyAt = time;
    }
    this.#grants = this.#grants.filter(({ left }) => left > 0n);
  }

  /** C3: writes off what expires up to `until`; all of one instant in one step. */
  expireUntil(until: number): void {
    for (;;) {
      const at = this.#grants[0]?.expiresAt ?? Number.POSITIVE_INFINITY;
      if (at > until || at === Number.POSITIVE_INFINITY) return;
      for (const grant of this.#grants.filter(({ expiresAt }) => expiresAt === at)) {
        this.sums.expired += grant.left;
        this.#enter('expiry', -grant.left, grant.ref, at);
        grant.left = 0n;
        grant.emptyAt = at;
      }
      this.#grants = this.#grants.filter(({ left }) => left > 0n);
      this.settle(at, -1);
    }
  }

  /** N3, N5: ends a step. */
  settle(at: number, step: number): void {
    if (step >= 0) this.balances.put(step, this.balance);
    const exhausted = this.balance <= 0n && this.sums.charged > 0n;
    if (exhausted !== (this.transitions.at(-1)?.exhausted ?? false)) this.transitions.push({ at, step, exhausted });
  }

  /** Whether the account was exhausted once time had come to `at`, instants included, after the line `step`. */
  exhaustedAt(at: number, step: number): boolean {
    const before = this.transitions.findLast(
      (one) => one.at < at || (one.at === at && (one.step === -1 || one.step <= step)),
    );
    return before?.exhausted ?? false;
  }

  #hold(ref: string, kind: string, left: bigint, expiresAt: number, grantedAt: number): void {
    if (left <= 0n) return;
    const order = this.#count++;
    const grant = {
      ref,
      kindOrder: kindOrder.get(kind) ?? 0,
      order,
      expiresAt,
      grantedAt,
      left,
      emptyAt: undefined,
    };
    if (expiresAt !== Number.POSITIVE_INFINITY) this.expiring.push(grant);
    this.#grants = [...this.#grants, grant].sort(inOrderOfUse);
  }

  #enter(kind: string, amount: bigint, ref: string, time: number): void {
    if (amount !== 0n) this.expected.push({ kind, amount, ref, time });
  }
}

function inOrderOfUse(left: Grant, right: Grant): number {
  if (left.expiresAt !== right.expiresAt) return left.expiresAt < right.expiresAt ? -1 : 1;
  return left.kindOrder - right.kindOrder || left.order - right.order;
}
