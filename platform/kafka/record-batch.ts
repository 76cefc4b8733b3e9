import { gunzipSync } from 'node:zlib';
import { crc32c } from './crc32c.ts';
import { VarintReader, varintBytes, writeVarint } from './varint.ts';

/**
 * Kafka's record batch, magic 2, big endian:
 * `first offset (8) | length of what follows (4) | leader epoch (4) | magic (1) | crc32c of what follows (4) |
 * attributes (2) | last offset delta (4) | first time (8) | max time (8) | producer id (8) | producer epoch (2) |
 * first sequence (4) | count (4)`, then for each record in variable-length integers
 * `length | attributes (1) | time delta | offset delta | key length | key | value length | value | headers`.
 */
export const BATCH_HEADER_BYTES = 61;
/** What a record takes beside its key and value, at most. */
export const RECORD_OVERHEAD_BYTES_MAX = 30;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LENGTH_COUNTS_FROM = 12;
const MAGIC = 2;
const CODEC_MASK = 0x07;
const GZIP = 1;
const APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** A batch holds at most what a topic takes at once; gzip must not blow one up beyond all bounds. */
const INFLATED_BYTES_MAX = 256 * 1024 * 1024;

/** Records of one append, copied; `bodies` holds `key length | key | value length | value | no headers` of each. */
export interface PackedRecords {
  readonly count: number;
  readonly bodies: Buffer;
  /** Where each body ends. */
  readonly ends: Uint32Array;
  /** The records' own times in ms; none in a topic of append time. */
  readonly times: readonly number[] | undefined;
}

/** What names a batch to the broker, so that it is written once however often it is sent. */
export interface ProducerStamp {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly sequence: number;
}

/** One record as it is stored. */
export interface StoredRecord {
  readonly offset: number;
  readonly time: number;
  readonly key: string;
  readonly value: Buffer;
}

/** One batch as it is stored. A batch that marks the end of a transaction, or that was compacted, may hold no record. */
export interface StoredBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly producerId: bigint;
  readonly transactional: boolean;
  /** For a control batch, how the transaction ended. */
  readonly control: 'commit' | 'abort' | undefined;
  /** Where the next batch begins in the bytes read. */
  readonly end: number;
  readonly count: number;
}

/** Bytes that are no record batch, or not the one that was written. */
export class BatchCorrupt extends Error {}

/** Copies records, so that the caller may use its bytes again. */
export function packRecords(
  records: readonly { readonly key: string; readonly value: string | Uint8Array; readonly time?: number }[],
  ownTimes: boolean,
): PackedRecords {
  const ends = new Uint32Array(records.length);
  let size = 0;
  for (const { key, value } of records) {
    const keyBytes = Buffer.byteLength(key, 'utf8');
    const valueBytes = typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : value.length;
    size += varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes + 1;
  }
  const bodies = Buffer.allocUnsafe(size);
  let at = 0;
  for (const [index, { key, value }] of records.entries()) {
    at = writeVarint(bodies, at, Buffer.byteLength(key, 'utf8'));
    at += bodies.write(key, at, 'utf8');
    if (typeof value === 'string') {
      at = writeVarint(bodies, at, Buffer.byteLength(value, 'utf8'));
      at += bodies.write(value, at, 'utf8');
    } else {
      at = writeVarint(bodies, at, value.length);
      bodies.set(value, at);
      at += value.length;
    }
    bodies[at] = 0;
    at += 1;
    ends[index] = at;
  }
  const times = ownTimes ? records.map((record) => record.time ?? 0) : undefined;
  return { count: records.length, bodies, ends, times };
}

/** One batch of all records of several appends, in their order; uncompressed. */
export function encodeBatch(appends: readonly PackedRecords[], stamp: ProducerStamp): Buffer {
  let minTime = Number.MAX_SAFE_INTEGER;
  let maxTime = 0;
  for (const { times } of appends) {
    for (const time of times ?? [0]) {
      minTime = Math.min(minTime, time);
      maxTime = Math.max(maxTime, time);
    }
  }
  const bound = appends.reduce((sum, { bodies, count }) => sum + bodies.length + count * RECORD_OVERHEAD_BYTES_MAX, 0);
  const bytes = Buffer.allocUnsafe(BATCH_HEADER_BYTES + bound);
  let at = BATCH_HEADER_BYTES;
  let delta = 0;
  for (const { bodies, ends, times } of appends) {
    let from = 0;
    for (const [index, end] of ends.entries()) {
      const timeDelta = (times?.[index] ?? minTime) - minTime;
      at = writeVarint(bytes, at, 1 + varintBytes(timeDelta) + varintBytes(delta) + end - from);
      bytes[at] = 0;
      at = writeVarint(bytes, at + 1, timeDelta);
      at = writeVarint(bytes, at, delta);
      bodies.copy(bytes, at, from, end);
      at += end - from;
      from = end;
      delta += 1;
    }
  }
  bytes.writeBigInt64BE(0n, 0);
  bytes.writeInt32BE(at - LENGTH_COUNTS_FROM, LENGTH_AT);
  bytes.writeInt32BE(-1, LENGTH_COUNTS_FROM);
  bytes.writeInt8(MAGIC, MAGIC_AT);
  bytes.writeInt16BE(0, ATTRIBUTES_AT);
  bytes.writeInt32BE(delta - 1, 23);
  bytes.writeBigInt64BE(BigInt(minTime), 27);
  bytes.writeBigInt64BE(BigInt(maxTime), 35);
  bytes.writeInt32BE(delta, 57);
  return stampBatch(bytes.subarray(0, at), stamp);
}

