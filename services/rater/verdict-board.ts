import type { Outcome } from './core/outcome.ts';

/** Verdicts are kept for this many records, for those who wait for theirs. */
const KEPT = 200_000;

/** What became of the newest records, by offset, for senders that wait for it. */
export class VerdictBoard {
  readonly #outcomes = new Map<number, Outcome>();
  readonly #waiters = new Set<{ readonly until: number; readonly wake: () => void }>();
  #processed = 0;

  /** Notes an outcome; the oldest one goes. */
  settle(offset: number, outcome: Outcome): void {
    this.#outcomes.set(offset, outcome);
    if (this.#outcomes.size <= KEPT) return;
    for (const oldest of this.#outcomes.keys()) {
      this.#outcomes.delete(oldest);
      break;
    }
  }

  /** All records before this offset were folded, and their balance updates sent. */
  processed(nextOffset: number): void {
    this.#processed = nextOffset;
    for (const waiter of this.#waiters) if (waiter.until <= nextOffset) waiter.wake();
  }

  /** The outcome of a record, or undefined if it was not folded yet or is no longer kept. */
  of(offset: number): Outcome | undefined {
    return offset < this.#processed ? this.#outcomes.get(offset) : undefined;
  }

  /** Resolves once all records before `nextOffset` were folded, or when aborted. */
  async wait(nextOffset: number, signal: AbortSignal): Promise<void> {
    if (this.#processed >= nextOffset || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const waiter = {
        until: nextOffset,
        wake: (): void => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', waiter.wake);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', waiter.wake, { once: true });
    });
  }
}
