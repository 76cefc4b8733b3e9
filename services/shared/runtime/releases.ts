/** What was opened and is to be closed: in reverse, every one of it, and the first error is kept. */
export class Releases {
  readonly #releases: (() => Promise<void> | void)[] = [];
  #released: Promise<void> | undefined;

  add(release: () => Promise<void> | void): void {
    this.#releases.push(release);
  }

  /** Releases all, last in, first out. Repeatable. @throws the first error, after all were tried */
  release(): Promise<void> {
    this.#released ??= this.#releaseAll();
    return this.#released;
  }

  async #releaseAll(): Promise<void> {
    const faults: unknown[] = [];
    for (const release of this.#releases.reverse()) {
      try {
        await release();
      } catch (fault) {
        faults.push(fault);
      }
    }
    if (faults.length > 0) throw faults[0];
  }
}
