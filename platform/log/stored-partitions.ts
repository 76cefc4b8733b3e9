import type { ByteDatabase } from '../lmdb/environment.ts';
import { chunkKey, firstOffsetOf, readChunk } from './chunk.ts';
import { LogError, type LogRecord, type ReadLimits, type TopicSpec } from './port.ts';
import { checkLimits, checkOffset } from './ranges.ts';

/** What is stored of one partition beside its chunks. */
export interface StoredPartition {
  readonly topic: string;
  readonly partition: number;
  /** Of its topic; fixed for ever. */
  readonly partitions: number;
  readonly id: number;
  readonly startOffset: number;
  readonly endOffset: number;
  /** The greatest time of a record; no later one of append time is below it. */
  readonly highTime: number;
}

const VALUE_BYTES = 32;

/** All partitions that the environment holds, by topic, then number. */
export function loadPartitions(database: ByteDatabase): StoredPartition[] {
  return [...database.getRange({})].map(({ key, value }) => parsePartition(key, value));
}

/** One partition as it is now; undefined if there is none. */
export function loadPartition(database: ByteDatabase, topic: string, partition: number): StoredPartition | undefined {
  const key = partitionKey(topic, partition);
  const value = database.get(key);
  return value === undefined ? undefined : parsePartition(key, value);
}

export function putPartition(database: ByteDatabase, stored: StoredPartition): void {
  const value = Buffer.alloc(VALUE_BYTES);
  value.writeUInt32BE(stored.id, 0);
  value.writeUInt32BE(stored.partitions, 4);
  value.writeDoubleBE(stored.startOffset, 8);
  value.writeDoubleBE(stored.endOffset, 16);
  value.writeDoubleBE(stored.highTime, 24);
  void database.put(partitionKey(stored.topic, stored.partition), value);
}

/** Checks topics against what is stored, and names the partitions that are still to be made. Throws `LogTopicChanged`. */
export function missingPartitions(stored: readonly StoredPartition[], topics: readonly TopicSpec[]): StoredPartition[] {
  let nextId = stored.reduce((id, partition) => Math.max(id, partition.id + 1), 0);
  const missing: StoredPartition[] = [];
  for (const { name, partitions } of topics) {
    const existing = stored.filter((partition) => partition.topic === name);
    if (existing.length > 0 && (existing.length !== partitions || existing[0]?.partitions !== partitions)) {
      throw new LogError(
        'LogTopicChanged',
        `topic ${name}: stored ${existing[0]?.partitions}, opened with ${partitions}`,
      );
    }
    for (let partition = existing.length; partition < partitions; partition += 1) {
      const empty = { startOffset: 0, endOffset: 0, highTime: 0 };
      missing.push({ topic: name, partition, partitions, id: nextId, ...empty });
      nextId += 1;
    }
  }
  return missing;
}

/** What `EventLog.read` gives, of a partition that ends at `endOffset`. */
export function readRecords(
  chunks: ByteDatabase,
  stored: StoredPartition,
  fromOffset: number,
  limits: ReadLimits,
): LogRecord[] {
  checkLimits(limits);
  const name = nameOf(stored);
  checkOffset(name, fromOffset, stored.startOffset, stored.endOffset);
  const found: LogRecord[] = [];
  let bytes = 0;
  let chunkAt = fromOffset < stored.endOffset ? findChunk(chunks, stored, fromOffset) : stored.endOffset;
  while (chunkAt < stored.endOffset) {
    const value = chunks.get(chunkKey(stored.id, chunkAt));
    if (value === undefined) throw new LogError('LogGap', `${name}: no chunk at offset ${chunkAt}`);
    const records = readChunk({ name, partitionId: stored.id, firstOffset: chunkAt }, value);
    chunkAt += records.length;
    if (chunkAt <= fromOffset) throw new LogError('LogGap', `${name}: no chunk holds offset ${fromOffset}`);
    for (const record of records) {
      if (record.offset < fromOffset) continue;
      if (record.offset >= stored.endOffset) return found;
      bytes += Buffer.byteLength(record.key, 'utf8') + record.value.length;
      if (found.length >= limits.recordsMax || (bytes > limits.bytesMax && found.length > 0)) return found;
      found.push(record);
    }
  }
  return found;
}

/** The first offsets of at most `limit` chunks that hold nothing at `offset` or above. */
export function chunksBefore(chunks: ByteDatabase, stored: StoredPartition, offset: number, limit: number): number[] {
  const end = chunkKey(stored.id + 1, 0);
  const keys = [...chunks.getKeys({ start: chunkKey(stored.id, 0), end, limit: limit + 1 })];
  const firsts = keys.map(firstOffsetOf);
  return firsts.filter((_, index) => (firsts[index + 1] ?? stored.endOffset) <= offset).slice(0, limit);
}

/** Throws `LogGap` unless the last chunk ends where the partition does: one transaction wrote both. */
export function checkTail(chunks: ByteDatabase, stored: StoredPartition): void {
  if (stored.endOffset > stored.startOffset) {
    readRecords(chunks, stored, stored.endOffset - 1, { recordsMax: 1, bytesMax: 1 });
  }
  const [above] = [
    ...chunks.getKeys({ start: chunkKey(stored.id, stored.endOffset), end: chunkKey(stored.id + 1, 0), limit: 1 }),
  ];
  if (above !== undefined)
    throw new LogError('LogGap', `${nameOf(stored)}: a chunk lies above the end ${stored.endOffset}`);
}

export function nameOf(stored: StoredPartition): string {
  return `${stored.topic}/${stored.partition}`;
}

function findChunk(chunks: ByteDatabase, stored: StoredPartition, offset: number): number {
  const start = chunkKey(stored.id, offset);
  const [key] = [
    ...chunks.getKeys({ reverse: true, start, end: chunkKey(stored.id, 0), inclusiveEnd: true, limit: 1 }),
  ];
  if (key === undefined) throw new LogError('LogGap', `${nameOf(stored)}: no chunk holds offset ${offset}`);
  return firstOffsetOf(key);
}

/** No topic name holds NUL, so no two partitions share a key. */
function partitionKey(topic: string, partition: number): Buffer {
  const key = Buffer.alloc(topic.length + 5);
  key.write(topic, 0, 'latin1');
  key.writeUInt32BE(partition, topic.length + 1);
  return key;
}

function parsePartition(key: Buffer, value: Buffer): StoredPartition {
  const nul = key.length - 5;
  if (value.length !== VALUE_BYTES || nul < 1 || key[nul] !== 0) {
    throw new LogError('LogCorrupt', `the entry of a partition, key ${key.toString('hex')}`);
  }
  return {
    topic: key.toString('latin1', 0, nul),
    partition: key.readUInt32BE(nul + 1),
    id: value.readUInt32BE(0),
    partitions: value.readUInt32BE(4),
    startOffset: value.readDoubleBE(8),
    endOffset: value.readDoubleBE(16),
    highTime: value.readDoubleBE(24),
  };
}
