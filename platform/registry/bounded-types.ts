import avro, { type Type, type types } from 'avsc';

/** What avsc hands to its types; its declarations leave it out. The version is pinned, and tests hold what is used of it. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
}

declare module 'avsc' {
  interface Type {
    _read(tap: Tap): unknown;
    _skip(tap: Tap): void;
  }
}

/**
 * avsc believes the count in front of a block: a few bytes that claim 2^40 items would fill the memory, or hold the process
 * for hours where they are only skipped, and a negative size would send it round in a circle. Here no array has more items
 * than its record has bytes.
 */
export class BoundedArray extends avro.types.ArrayType {
  override _read(tap: Tap): unknown[] {
    const { itemsType } = this;
    const items: unknown[] = [];
    for (let count = itemsOfBlock(tap, 0); count > 0; count = itemsOfBlock(tap, items.length)) {
      for (; count > 0; count -= 1) items.push(itemsType._read(tap));
    }
    return items;
  }

  override _skip(tap: Tap): void {
    skipBlocks(tap, () => this.itemsType._skip(tap));
  }
}

/** The same for a map. No schema here has one; a foreign writer's may, in a field that is skipped. */
export class BoundedMap extends avro.types.MapType {
  override _read(): never {
    throw new TypeError('maps are not read here: `__proto__` would be lost');
  }

  override _skip(tap: Tap): void {
    skipBlocks(tap, () => {
      skipBytes(tap, tap.readLong());
      valuesOf(this)._skip(tap);
    });
  }
}

function valuesOf(map: types.MapType): Type {
  return map.valuesType;
}

function skipBlocks(tap: Tap, skipItem: () => void): void {
  let skipped = 0;
  for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
    if (count < 0) {
      skipBytes(tap, tap.readLong());
      continue;
    }
    skipped += bounded(tap, count, skipped);
    for (; count > 0; count -= 1) skipItem();
  }
}

function itemsOfBlock(tap: Tap, before: number): number {
  const count = tap.readLong();
  if (count >= 0) return bounded(tap, count, before);
  tap.readLong();
  return bounded(tap, -count, before);
}

/** @throws RangeError */
function bounded(tap: Tap, count: number, before: number): number {
  if (before + count > tap.buf.length) throw new RangeError(`${before + count} items in ${tap.buf.length} bytes`);
  return count;
}

/** @throws RangeError */
function skipBytes(tap: Tap, length: number): void {
  if (!(length >= 0 && length <= tap.buf.length - tap.pos)) throw new RangeError(`${length} bytes to skip`);
  tap.pos += length;
}
