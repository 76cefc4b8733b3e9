import avro, { type types } from 'avsc';

/** Two's complement of 38 digits needs no more. */
const BYTES_MAX = 16;
const LARGEST = 10n ** 38n - 1n;

/** Avro's logical type `decimal` over bytes, as a `bigint` of its smallest units (10^-scale). */
export class Decimal extends avro.types.LogicalType {
  readonly scale: number;

  constructor(schema: ConstructorParameters<typeof types.LogicalType>[0], opts?: unknown) {
    super(schema, opts);
    this.scale = typeof schema === 'object' && 'scale' in schema ? Number(schema.scale) : 0;
  }

  protected override _fromValue(bytes: Buffer): bigint {
    return decimalOf(bytes);
  }

  protected override _toValue(value: unknown): Buffer | undefined {
    return typeof value === 'bigint' ? bytesOf(value) : undefined;
  }

  /** Another scale is another unit, and no reader may take one for the other. */
  protected override _resolve(writer: unknown): ((value: unknown) => unknown) | undefined {
    return writer instanceof Decimal && writer.scale === this.scale ? (value) => value : undefined;
  }

  protected override _export(schema: unknown): void {
    if (typeof schema === 'object') Object.assign(schema ?? {}, { precision: 38, scale: this.scale });
  }
}

/** @throws RangeError if it is longer than 38 digits can be */
function decimalOf(bytes: Buffer): bigint {
  if (bytes.length > BYTES_MAX) throw new RangeError(`a decimal of ${bytes.length} bytes, at most ${BYTES_MAX}`);
  if (bytes.length === 0) return 0n;
  return inRange(BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`)));
}

function bytesOf(value: bigint): Buffer {
  inRange(value);
  let length = 1;
  while (BigInt.asIntN(8 * length, value) !== value) length += 1;
  return Buffer.from(
    BigInt.asUintN(8 * length, value)
      .toString(16)
      .padStart(2 * length, '0'),
    'hex',
  );
}

function inRange(value: bigint): bigint {
  if (value > LARGEST || value < -LARGEST) throw new RangeError(`a decimal of more than 38 digits: ${value}`);
  return value;
}
