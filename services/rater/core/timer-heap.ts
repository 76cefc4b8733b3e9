import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';

interface Entry<Subject> {
  readonly at: Instant;
  readonly key: string;
  readonly subject: Subject;
}

/**
 * What is to be looked at when time comes to an instant, earliest first, at one instant by key as text. Entries are lower
 * bounds: whoever takes one checks whether its subject is really due, and puts it back if it is not yet. So a sample that
 * moves a node's idleness costs nothing here.
 */
export class TimerHeap<Subject> {
  readonly #entries: Entry<Subject>[] = [];

  /** The earliest instant, or Infinity. */
  nextAt(): Instant {
    return this.#entries[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  put(at: Instant, key: string, subject: Subject): void {
    const entries = this.#entries;
    const entry = { at, key, subject };
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = entries[parentIndex];
      if (parent === undefined || !before(entry, parent)) break;
      entries[index] = parent;
      index = parentIndex;
    }
    entries[index] = entry;
  }

  /** Takes the earliest entry if it is at or before `until`. */
  take(until: Instant): Entry<Subject> | undefined {
    const entries = this.#entries;
    const first = entries[0];
    if (first === undefined || first.at > until) return undefined;
    const last = entries.pop();
    if (last !== undefined && entries.length > 0) this.#sink(last);
    return first;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  #sink(entry: Entry<Subject>): void {
    const entries = this.#entries;
    let index = 0;
    for (;;) {
      let childIndex = index * 2 + 1;
      let child = entries[childIndex];
      if (child === undefined) break;
      const right = entries[childIndex + 1];
      if (right !== undefined && before(right, child)) {
        childIndex += 1;
        child = right;
      }
      if (!before(child, entry)) break;
      entries[index] = child;
      index = childIndex;
    }
    entries[index] = entry;
  }
}

function before<Subject>(left: Entry<Subject>, right: Entry<Subject>): boolean {
  return left.at < right.at || (left.at === right.at && compareText(left.key, right.key) < 0);
}
