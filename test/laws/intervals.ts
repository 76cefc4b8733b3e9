export type Span = readonly [start: number, end: number];

/** Milliseconds that were taken, as spans that do not overlap. */
export class Intervals {
  #taken: Span[] = [];

  /** Takes what of `[start, end)` is free, and returns it in order of time. */
  take(start: number, end: number): readonly Span[] {
    const free: Span[] = [];
    let from = start;
    for (const [takenFrom, takenTo] of this.#taken) {
      if (takenTo <= from) continue;
      if (takenFrom >= end) break;
      if (takenFrom > from) free.push([from, takenFrom]);
      from = takenTo;
    }
    if (from < end) free.push([from, end]);
    if (free.length > 0) this.#taken = [...this.#taken, ...free].sort((left, right) => left[0] - right[0]);
    return free;
  }
}
