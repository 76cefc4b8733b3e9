import { setImmediate } from 'node:timers/promises';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Nothing sleeps any more, and what was waited for has not come: a wake-up was lost. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

/**
 * The time of a simulation. It stands still while anything can run, then jumps to the next sleeper: promises without I/O all
 * settle within one turn of the event loop, so the same calls in the same order give the same run.
 */
export class VirtualTime {
  #now: number;
  #order = 0;
  /** A binary heap by instant, then by the order of the calls. */
  readonly #timers: Timer[] = [];

  constructor(startAt: number) {
    this.#now = startAt;
  }

  readonly now = (): number => this.#now;

  /** Resolves after that long, or at once when aborted. */
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#push({ at: this.#now + Math.max(0, Math.ceil(ms)), order: this.#order, wake: resolve });
      this.#order += 1;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  };

  /**
   * Runs everything until `isDone`.
   * @throws Stuck if nothing sleeps before that, or time would come to `deadline`
   */
  async runUntil(isDone: () => boolean, deadline: number): Promise<void> {
    for (;;) {
      await setImmediate();
      if (isDone()) return;
      const next = this.#pop();
      if (next === undefined) throw new Stuck('nothing is left that could wake anybody');
      if (next.at > deadline) throw new Stuck(`not done by ${deadline}`);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    heap.push(timer);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfLater(parent, index)) return;
      index = parent;
    }
  }

  #pop(): Timer | undefined {
    const heap = this.#timers;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const least = this.#isLater(left, left + 1) ? left + 1 : left;
      if (!this.#swapIfLater(index, least)) return first;
      index = least;
    }
  }

  #swapIfLater(upper: number, lower: number): boolean {
    if (!this.#isLater(upper, lower)) return false;
    const heap = this.#timers;
    const [above, below] = [heap[upper], heap[lower]];
    if (above === undefined || below === undefined) return false;
    heap[upper] = below;
    heap[lower] = above;
    return true;
  }

  /** Whether the timer at the one place comes after that at the other. */
  #isLater(left: number, right: number): boolean {
    const [one, other] = [this.#timers[left], this.#timers[right]];
    if (one === undefined || other === undefined) return false;
    return one.at - other.at > 0 || (one.at === other.at && one.order > other.order);
  }
}
