import type { Type } from 'avsc';
import { WireError } from './wire-format.ts';

/** Confluent's head of a record: 0, and the id of its schema, 4 bytes big-endian. */
export const HEAD_BYTES = 5;
const MAGIC = 0;
const SCRATCH_BYTES = 64 * 1024;

let scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** A value as a record under a schema's id. @throws Error if it is not of the type */
export function framed(type: Type, id: number, value: unknown): Buffer {
  let end = type.encode(value, scratch, HEAD_BYTES);
  if (end < 0) {
    // Too small: the answer is how many bytes were missing, from which the next one is made to fit.
    scratch = Buffer.allocUnsafeSlow(scratch.length - end + SCRATCH_BYTES);
    end = type.encode(value, scratch, HEAD_BYTES);
    if (end < 0) throw new Error(`a record did not fit into the ${scratch.length} bytes made for it`);
  }
  scratch[0] = MAGIC;
  scratch.writeInt32BE(id, 1);
  return Buffer.from(scratch.subarray(0, end));
}

/** The id of a record's schema; undefined if it has no such head. */
export function schemaIdOf(value: Buffer): number | undefined {
  return value.length < HEAD_BYTES || value[0] !== MAGIC ? undefined : value.readInt32BE(1);
}

/** What `avsc` wants to read one schema's records as another's; made once a pair, for making it is slow. */
export type Resolver = ReturnType<Type['createResolver']>;

/**
 * The value of a record.
 * @param resolver for the writer's schema; undefined if that is `type` itself
 * @throws WireError `RecordUndecodable`
 */
export function unframed(type: Type, resolver: Resolver | undefined, value: Buffer): unknown {
  try {
    const decoded = type.decode(value, HEAD_BYTES, resolver);
    if (decoded.offset === value.length) return decoded.value;
    throw new Error(decoded.offset < 0 ? 'it ends too early' : `${value.length - decoded.offset} bytes too many`);
  } catch (fault) {
    throw undecodable(fault);
  }
}

/** Whatever went wrong in reading bytes, as the one error that says whose fault it is. */
export function undecodable(fault: unknown): WireError {
  if (fault instanceof WireError) return fault;
  const why = fault instanceof Error ? fault.message.slice(0, 500) : String(fault);
  return new WireError('RecordUndecodable', why, { cause: fault });
}
