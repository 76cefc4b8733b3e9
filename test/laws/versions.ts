/** What something was after each step that changed it. A step is the number of a line of the log; they only rise. */
export class Versions<T> {
  readonly #steps: number[] = [];
  readonly #values: T[] = [];

  put(step: number, value: T): void {
    if (this.#steps.at(-1) === step) {
      this.#values[this.#values.length - 1] = value;
      return;
    }
    this.#steps.push(step);
    this.#values.push(value);
  }

  /** What it was after `step`; undefined before its first version. */
  at(step: number): T | undefined {
    for (let index = this.#steps.length - 1; index >= 0; index -= 1) {
      if ((this.#steps[index] ?? 0) <= step) return this.#values[index];
    }
    return undefined;
  }

  get last(): T | undefined {
    return this.#values.at(-1);
  }

  get all(): readonly T[] {
    return this.#values;
  }
}
