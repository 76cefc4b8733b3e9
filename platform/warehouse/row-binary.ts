import { WarehouseError } from './errors.ts';

/** A column of a table: its name, and its type as ClickHouse writes it. */
export type Column = readonly [name: string, type: string];

/** Rows in one piece of memory. */
export interface RowChunk {
  readonly bytes: Buffer;
  readonly rows: number;
}

/** Rows in ClickHouse's RowBinary, which a server takes without parsing text. */
export interface BinaryRows {
  readonly columns: RowColumns;
  /** How many rows. */
  readonly length: number;
  /** They share the memory of the block that they were put into. */
  readonly chunks: readonly RowChunk[];
}

/** What the values of a row are for, in order; one object a table. */
export class RowColumns {
  readonly names: readonly string[];
  /** What RowBinaryWithNamesAndTypes begins with: a server holds it against its table. */
  readonly header: Buffer;

  constructor(columns: readonly Column[]) {
    this.names = columns.map(([name]) => name);
    const texts = [...this.names, ...columns.map(([, type]) => type)].map((text) => Buffer.from(text));
    this.header = Buffer.concat([varint(columns.length), ...texts.flatMap((text) => [varint(text.length), text])]);
  }
}

const FIRST_BYTES = 64 * 1024;
/** A chunk ends after the row that makes it this long. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** What a UTF-16 unit takes in UTF-8, at most. */
const UNIT_BYTES_MAX = 3;
const VARINT_BYTES_MAX = 10;
/** The widest value of a fixed width. */
const FIXED_BYTES_MAX = 16;
/** Strings below this have a length of one byte if they are ASCII. */
const SHORT_UNITS = 128;
/** Of texts this short a loop is quicker than a call into native code, which is quicker with those that were put together. */
const LOOP_UNITS = 24;
const ASCII_END = 128;
const TWO_32 = 2 ** 32;
/** Within these a 128-bit integer is its lower half and a sign. */
const INT64_MIN = -(1n << 63n);
const INT64_END = 1n << 63n;
const DECIMAL_END = 10n ** 38n;
const DECIMAL_MIN = -DECIMAL_END;
const UINT128_END = 1n << 128n;
const NOTHING = Buffer.alloc(0);

/**
 * Rows of one table as bytes, value by value in the order of its columns. Tens of thousands of rows that lived as strings for as
 * long as a group were a third of the rater's time, spent by the garbage collector in moving them about.
 */
export class RowBlock implements BinaryRows {
  readonly columns: RowColumns;
  readonly #full: RowChunk[] = [];
  #bytes = NOTHING;
  #view = new DataView(NOTHING.buffer, 0, 0);
  #end = 0;
  #rows = 0;
  #length = 0;

  constructor(columns: RowColumns) {
    this.columns = columns;
  }

  get length(): number {
    return this.#length;
  }

  /** Nothing may be put once they are on their way. */
  get chunks(): readonly RowChunk[] {
    return this.#rows === 0 ? this.#full : [...this.#full, this.#chunk()];
  }

  /** Ends a row, after all of its values. */
  endRow(): void {
    this.#rows += 1;
    this.#length += 1;
    if (this.#end < CHUNK_BYTES) return;
    this.#full.push(this.#chunk());
    this.#bytes = NOTHING;
    this.#end = 0;
    this.#rows = 0;
  }

  /** String @throws WarehouseError `warehouse_value_refused` for half of a surrogate pair, which UTF-8 would not give back */
  string(text: string): void {
    const units = text.length;
    if (this.#end + units * UNIT_BYTES_MAX + VARINT_BYTES_MAX > this.#bytes.length) {
      this.#grow(units * UNIT_BYTES_MAX + VARINT_BYTES_MAX);
    }
    if (units < SHORT_UNITS && (units <= LOOP_UNITS ? this.#ascii(text) : this.#asciiByNative(text))) return;
    if (!text.isWellFormed()) throw refused(`${JSON.stringify(text)} holds half of a surrogate pair`);
    this.count(Buffer.byteLength(text));
    this.#end += this.#bytes.write(text, this.#end);
  }

  /** Nullable(String) */
  nullableString(text: string | undefined): void {
    this.bool(text === undefined);
    if (text !== undefined) this.string(text);
  }

  /** Bool */
  bool(value: boolean): void {
    this.#room();
    this.#bytes[this.#end] = value ? 1 : 0;
    this.#end += 1;
  }

  /** UInt16 */
  uint16(value: number): void {
    this.#room();
    this.#view.setUint16(this.#end, value, true);
    this.#end += 2;
  }

  /** UInt32 */
  uint32(value: number): void {
    this.#room();
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  /** UInt64 of a safe integer, and DateTime64(3) of integer ms since 1970. */
  int64(value: number): void {
    this.#room();
    this.#view.setUint32(this.#end, value >>> 0, true);
    this.#view.setInt32(this.#end + 4, Math.floor(value / TWO_32), true);
    this.#end += 8;
  }

  /** Decimal(38, S) of an integer number of 10^-S. @throws WarehouseError `warehouse_value_refused` */
  decimal(value: bigint): void {
    if (value >= DECIMAL_END || value <= DECIMAL_MIN) throw refused(`${value} is too large`);
    this.#int128(value);
  }

  /** UInt128 @throws WarehouseError `warehouse_value_refused` */
  uint128(value: bigint): void {
    if (value < 0n || value >= UINT128_END) throw refused(`${value} is too large`);
    this.#int128(value);
  }

  /** How many members of an Array or a Map follow. */
  count(members: number): void {
    this.#room();
    let rest = members;
    for (; rest >= ASCII_END; rest = Math.floor(rest / ASCII_END)) {
      this.#bytes[this.#end] = (rest % ASCII_END) + ASCII_END;
      this.#end += 1;
    }
    this.#bytes[this.#end] = rest;
    this.#end += 1;
  }

  /** False, and nothing put, for what is not ASCII. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const from = this.#end + 1;
    const units = text.length;
    for (let at = 0; at < units; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit >= ASCII_END) return false;
      bytes[from + at] = unit;
    }
    bytes[from - 1] = units;
    this.#end = from + units;
    return true;
  }

  #asciiByNative(text: string): boolean {
    const units = text.length;
    // In UTF-8 only ASCII has a byte a unit.
    if (this.#bytes.write(text, this.#end + 1) !== units) return false;
    this.#bytes[this.#end] = units;
    this.#end += 1 + units;
    return true;
  }

  #int128(value: bigint): void {
    this.#room();
    // of a larger one its lower 64 bits
    this.#view.setBigInt64(this.#end, value, true);
    if (value < INT64_END && value >= INT64_MIN) {
      const sign = value < 0n ? -1 : 0;
      this.#view.setInt32(this.#end + 8, sign, true);
      this.#view.setInt32(this.#end + 12, sign, true);
    } else {
      this.#view.setBigInt64(this.#end + 8, value >> 64n, true);
    }
    this.#end += FIXED_BYTES_MAX;
  }

  #chunk(): RowChunk {
    return { bytes: this.#bytes.subarray(0, this.#end), rows: this.#rows };
  }

  #room(): void {
    if (this.#end + FIXED_BYTES_MAX > this.#bytes.length) this.#grow(FIXED_BYTES_MAX);
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, this.#end + more, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
  }
}

function varint(value: number): Buffer {
  return value < ASCII_END
    ? Buffer.of(value)
    : Buffer.concat([Buffer.of((value % ASCII_END) + ASCII_END), varint(Math.floor(value / ASCII_END))]);
}

function refused(detail: string): WarehouseError {
  return new WarehouseError('warehouse_value_refused', detail);
}
