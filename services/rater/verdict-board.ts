import type { Outcome } from './core/outcome.ts';

/** Verdicts are kept for this many records, for those who wait for theirs. */
const KEPT = 1 << 17;

/** What became of the newest records, by offset, for senders that wait for it: a ring, the oldest goes. */
export class VerdictBoard {
  readonly #outcomes: (Outcome | undefined)[] = new Array<Outcome | undefined>(KEPT).fill(undefined);
  readonly #waiters = new Set<{ readonly until: number; readonly wake: () => void }>();
  /** The first offset that is kept, and the one after the last that was folded. */
  #from = 0;
  #processed = 0;

  /** Notes an outcome. Offsets come one after the other. */
  settle(offset: number, outcome: Outcome): void {
    this.#outcomes[offset % KEPT] = outcome;
    this.#from = Math.max(this.#from, offset - KEPT + 1);
  }

  /** Begins at an offset: nothing is known of what came before. */
  begin(offset: number): void {
    this.#from = offset;
    this.#processed = offset;
  }

  /** All records before this offset were folded, and their balance updates sent. */
  processed(nextOffset: number): void {
    this.#processed = nextOffset;
    for (const waiter of this.#waiters) if (waiter.until <= nextOffset) waiter.wake();
  }

  /** The outcome of a record, or undefined if it was not folded yet or is no longer kept. */
  of(offset: number): Outcome | undefined {
    return offset >= this.#from && offset < this.#processed ? this.#outcomes[offset % KEPT] : undefined;
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
