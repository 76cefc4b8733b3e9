import { crc32 } from 'node:zlib';
import { type AppendRecord, LogError, type LogRecord } from './port.ts';

/**
 * A chunk: contiguous records of one partition under one LMDB key (`<partition id, 4 bytes><first offset, 8 bytes>`, big
 * endian). One checksum and one page run serve hundreds of records. Layout, big endian:
 * `crc32 (4) | version (1) | times of their own? (1) | 0 (2) | count (4) | time of all (8)`, then for each record
 * `key bytes (2) | value bytes (4) | its time (8, if of their own) | key | value`. The checksum covers the LMDB key too,
 * so that a chunk in another's place is found out.
 */
const HEADER_BYTES = 20;
const VERSION = 1;
const SIZES_BYTES = 6;
const TIME_BYTES = 8;
/** A chunk is closed once it is this long; only a record that alone is longer makes a longer one. */
const CHUNK_BYTES_MAX = 64 * 1024;
const KEY_BYTES = 12;

/** Records laid out for the disk, not yet stamped: a chunk is made of one block or of several. */
export interface Block {
  /** Room for the header, then the records. */
  readonly bytes: Buffer;
  readonly count: number;
  readonly ownTimes: boolean;
  /** The greatest of its own times; 0 for records that get the log's. */
  readonly highTime: number;
}

/** Where a chunk is and what it spans. */
export interface ChunkPlace {
  readonly name: string;
  readonly partitionId: number;
  readonly firstOffset: number;
}

/** Lays out the records of one append in blocks that are chunks already, so that they are copied once only. */
export function layOut(records: readonly AppendRecord[], ownTimes: boolean): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  let bytes = HEADER_BYTES;
  for (const [index, record] of records.entries()) {
    const size = sizeOf(record, ownTimes);
    if (index > from && bytes + size > CHUNK_BYTES_MAX) {
      blocks.push(writeBlock(records.slice(from, index), bytes, ownTimes));
      from = index;
      bytes = HEADER_BYTES;
    }
    bytes += size;
  }
  if (records.length > from) blocks.push(writeBlock(records.slice(from), bytes, ownTimes));
  return blocks;
}

/** Joins neighbours that fit into one chunk, so that many small appends are few puts. */
export function joinBlocks(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  let run: Block[] = [];
  let bytes = HEADER_BYTES;
  for (const block of blocks) {
    const size = block.bytes.length - HEADER_BYTES;
    if (run.length > 0 && bytes + size > CHUNK_BYTES_MAX) {
      joined.push(joinRun(run, bytes));
      run = [];
      bytes = HEADER_BYTES;
    }
    run.push(block);
    bytes += size;
  }
  if (run.length > 0) joined.push(joinRun(run, bytes));
  return joined;
}

/** Fills in the header of a block, which makes it a chunk's value; `key` is the chunk's. */
export function seal(block: Block, key: Buffer, time: number): Buffer {
  const { bytes } = block;
  bytes.writeUInt8(VERSION, 4);
  bytes.writeUInt8(block.ownTimes ? 1 : 0, 5);
  bytes.writeUInt16BE(0, 6);
  bytes.writeUInt32BE(block.count, 8);
  bytes.writeDoubleBE(time, 12);
  bytes.writeUInt32BE(checksum(bytes, key), 0);
  return bytes;
}

export function chunkKey(partitionId: number, firstOffset: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES);
  key.writeUInt32BE(partitionId, 0);
  key.writeUIntBE(firstOffset, 6, 6);
  return key;
}

/** The first offset that a chunk's key names. */
export function firstOffsetOf(key: Buffer): number {
  return key.readUIntBE(6, 6);
}

/** The records of a chunk, whose values share its bytes. Throws `LogCorrupt` unless it is whole and in its place. */
export function readChunk(place: ChunkPlace, bytes: Buffer): LogRecord[] {
  const key = chunkKey(place.partitionId, place.firstOffset);
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(0) !== checksum(bytes, key)) {
    throw corrupt(place, 'its checksum does not match');
  }
  if (bytes.readUInt8(4) !== VERSION) throw corrupt(place, `its version is ${bytes.readUInt8(4)}`);
  const ownTimes = bytes.readUInt8(5) === 1;
  const count = bytes.readUInt32BE(8);
  const time = bytes.readDoubleBE(12);
  const records: LogRecord[] = [];
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index += 1) {
    const keyAt = at + SIZES_BYTES + (ownTimes ? TIME_BYTES : 0);
    if (keyAt > bytes.length) throw corrupt(place, 'it is shorter than its records');
    const valueAt = keyAt + bytes.readUInt16BE(at);
    const end = valueAt + bytes.readUInt32BE(at + 2);
    if (end > bytes.length) throw corrupt(place, 'it is shorter than its records');
    records.push({
      offset: place.firstOffset + index,
      time: ownTimes ? bytes.readDoubleBE(at + SIZES_BYTES) : time,
      key: bytes.toString('utf8', keyAt, valueAt),
      value: bytes.subarray(valueAt, end),
    });
    at = end;
  }
  if (at !== bytes.length || count === 0) throw corrupt(place, 'it is longer than its records');
  return records;
}

function writeBlock(records: readonly AppendRecord[], length: number, ownTimes: boolean): Block {
  const bytes = Buffer.allocUnsafeSlow(length); // its own memory: it stays pinned until it is written
  let at = HEADER_BYTES;
  let highTime = 0;
  for (const record of records) {
    const time = record.time ?? 0;
    const keyAt = at + SIZES_BYTES + (ownTimes ? TIME_BYTES : 0);
    if (ownTimes) {
      bytes.writeDoubleBE(time, at + SIZES_BYTES);
      highTime = Math.max(highTime, time);
    }
    const valueAt = keyAt + bytes.write(record.key, keyAt, 'utf8');
    const end = valueAt + writeValue(bytes, valueAt, record.value);
    bytes.writeUInt16BE(valueAt - keyAt, at);
    bytes.writeUInt32BE(end - valueAt, at + 2);
    at = end;
  }
  return { bytes, count: records.length, ownTimes, highTime };
}

function writeValue(bytes: Buffer, at: number, value: string | Uint8Array): number {
  if (typeof value === 'string') return bytes.write(value, at, 'utf8');
  bytes.set(value, at);
  return value.length;
}

function joinRun(run: readonly Block[], length: number): Block {
  const [first] = run;
  if (first === undefined || run.length === 1) return first ?? writeBlock([], HEADER_BYTES, false);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = HEADER_BYTES;
  let count = 0;
  let highTime = 0;
  for (const block of run) {
    at += block.bytes.copy(bytes, at, HEADER_BYTES);
    count += block.count;
    highTime = Math.max(highTime, block.highTime);
  }
  return { bytes, count, ownTimes: first.ownTimes, highTime };
}

function sizeOf(record: AppendRecord, ownTimes: boolean): number {
  const { key, value } = record;
  const valueBytes = typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : value.length;
  return SIZES_BYTES + (ownTimes ? TIME_BYTES : 0) + Buffer.byteLength(key, 'utf8') + valueBytes;
}

function checksum(bytes: Buffer, key: Buffer): number {
  return crc32(bytes.subarray(4), crc32(key));
}

function corrupt(place: ChunkPlace, what: string): LogError {
  return new LogError('LogCorrupt', `${place.name}: the chunk at offset ${place.firstOffset}: ${what}`);
}
