import type { ByteDatabase, LmdbEnvironment } from '../lmdb/environment.ts';
import { decodeText, encodeText, encodeTextAfter } from '../text/ordered-text.ts';
import { type Checkpoint, StateError, type Timer } from './port.ts';

/** What is stored of a scope beside its hashes and timers. */
export interface StoredScope {
  readonly id: number;
  readonly epoch: number;
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * Where a state store keeps what. LMDB's keys are short (1,978 bytes), so a scope and a hash have numbers, and an entry
 * has at most one text in its key, at its end, after parts of fixed length: no two entries can share a key.
 *
 * - `scopes`: scope -> JSON of `StoredScope`
 * - `keys`: scope number (4), key -> hash number (8)
 * - `fields`: hash number (8), field -> value
 * - `timers`: scope number (4), 1, instant (8, a double: the order of its bytes is that of the numbers), member -> 1;
 *   scope number (4), 2, member -> instant (8)
 */
export interface StateDatabases {
  readonly scopes: ByteDatabase;
  readonly keys: ByteDatabase;
  readonly fields: ByteDatabase;
  readonly timers: ByteDatabase;
}

export function stateDatabases(environment: LmdbEnvironment): StateDatabases {
  return {
    scopes: environment.database('state.scopes'),
    keys: environment.database('state.keys'),
    fields: environment.database('state.fields'),
    timers: environment.database('state.timers'),
  };
}

/** One above the greatest number of a scope. */
export function nextScopeId(databases: StateDatabases): number {
  let next = 0;
  for (const { key, value } of databases.scopes.getRange({})) {
    next = Math.max(next, parseScope(decodeText(key), value).id + 1);
  }
  return next;
}

export function loadScope(databases: StateDatabases, scope: string): StoredScope | undefined {
  const value = databases.scopes.get(encodeText(scope));
  return value === undefined ? undefined : parseScope(scope, value);
}

export function scopeEntry(scope: string, stored: StoredScope): { key: Buffer; value: Buffer } {
  return { key: encodeText(scope), value: Buffer.from(JSON.stringify(stored), 'utf8') };
}

/** The number of the hash at `key`; undefined if it has no fields. */
export function hashIdOf(databases: StateDatabases, scopeId: number, key: string): number | undefined {
  const value = databases.keys.get(keyEntry(scopeId, key));
  if (value === undefined) return undefined;
  if (value.length !== 8) throw new StateError('StateCorrupt', `the number of the hash ${JSON.stringify(key)}`);
  return value.readDoubleBE(0);
}

/** One above the greatest number of a hash. */
export function nextHashId(databases: StateDatabases): number {
  const [last] = [...databases.fields.getKeys({ reverse: true, limit: 1, start: Buffer.from([0xff]) })];
  return last === undefined ? 0 : last.readDoubleBE(0) + 1;
}

/** The whole hashes of `keys`; read in one turn, so as of one moment. */
export function readHashes(
  databases: StateDatabases,
  scopeId: number,
  keys: readonly string[],
): Map<string, Map<string, string>> {
  const hashes = new Map<string, Map<string, string>>();
  for (const key of keys) {
    const hashId = hashIdOf(databases, scopeId, key);
    if (hashId !== undefined && !hashes.has(key)) hashes.set(key, readHash(databases, hashId));
  }
  return hashes;
}

export function readFieldNames(databases: StateDatabases, hashId: number): Iterable<string> {
  return databases.fields.getKeys(hashRange(hashId)).map((key) => decodeText(key, 8));
}

/** At most `limit` timers up to and at `upTo`, in order. */
export function readTimers(databases: StateDatabases, scopeId: number, upTo: number, limit: number): Timer[] {
  if (upTo < 0) return [];
  const start = timerEntry(scopeId, 0, '');
  const end = Buffer.concat([timerEntry(scopeId, upTo, ''), Buffer.from([0xff])]); // no member begins with 0xff
  return [...databases.timers.getKeys({ start, end, limit })].map((key) => ({
    member: decodeText(key, 13),
    at: key.readDoubleBE(5),
  }));
}

/** The instant of one timer. */
export function readTimer(databases: StateDatabases, scopeId: number, member: string): number | undefined {
  return databases.timers.get(memberEntry(scopeId, member))?.readDoubleBE(0);
}

/** At most `limit` keys above `after`, in order. */
export function readKeys(
  databases: StateDatabases,
  scopeId: number,
  after: string | undefined,
  limit: number,
): string[] {
  const first = after === undefined ? prefix(scopeId) : Buffer.concat([keyEntry(scopeId, after), Buffer.from([0])]);
  const keys = databases.keys.getKeys({ start: first, end: prefix(scopeId + 1), limit });
  return [...keys].map((key) => decodeText(key, 4));
}

export function keyEntry(scopeId: number, key: string): Buffer {
  const bytes = encodeTextAfter(4, key);
  bytes.writeUInt32BE(scopeId, 0);
  return bytes;
}

export function fieldEntry(hashId: number, field: string): Buffer {
  const bytes = encodeTextAfter(8, field);
  bytes.writeDoubleBE(hashId, 0);
  return bytes;
}

export function timerEntry(scopeId: number, at: number, member: string): Buffer {
  const bytes = encodeTextAfter(13, member);
  bytes.writeUInt32BE(scopeId, 0);
  bytes.writeUInt8(1, 4);
  bytes.writeDoubleBE(at + 0, 5);
  return bytes;
}

export function memberEntry(scopeId: number, member: string): Buffer {
  const bytes = encodeTextAfter(5, member);
  bytes.writeUInt32BE(scopeId, 0);
  bytes.writeUInt8(2, 4);
  return bytes;
}

/** A whole number from 0 as a double: -0 would come last. */
export function instant(at: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(at + 0, 0);
  return bytes;
}

function readHash(databases: StateDatabases, hashId: number): Map<string, string> {
  const fields = new Map<string, string>();
  for (const { key, value } of databases.fields.getRange(hashRange(hashId))) {
    fields.set(decodeText(key, 8), decodeText(value));
  }
  return fields;
}

function hashRange(hashId: number): { start: Buffer; end: Buffer } {
  return { start: instant(hashId), end: instant(hashId + 1) };
}

function prefix(scopeId: number): Buffer {
  return keyEntry(scopeId, '');
}

function parseScope(scope: string, value: Buffer): StoredScope {
  const fail = () => new StateError('StateCorrupt', `the entry of scope ${scope}`);
  let parsed: Partial<Record<keyof StoredScope, unknown>>;
  try {
    parsed = JSON.parse(value.toString('utf8'));
  } catch {
    throw fail();
  }
  const { id, epoch, checkpoint } = parsed;
  if (typeof id !== 'number' || typeof epoch !== 'number') throw fail();
  if (checkpoint === undefined) return { id, epoch, checkpoint: undefined };
  if (typeof checkpoint !== 'object' || checkpoint === null) throw fail();
  const { nextOffset, version, meta } = checkpoint as Partial<Record<keyof Checkpoint, unknown>>;
  if (typeof nextOffset !== 'number' || typeof version !== 'string' || typeof meta !== 'string') throw fail();
  return { id, epoch, checkpoint: { nextOffset, version, meta } };
}
