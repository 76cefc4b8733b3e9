/** Writes the protocol's plain types, big endian, into a buffer whose size is known before. */
export class ByteWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(bytesMax);
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  int8(value: number): this {
    this.#at = this.#buffer.writeInt8(value, this.#at);
    return this;
  }

  int16(value: number): this {
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
    return this;
  }

  int32(value: number): this {
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
    return this;
  }

  int64(value: number): this {
    this.#at = this.#buffer.writeBigInt64BE(BigInt(value), this.#at);
    return this;
  }

  string(text: string): this {
    const size = this.#buffer.write(text, this.#at + 2, 'utf8');
    this.int16(size);
    this.#at += size;
    return this;
  }

  raw(bytes: Buffer): this {
    this.#at += bytes.copy(this.#buffer, this.#at);
    return this;
  }
}

/** Reads the protocol's plain types one after the other. Throws a `RangeError` behind the end. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    this.#at += 2;
    return this.#buffer.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#buffer.readInt32BE(this.#at - 4);
  }

  bigint64(): bigint {
    this.#at += 8;
    return this.#buffer.readBigInt64BE(this.#at - 8);
  }

  /** Offsets and times, which stay below 2^53. */
  int64(): number {
    return Number(this.bigint64());
  }

  string(): string {
    const size = this.int16();
    this.#at += size;
    return this.#buffer.toString('utf8', this.#at - size, this.#at);
  }

  list<Item>(item: () => Item): Item[] {
    return Array.from({ length: Math.max(this.int32(), 0) }, item);
  }

  /** The next `size` bytes, shared with the buffer. */
  rest(size: number): Buffer {
    this.#at += size;
    if (this.#at > this.#buffer.length) throw new RangeError('an answer shorter than it says');
    return this.#buffer.subarray(this.#at - size, this.#at);
  }
}
