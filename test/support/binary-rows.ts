import type { BinaryRows, RowChunk } from '../../platform/warehouse/row-binary.ts';

/** Rows of RowBinary, each as a JSON array of the values that the warehouse would give back. */
export function rowTexts(rows: BinaryRows): readonly string[] {
  return rows.chunks.flatMap((chunk) => [...readRows(rows, chunk)].map(({ text }) => text));
}

/** The first of the rows, as a block of their own. */
export function firstRows(rows: BinaryRows, count: number): BinaryRows {
  const chunks: RowChunk[] = [];
  let left = count;
  for (const chunk of rows.chunks) {
    const taken = [...readRows(rows, chunk)].slice(0, left);
    left -= taken.length;
    const end = taken[taken.length - 1]?.end ?? 0;
    if (end > 0) chunks.push({ bytes: chunk.bytes.subarray(0, end), rows: taken.length });
  }
  return { columns: rows.columns, chunks, length: count - left };
}

function* readRows({ columns }: BinaryRows, chunk: RowChunk): Generator<{ text: string; end: number }> {
  const types = columnsOf(columns.header).map(([, type]) => type);
  const bytes = new Bytes(chunk.bytes);
  for (let row = 0; row < chunk.rows; row += 1) {
    const text = `[${types.map((type) => valueText(type, bytes)).join(',')}]`;
    yield { text, end: bytes.at };
  }
  if (bytes.at !== chunk.bytes.length) throw new Error(`${chunk.bytes.length - bytes.at} bytes after the last row`);
}

/** The columns that a header of RowBinaryWithNamesAndTypes tells of. */
export function columnsOf(header: Buffer): readonly (readonly [name: string, type: string])[] {
  const bytes = new Bytes(header);
  const names = Array.from({ length: bytes.count() }, () => bytes.string());
  return names.map((name) => [name, bytes.string()]);
}

const WRAPPED = /^(Nullable|Array|Map|Tuple)\((.*)\)$/;

/** One value as JSON. */
function valueText(type: string, bytes: Bytes): string {
  const [, wrapper, inner = ''] = WRAPPED.exec(type) ?? [];
  if (wrapper === 'Nullable') return bytes.byte() === 1 ? 'null' : valueText(inner, bytes);
  if (wrapper === 'Array') return `[${bytes.members(() => valueText(inner, bytes)).join(',')}]`;
  if (wrapper === 'Map') return `{${bytes.members(() => `${bytes.text()}:${bytes.text()}`).join(',')}}`;
  if (wrapper === 'Tuple') {
    const members = inner.split(/, (?=[a-z])/).map((member) => valueText(member.slice(member.indexOf(' ') + 1), bytes));
    return `[${members.join(',')}]`;
  }
  const places = /^Decimal\(38, (\d+)\)$/.exec(type)?.[1];
  if (places !== undefined) return `"${decimal(bytes.int128(), Number(places))}"`;
  switch (type) {
    case 'String':
      return bytes.text();
    case 'Bool':
      return `${bytes.byte() === 1}`;
    case 'UInt16':
      return `${bytes.unsigned(2)}`;
    case 'UInt32':
      return `${bytes.unsigned(4)}`;
    case 'UInt64':
      return `${bytes.int64()}`;
    case 'UInt128':
      return `"${BigInt.asUintN(128, bytes.int128())}"`;
    case "DateTime64(3, 'UTC')":
      return JSON.stringify(new Date(Number(bytes.int64())));
    default:
      throw new Error(`a column of an unknown type: ${type}`);
  }
}

function decimal(value: bigint, places: number): string {
  const digits = `${value < 0n ? -value : value}`.padStart(places + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

class Bytes {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.unsigned(1);
  }

  unsigned(width: number): number {
    this.at += width;
    return this.#bytes.readUIntLE(this.at - width, width);
  }

  int64(): bigint {
    this.at += 8;
    return this.#bytes.readBigInt64LE(this.at - 8);
  }

  int128(): bigint {
    const low = BigInt.asUintN(64, this.int64());
    return (this.int64() << 64n) | low;
  }

  /** LEB128 */
  count(): number {
    const byte = this.byte();
    return byte < 128 ? byte : byte - 128 + 128 * this.count();
  }

  members<Member>(read: () => Member): Member[] {
    return Array.from({ length: this.count() }, read);
  }

  string(): string {
    const length = this.count();
    this.at += length;
    return this.#bytes.toString('utf8', this.at - length, this.at);
  }

  text(): string {
    return JSON.stringify(this.string());
  }
}
