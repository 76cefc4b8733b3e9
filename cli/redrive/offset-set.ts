const BITS = 32;
const WORDS = 2048;
const PAGE = BITS * WORDS;

/** A set of offsets of a log that takes a bit for each, where there are any: flat memory, however often they come. */
export class OffsetSet {
  readonly #pages = new Map<number, Uint32Array>();

  add(offset: number): void {
    const number = Math.floor(offset / PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint32Array(WORDS);
      this.#pages.set(number, page);
    }
    const [word, bit] = placeOf(offset);
    page[word] = (page[word] ?? 0) | bit;
  }

  has(offset: number): boolean {
    const [word, bit] = placeOf(offset);
    return ((this.#pages.get(Math.floor(offset / PAGE))?.[word] ?? 0) & bit) !== 0;
  }
}

function placeOf(offset: number): readonly [word: number, bit: number] {
  const within = offset % PAGE;
  return [Math.floor(within / BITS), 1 << (within % BITS)];
}
