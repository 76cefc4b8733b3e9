/** A binary min-heap by a comparison that must be a total order: equal keys would leave the order of a log to chance. */
export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  /** Puts one item in: O(log n). */
  push(item: T): void {
    this.#items.push(item);
    this.#up(this.#items.length - 1, item);
  }

  /** Takes the least item out, or undefined of an empty heap: O(log n). */
  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#down(last);
    return top;
  }

  #up(from: number, item: T): void {
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#items[parentAt];
      if (parent === undefined || !this.#before(item, parent)) break;
      this.#items[at] = parent;
      at = parentAt;
    }
    this.#items[at] = item;
  }

  #down(item: T): void {
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = this.#items[childAt];
      if (child === undefined) break;
      const right = this.#items[childAt + 1];
      if (right !== undefined && this.#before(right, child)) {
        child = right;
        childAt += 1;
      }
      if (!this.#before(child, item)) break;
      this.#items[at] = child;
      at = childAt;
    }
    this.#items[at] = item;
  }
}
