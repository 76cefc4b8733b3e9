import { LogError } from './port.ts';

interface Waiter {
  readonly offset: number;
  settle(grown: boolean): void;
  refuse(error: LogError): void;
}

/** Those who wait for a partition to grow. */
export class Waiters {
  readonly #limit: number;
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves true at the first `wake` above `offset`, false when `signal` is aborted. Rejects with `LogTooManyWaiters`. */
  wait(offset: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    if (this.#waiting.size >= this.#limit) {
      return Promise.reject(new LogError('LogTooManyWaiters', `${this.#limit} calls wait`));
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        offset,
        settle: (grown) => {
          leave();
          resolve(grown);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = () => waiter.settle(false);
      signal?.addEventListener('abort', onAbort);
      this.#waiting.add(waiter);
    });
  }

  /** The partition now ends at `endOffset`. */
  wake(endOffset: number): void {
    for (const waiter of this.#waiting) {
      if (waiter.offset < endOffset) waiter.settle(true);
    }
  }

  close(): void {
    for (const waiter of this.#waiting) waiter.refuse(new LogError('LogClosed', 'the wait has ended'));
  }
}
