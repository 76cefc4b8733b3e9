/** Kafka's variable-length integers: zigzag, seven bits a byte, lowest first. Exact for all safe integers from 0. */

/** How many bytes the zigzag of `value` takes; `value` is a safe integer from 0. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = Math.floor(value / 64); rest > 0; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/** Writes the zigzag of `value`, a safe integer from 0, at `at`; returns where it ends. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let next = at;
  let rest = value;
  if (rest < 64) {
    bytes[next] = rest << 1;
    return next + 1;
  }
  bytes[next] = 0x80 | ((rest % 64) << 1);
  next += 1;
  for (rest = Math.floor(rest / 64); rest >= 128; rest = Math.floor(rest / 128)) {
    bytes[next] = 0x80 | (rest % 128);
    next += 1;
  }
  bytes[next] = rest;
  return next + 1;
}

/** Reads variable-length integers one after the other; `at` moves on. Throws a `RangeError` behind the end. */
export class VarintReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next integer; -1 stands for null where a length is meant. */
  next(): number {
    const { bytes } = this;
    const first = bytes[this.at];
    if (first === undefined) throw new RangeError('an integer behind the end');
    this.at += 1;
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    const second = bytes[this.at];
    if (second === undefined) throw new RangeError('an integer behind the end');
    if (second < 0x80) {
      this.at += 1;
      const raw = (first & 0x7f) | (second << 7);
      return (raw >>> 1) ^ -(raw & 1);
    }
    return this.#long(first & 0x7f);
  }

  #long(low: number): number {
    let raw = low;
    let scale = 128;
    for (let count = 1; count < 10; count += 1) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw new RangeError('an integer behind the end');
      this.at += 1;
      raw += (byte & 0x7f) * scale;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      scale *= 128;
    }
    throw new RangeError('an integer of more than ten bytes');
  }
}
