import type { Watermark } from '../../shared/contracts/balance-update.ts';
import type { MeteringEvent, PricesPublished } from '../../shared/contracts/event.ts';
import { formatInstant, type Instant } from '../../shared/time.ts';
import { type Account, type AppliedId, type Effects, NEVER, openedAccount } from './account.ts';
import {
  type AccountEventBody,
  applyToAccount,
  businessId,
  contentOf,
  rememberApplied,
  repeatOf,
} from './apply-event.ts';
import { completeStep, passInstant } from './instants.ts';
import { APPLIED, type Outcome, rejected } from './outcome.ts';
import { emptyPriceBook, type PriceBook, publishPrices, retroactiveIn } from './price-book.ts';
import { intervalFault } from './rate-usage.ts';
import { TimerHeap } from './timer-heap.ts';

/**
 * The state of one partition and its fold (E1): a pure function of the log's order, whatever the batches. It is mutated in
 * place, for in steady state a sample touches one node's tail and a few counters; what a commit must write is noted by
 * each account (`changes`). A step that rejects has changed nothing but the clock (E3).
 */
export class Partition {
  readonly accounts = new Map<string, Account>();
  readonly book: PriceBook = emptyPriceBook();
  /** E3: what was applied without an account. */
  readonly applied = new Map<string, AppliedId>();
  /** E2: the highest time seen; -1 before the first event. */
  clock: Instant = -1;
  readonly #timers = new TimerHeap<Account>();
  readonly #newlyApplied: AppliedId[] = [];
  readonly #repriced = new Set<string | undefined>();

  /**
   * E2-E6: applies one event that ingest's checks have let through. What is due before its time is carried out first.
   * @returns applied, duplicate, or rejected with the first reason of E4 that holds
   */
  apply(event: MeteringEvent, effects: Effects): Outcome {
    this.advance(Math.max(this.clock, event.envelope.time), effects);
    const outcome = this.#apply(event, effects);
    this.#passDue(effects);
    return outcome;
  }

  /** E2, X: moves the clock and carries out what is due up to it, that instant included. */
  advance(to: Instant, effects: Effects): void {
    this.#passDue(effects, to);
    if (to > this.clock) this.clock = to;
  }

  /** B3: tells the enforcer how far time and log have come. */
  watermark(partition: number, nextOffset: number): Watermark {
    return { kind: 'watermark', partition, clock: this.clock, nextOffset };
  }

  /** What was applied without an account since the last call. */
  takeApplied(): readonly AppliedId[] {
    return this.#newlyApplied.splice(0);
  }

  /** The gpu_types whose prices changed since the last call; undefined stands for storage. */
  takeRepriced(): readonly (string | undefined)[] {
    const repriced = [...this.#repriced];
    this.#repriced.clear();
    return repriced;
  }

  /** Puts in an account that was loaded from the store. */
  putAccount(account: Account): void {
    this.accounts.set(account.id, account);
    account.timerAt = NEVER;
    this.#arm(account);
  }

  /** Forgets a loaded account whose changes were written; its timer stands in the store. */
  dropAccount(account: Account): void {
    this.accounts.delete(account.id);
    account.timerAt = NEVER;
  }

  #apply(event: MeteringEvent, effects: Effects): Outcome {
    const { body, envelope } = event;
    switch (body.type) {
      case 'clock.tick':
        return APPLIED;
      case 'prices.published':
        return this.#publishPrices(event, body);
      case 'account.opened':
        return this.#openAccount(event, effects);
      case 'usage.gpu':
      case 'usage.storage': {
        const fault = intervalFault(body, this.clock);
        if (fault !== undefined) return fault;
        return this.#applyToAccount({ envelope, body }, effects);
      }
      default:
        return this.#applyToAccount({ envelope, body }, effects);
    }
  }

  #openAccount(event: MeteringEvent, effects: Effects): Outcome {
    const { body, envelope } = event;
    if (body.type !== 'account.opened') return APPLIED;
    const id = envelope.subject ?? '';
    if (this.accounts.has(id)) return this.#applyToAccount({ envelope, body }, effects);
    const account = openedAccount(id, body.policy);
    account.dirty = true;
    account.changes.push(account);
    this.accounts.set(id, account);
    rememberApplied(account, businessId(event), contentOf(event));
    completeStep(account, this.book, 'event', this.clock, effects);
    this.#arm(account);
    return APPLIED;
  }

  #applyToAccount(event: MeteringEvent & { readonly body: AccountEventBody }, effects: Effects): Outcome {
    const account = this.accounts.get(event.envelope.subject ?? '');
    if (account === undefined) {
      return rejected(
        'unknown_account',
        `subject: ${event.envelope.subject} was not opened; send account.opened first`,
      );
    }
    const outcome = applyToAccount(account, this.book, event, this.clock, effects);
    if (outcome.kind !== 'applied') return outcome;
    completeStep(account, this.book, 'event', this.clock, effects);
    this.#arm(account);
    return outcome;
  }

  /** E3, E5: a price that another partition has judged is not judged again (E1). */
  #publishPrices(event: MeteringEvent, body: PricesPublished): Outcome {
    const id = businessId(event);
    const content = contentOf(event);
    const repeat = repeatOf(this.applied, id, content);
    if (repeat !== undefined) return repeat;
    const thing = event.envelope.forwarded ? undefined : retroactiveIn(this.book, body, this.clock);
    if (thing !== undefined) {
      return rejected(
        'retroactive_price',
        `data.effective_from: before the clock ${formatInstant(this.clock)}, and ${thing} has a price already`,
      );
    }
    publishPrices(this.book, body, this.clock);
    const applied: AppliedId = { kind: 'applied', key: id, dirty: true, fingerprint: content };
    this.applied.set(id, applied);
    this.#newlyApplied.push(applied);
    for (const gpuType of body.gpuHour.keys()) this.#repriced.add(gpuType);
    if (body.gibMonth !== undefined) this.#repriced.add(undefined);
    return APPLIED;
  }

  /** X: in order of time, at one instant by account. */
  #passDue(effects: Effects, until: Instant = this.clock): void {
    for (let due = this.#timers.take(until); due !== undefined; due = this.#timers.take(until)) {
      const account = due.subject;
      if (account.timerAt !== due.at) continue;
      account.timerAt = NEVER;
      if (due.at > this.clock) this.clock = due.at;
      passInstant(account, this.book, due.at, effects);
      this.#arm(account);
    }
  }

  /** Keeps the partition's timer of an account at the account's earliest instant, or earlier. */
  #arm(account: Account): void {
    const at = account.timers.nextAt();
    if (at >= account.timerAt) return;
    account.timerAt = at;
    account.timerDirty = true;
    this.#timers.put(at, account.id, account);
  }
}
