import { HOUR_MS, type Instant } from '../../shared/time.ts';

/**
 * R4: how many GPUs of one reservation are taken, as a step function of time: a sorted list of instants, each with the
 * number taken from there to the next. Nothing is taken before the first. Neighbours that are equal are joined, so that in
 * normal life it is a handful of steps near its end. Stored in chunks by the UTC hour of a step.
 */
export class UsedCapacity {
  readonly #times: number[] = [];
  readonly #taken: number[] = [];
  readonly #changedHours = new Set<number>();
  /** Of the changed hours the last one, which is nearly always the next one's too; -1 if there is none. */
  #lastChangedHour = -1;

  /** GPUs taken at `instant`. */
  takenAt(instant: Instant): number {
    const index = this.#lastAtOrBefore(instant);
    return index < 0 ? 0 : at(this.#taken, index);
  }

  /** The first instant after `instant` at which the number changes; Infinity if there is none. */
  nextChangeAfter(instant: Instant): Instant {
    return this.#times[this.#lastAtOrBefore(instant) + 1] ?? Number.POSITIVE_INFINITY;
  }

  /** Takes `gpus` in `[start, end)`. The caller has seen that they are free and that no step lies inside. */
  take(start: Instant, end: Instant, gpus: number): void {
    const before = this.takenAt(start);
    this.#step(end, this.takenAt(end));
    this.#step(start, before + gpus);
    this.#join(end);
    this.#join(start);
  }

  /** Forgets the steps before `cutoff`: no sample reaches them any more (E4 `too_late`). */
  forgetBefore(cutoff: Instant): void {
    const last = this.#lastAtOrBefore(cutoff);
    if (last < 1) return;
    for (const time of this.#times.splice(0, last)) this.#changed(time);
    this.#taken.splice(0, last);
  }

  /** The hours whose chunks changed since the last call, with what they hold now: instant, taken, instant, taken, ... */
  takeChanges(): ReadonlyMap<number, readonly number[]> {
    const chunks = new Map<number, readonly number[]>();
    for (const hour of this.#changedHours) chunks.set(hour, this.#chunk(hour));
    this.#changedHours.clear();
    this.#lastChangedHour = -1;
    return chunks;
  }

  /** Whether there is a chunk to write. */
  get changed(): boolean {
    return this.#lastChangedHour >= 0;
  }

  /** Every hour that has a chunk. */
  hours(): readonly number[] {
    return [...new Set([...this.#changedHours, ...this.#times.map((time) => Math.floor(time / HOUR_MS))])];
  }

  /** Puts back a chunk that was stored. Chunks may come in any order. */
  restore(chunk: readonly number[]): void {
    const first = chunk[0];
    if (first === undefined) return;
    const index = this.#lastAtOrBefore(first) + 1;
    const times: number[] = [];
    const taken: number[] = [];
    for (let position = 0; position < chunk.length; position += 2) {
      times.push(at(chunk, position));
      taken.push(at(chunk, position + 1));
    }
    this.#times.splice(index, 0, ...times);
    this.#taken.splice(index, 0, ...taken);
  }

  #step(instant: Instant, gpus: number): void {
    const index = this.#lastAtOrBefore(instant);
    if (index >= 0 && this.#times[index] === instant) {
      this.#taken[index] = gpus;
    } else {
      this.#times.splice(index + 1, 0, instant);
      this.#taken.splice(index + 1, 0, gpus);
    }
    this.#changed(instant);
  }

  /** Removes the step at `instant` if it changes nothing. */
  #join(instant: Instant): void {
    const index = this.#lastAtOrBefore(instant);
    if (index < 0 || this.#times[index] !== instant) return;
    const before = index === 0 ? 0 : at(this.#taken, index - 1);
    if (before !== this.#taken[index]) return;
    this.#times.splice(index, 1);
    this.#taken.splice(index, 1);
    this.#changed(instant);
  }

  #changed(instant: Instant): void {
    const hour = Math.floor(instant / HOUR_MS);
    if (hour === this.#lastChangedHour) return;
    this.#lastChangedHour = hour;
    this.#changedHours.add(hour);
  }

  #chunk(hour: number): readonly number[] {
    const chunk: number[] = [];
    const from = this.#lastAtOrBefore(hour * HOUR_MS - 1) + 1;
    for (let index = from; index < this.#times.length; index += 1) {
      const time = at(this.#times, index);
      if (time >= (hour + 1) * HOUR_MS) break;
      chunk.push(time, at(this.#taken, index));
    }
    return chunk;
  }

  /** Index of the last step at or before `instant`, or -1; looks at the end first, where samples come. */
  #lastAtOrBefore(instant: Instant): number {
    const times = this.#times;
    let low = 0;
    let high = times.length;
    if (high > 8 && at(times, high - 8) <= instant) low = high - 8;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(times, middle) <= instant) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function at(list: readonly number[], index: number): number {
  const value = list[index];
  if (value === undefined) throw new RangeError(`step ${index} of ${list.length}`);
  return value;
}