/** Gives a batch another stamp, in place. */
export function stampBatch(batch: Buffer, { producerId, epoch, sequence }: ProducerStamp): Buffer {
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt16BE(epoch, 51);
  batch.writeInt32BE(sequence, 53);
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT, batch.length), CRC_AT);
  return batch;
}

/**
 * The batch at `at`, checked by its checksum; `undefined` if the bytes end before it does (a broker cuts the last one of
 * an answer). Throws `BatchCorrupt`.
 */
export function readBatch(bytes: Buffer, at: number): StoredBatch | undefined {
  if (at + BATCH_HEADER_BYTES > bytes.length) return undefined;
  const end = at + LENGTH_COUNTS_FROM + bytes.readInt32BE(at + LENGTH_AT);
  if (bytes[at + MAGIC_AT] !== MAGIC) throw new BatchCorrupt(`a batch of magic ${bytes[at + MAGIC_AT]}`);
  if (end < at + BATCH_HEADER_BYTES) throw new BatchCorrupt('a batch shorter than its header');
  if (end > bytes.length) return undefined;
  const firstOffset = Number(bytes.readBigInt64BE(at));
  if (crc32c(bytes, at + ATTRIBUTES_AT, end) !== bytes.readUInt32BE(at + CRC_AT)) {
    throw new BatchCorrupt(`the batch at offset ${firstOffset}: its checksum does not match`);
  }
  const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
  return {
    firstOffset,
    lastOffset: firstOffset + bytes.readInt32BE(at + 23),
    producerId: bytes.readBigInt64BE(at + 43),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) === 0 ? undefined : controlOf(bytes, at, end),
    end,
    count: bytes.readInt32BE(at + 57),
  };
}

/** The records of the batch at `at` from `fromOffset` on, appended to `into`; their values share its bytes. Throws `BatchCorrupt`. */
export function readRecords(
  bytes: Buffer,
  at: number,
  batch: StoredBatch,
  fromOffset: number,
  into: StoredRecord[],
): void {
  const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT);
  const appendTime = (attributes & APPEND_TIME) !== 0;
  const baseTime = Number(bytes.readBigInt64BE(at + (appendTime ? 35 : 27)));
  const body = inflate(bytes.subarray(at + BATCH_HEADER_BYTES, batch.end), attributes & CODEC_MASK);
  const reader = new VarintReader(body);
  try {
    for (let index = 0; index < batch.count; index += 1) {
      const length = reader.next();
      const end = reader.at + length;
      if (length < 0 || end > body.length) throw new RangeError('a record behind the end');
      reader.at += 1;
      const timeDelta = reader.next();
      const offset = batch.firstOffset + reader.next();
      const keyBytes = reader.next();
      const keyAt = reader.at;
      if (keyBytes > 0) reader.at += keyBytes;
      const keyEnd = reader.at;
      const valueBytes = reader.next();
      const valueEnd = reader.at + Math.max(valueBytes, 0);
      if (valueEnd > end) throw new RangeError('a value behind the end of its record');
      if (offset >= fromOffset) {
        into.push({
          offset,
          time: appendTime ? baseTime : baseTime + timeDelta,
          key: keyBytes > 0 ? body.toString('utf8', keyAt, keyEnd) : '',
          value: body.subarray(reader.at, valueEnd),
        });
      }
      reader.at = end;
    }
  } catch (error) {
    if (error instanceof RangeError)
      throw new BatchCorrupt(`the batch at offset ${batch.firstOffset}: ${error.message}`);
    throw error;
  }
}

function inflate(body: Buffer, codec: number): Buffer {
  if (codec === 0) return body;
  if (codec !== GZIP) throw new BatchCorrupt(`a batch compressed by codec ${codec}, which is not read here`);
  return gunzipSync(body, { maxOutputLength: INFLATED_BYTES_MAX });
}

/** A control record's key is `version (2) | type (2)`; type 1 commits, 0 aborts. */
function controlOf(bytes: Buffer, at: number, end: number): 'commit' | 'abort' {
  const reader = new VarintReader(bytes.subarray(at + BATCH_HEADER_BYTES, end));
  reader.next();
  reader.at += 1;
  reader.next();
  reader.next();
  const keyBytes = reader.next();
  const key = at + BATCH_HEADER_BYTES + reader.at;
  if (keyBytes < 4 || key + 4 > end) throw new BatchCorrupt('a control batch without a type');
  return bytes.readInt16BE(key + 2) === 1 ? 'commit' : 'abort';
}
