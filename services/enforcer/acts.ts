import type { Instant } from '../shared/time.ts';
import type { HoldTarget } from './core/enforcement.ts';

/** N11: what an operator does to enforcement, who it is (the id of a key), and why. */
export interface Act {
  readonly kind: 'hold' | 'release';
  readonly target: HoldTarget;
  readonly by: string;
  readonly why: string;
}

/** `done`: it is durable, since `at` by the wall clock. Otherwise nothing was done. */
export type ActOutcome =
  | { readonly kind: 'done'; readonly at: Instant }
  | { readonly kind: 'unknown_account' }
  | { readonly kind: 'busy' };

/** The enforcer does not run any more; whether an act that was under way is durable is not known. */
export class EnforcerStopped extends Error {
  override readonly name = 'EnforcerStopped';
}

interface Waiting {
  readonly act: Act;
  readonly resolve: (outcome: ActOutcome) => void;
  readonly reject: (fault: Error) => void;
}

interface Done extends Waiting {
  readonly at: Instant;
}

const WAITING_MAX = 1000;

/** N11: acts of operators on their way: waiting, then carried out, then durable. Only then whoever asked is told. */
export class Acts {
  #waiting: Waiting[] = [];
  #done: Done[] = [];
  #stopped: EnforcerStopped | undefined;

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Acts were carried out and are to be written. */
  get unwritten(): boolean {
    return this.#done.length > 0;
  }

  /** Rejects with `EnforcerStopped`; `busy` if too many wait already. */
  add(act: Act): Promise<ActOutcome> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    if (this.#waiting.length >= WAITING_MAX) return Promise.resolve({ kind: 'busy' });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ act, resolve, reject });
    });
  }

  /** Has every act that waits be carried out, in the order in which they came. */
  carryOut(at: Instant, knows: (accountId: string) => boolean, apply: (act: Act) => void): void {
    for (let waiting = this.#waiting.shift(); waiting !== undefined; waiting = this.#waiting.shift()) {
      const { target } = waiting.act;
      if (target !== 'all' && !knows(target.accountId)) {
        waiting.resolve({ kind: 'unknown_account' });
        continue;
      }
      this.#done.push({ ...waiting, at });
      apply(waiting.act);
    }
  }

  /** What was carried out is durable now. @returns those acts, and since when */
  settle(): readonly { readonly act: Act; readonly at: Instant }[] {
    const settled = this.#done.splice(0);
    for (const { resolve, at } of settled) resolve({ kind: 'done', at });
    return settled;
  }

  /** From now on no act is carried out, and none that was is known to be durable. */
  stop(why: string): void {
    this.#stopped = new EnforcerStopped(why);
    for (const { reject } of [...this.#waiting.splice(0), ...this.#done.splice(0)]) reject(this.#stopped);
  }
}
