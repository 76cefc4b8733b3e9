import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import type { DueKind } from './carry-out.ts';

export interface Due {
  readonly at: Instant;
  readonly accountId: string;
  readonly kind: DueKind;
  readonly id: string;
}

/** Entries that were moved or taken off are swept out once they are more than half of the heap, and more than this. */
const STALE_MIN = 64;

/**
 * X: what is due in a partition, in order of time; at one instant by account, then kind of resource, then id, as text. Each
 * subject stands in it at most once: setting it again moves it (the old entry is passed over when its turn comes).
 */
export class DueQueue {
  #heap: Due[] = [];
  readonly #current = new Map<string, Due>();

  /** Has a subject be due at an instant, or not at all. */
  set(accountId: string, kind: DueKind, id: string, at: Instant | undefined): void {
    const key = `${accountId}/${kind}/${id}`;
    const current = this.#current.get(key);
    if (current?.at === at) return;
    if (at === undefined) this.#current.delete(key);
    else {
      const due = { at, accountId, kind, id };
      this.#current.set(key, due);
      this.#push(due);
    }
    if (this.#heap.length > STALE_MIN && this.#heap.length > 2 * this.#current.size) this.#sweep();
  }

  /** Takes the first subject that is due at or before `until`; it is not due any more then. */
  take(until: Instant): Due | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) return undefined;
      this.#pop();
      const key = `${first.accountId}/${first.kind}/${first.id}`;
      if (this.#current.get(key) !== first) continue;
      this.#current.delete(key);
      return first;
    }
  }

  /** When the next one is due at the earliest, or undefined. */
  nextAt(): Instant | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return undefined;
      if (this.#current.get(`${first.accountId}/${first.kind}/${first.id}`) === first) return first.at;
      this.#pop();
    }
  }

  #sweep(): void {
    this.#heap = [...this.#current.values()].sort(compareDue);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(due);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || compareDue(due, parent) >= 0) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = index * 2 + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && compareDue(right, child) < 0) {
        childIndex += 1;
        child = right;
      }
      if (compareDue(child, last) >= 0) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function compareDue(left: Due, right: Due): number {
  return (
    left.at - right.at ||
    compareText(left.accountId, right.accountId) ||
    compareText(left.kind, right.kind) ||
    compareText(left.id, right.id)
  );
}
