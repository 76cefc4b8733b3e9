/** Rows of one table, each a JSON array; how many, and each of them. */
export interface Rows extends Iterable<string> {
  readonly length: number;
}

const FIRST_BYTES = 64 * 1024;
/** What a UTF-16 unit takes in UTF-8, at most. */
const UNIT_BYTES_MAX = 3;
const NEWLINE = 10;
const NOTHING = Buffer.alloc(0);

/**
 * Rows as the warehouse takes them, a line a row, kept as bytes: tens of thousands of strings that live for as long as a group
 * were a third of the rater's time, spent by the garbage collector in moving them about.
 */
export class RowBlock implements Rows {
  #bytes = NOTHING;
  #end = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The lines. They share this block's memory: nothing may be pushed once they are on their way. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  /** @param row without a line break, as JSON has none outside of strings and escapes those within */
  push(row: string): void {
    const needed = this.#end + row.length * UNIT_BYTES_MAX + 1;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#end += this.#bytes.write(row, this.#end);
    this.#bytes[this.#end] = NEWLINE;
    this.#end += 1;
    this.#length += 1;
  }

  *[Symbol.iterator](): Iterator<string> {
    for (let from = 0; from < this.#end; ) {
      const to = this.#bytes.indexOf(NEWLINE, from);
      yield this.#bytes.toString('utf8', from, to);
      from = to + 1;
    }
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}
