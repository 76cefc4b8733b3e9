/** CRC-32C (Castagnoli), by which Kafka guards a record batch; eight tables take eight bytes a step. */
const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES;

/** The checksum of `bytes[from, to)`, as an unsigned 32-bit integer. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1;
  let at = from;
  for (const last = to - 8; at <= last; at += 8) {
    const low = crc ^ word(bytes, at);
    const high = word(bytes, at + 4);
    crc =
      of(T7, low) ^
      of(T6, low >>> 8) ^
      of(T5, low >>> 16) ^
      of(T4, low >>> 24) ^
      of(T3, high) ^
      of(T2, high >>> 8) ^
      of(T1, high >>> 16) ^
      of(T0, high >>> 24);
  }
  for (; at < to; at += 1) crc = of(T0, crc ^ (bytes[at] ?? 0)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function of(table: Int32Array, index: number): number {
  return table[index & 0xff] ?? 0;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

function makeTables(): Tables {
  const first = new Int32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let crc = index;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    first[index] = crc;
  }
  const next = (previous: Int32Array) => previous.map((crc) => of(first, crc) ^ (crc >>> 8));
  const second = next(first);
  const third = next(second);
  const fourth = next(third);
  const fifth = next(fourth);
  const sixth = next(fifth);
  const seventh = next(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)];
}
