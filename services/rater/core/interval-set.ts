import { HOUR_MS, type Instant } from '../../shared/time.ts';

/**
 * R2: the milliseconds of one node or volume that were billed, as a sorted list of disjoint half-open intervals. In
 * normal life it is one interval that grows at its end. Stored in chunks by the UTC hour of an interval's start, so that a
 * history with many gaps rewrites one small chunk and not all of it.
 */
export class IntervalSet {
  /** Flat: start, end, start, end, ... */
  readonly #bounds: number[] = [];
  readonly #changedHours = new Set<number>();
  /** Of the changed hours the last one, which is nearly always the next one's too; -1 if there is none. */
  #lastChangedHour = -1;

  /** The parts of `[start, end)` that were not billed yet, flat as above; empty if all of it was. */
  missing(start: Instant, end: Instant): readonly Instant[] {
    const bounds = this.#bounds;
    const tail = bounds[bounds.length - 1];
    if (tail === undefined || start >= tail) return [start, end];
    const parts: Instant[] = [];
    let from = start;
    for (let index = this.#firstEndingAfter(start); index < bounds.length && from < end; index += 2) {
      const billedFrom = at(bounds, index);
      if (billedFrom >= end) break;
      if (billedFrom > from) parts.push(from, billedFrom);
      from = Math.max(from, at(bounds, index + 1));
    }
    if (from < end) parts.push(from, end);
    return parts;
  }

  /** Bills `[start, end)`; joins what it touches. */
  add(start: Instant, end: Instant): void {
    const bounds = this.#bounds;
    const tail = bounds.length - 2;
    if (tail >= 0 && bounds[tail + 1] === start) {
      bounds[tail + 1] = end;
      this.#changed(at(bounds, tail));
      return;
    }
    let first = this.#firstEndingAfter(start - 1);
    let from = start;
    let to = end;
    const firstJoined = first;
    while (first < bounds.length && at(bounds, first) <= end) {
      from = Math.min(from, at(bounds, first));
      to = Math.max(to, at(bounds, first + 1));
      this.#changed(at(bounds, first));
      first += 2;
    }
    bounds.splice(firstJoined, first - firstJoined, from, to);
    this.#changed(from);
  }

  /** Forgets what ended at or before `cutoff`: no sample reaches it any more (E4 `too_late`). */
  forgetBefore(cutoff: Instant): void {
    const bounds = this.#bounds;
    let count = 0;
    while (count < bounds.length && at(bounds, count + 1) <= cutoff) {
      this.#changed(at(bounds, count));
      count += 2;
    }
    if (count > 0) bounds.splice(0, count);
  }

  isEmpty(): boolean {
    return this.#bounds.length === 0;
  }

  /** The hours whose chunks changed since the last call, with what they hold now (empty: nothing any more). */
  takeChanges(): ReadonlyMap<number, readonly number[]> {
    const chunks = new Map<number, readonly number[]>();
    for (const hour of this.#changedHours) chunks.set(hour, this.#chunk(hour));
    this.#changedHours.clear();
    this.#lastChangedHour = -1;
    return chunks;
  }

  /** Every hour that has a chunk. */
  hours(): readonly number[] {
    const hours = new Set<number>(this.#changedHours);
    for (let index = 0; index < this.#bounds.length; index += 2)
      hours.add(Math.floor(at(this.#bounds, index) / HOUR_MS));
    return [...hours];
  }

  /** Puts back a chunk that was stored. Chunks may come in any order. */
  restore(chunk: readonly number[]): void {
    const first = chunk[0];
    if (first === undefined) return;
    this.#bounds.splice(this.#firstStartingAt(first), 0, ...chunk);
  }

  #changed(start: Instant): void {
    const hour = Math.floor(start / HOUR_MS);
    if (hour === this.#lastChangedHour) return;
    this.#lastChangedHour = hour;
    this.#changedHours.add(hour);
  }

  #chunk(hour: number): readonly number[] {
    const from = this.#firstStartingAt(hour * HOUR_MS);
    return this.#bounds.slice(from, this.#firstStartingAt((hour + 1) * HOUR_MS));
  }

  /** Index of the first interval that ends after `instant`; the search begins at the tail, where samples come. */
  #firstEndingAfter(instant: Instant): number {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(bounds, middle * 2 + 1) > instant) high = middle;
      else low = middle + 1;
    }
    return low * 2;
  }

  #firstStartingAt(instant: Instant): number {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(bounds, middle * 2) >= instant) high = middle;
      else low = middle + 1;
    }
    return low * 2;
  }
}

function at(bounds: readonly number[], index: number): number {
  const bound = bounds[index];
  if (bound === undefined) throw new RangeError(`interval bound ${index} of ${bounds.length}`);
  return bound;
}
