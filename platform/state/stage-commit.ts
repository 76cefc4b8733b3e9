import type { ByteDatabase } from '../lmdb/environment.ts';
import { encodeText } from '../text/ordered-text.ts';
import type { Commit } from './port.ts';
import {
  fieldEntry,
  hashIdOf,
  instant,
  keyEntry,
  memberEntry,
  readFieldNames,
  readTimer,
  type StateDatabases,
  timerEntry,
} from './stored-state.ts';

/** One put, or one remove if there is no value. */
export interface EntryWrite {
  readonly database: ByteDatabase;
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

const PRESENT = Buffer.from([1]);

/**
 * The entries that a step changes, worked out from what is committed: nothing is written here. `newHashId` gives the
 * number of a hash that is new.
 */
export function stageCommit(
  databases: StateDatabases,
  scopeId: number,
  step: Commit,
  newHashId: () => number,
): EntryWrite[] {
  const entries: EntryWrite[] = [];
  const dropped = new Set(step.dropKeys);
  const writes = lastWrites(step);
  for (const key of dropped) if (!writes.has(key)) writes.set(key, new Map());
  for (const [key, fields] of writes)
    stageHash(entries, databases, { scopeId, key, fields, dropped: dropped.has(key), newHashId });
  for (const [member, at] of new Map(step.timers)) stageTimer(entries, databases, scopeId, member, at);
  return entries;
}

interface HashWrite {
  readonly scopeId: number;
  readonly key: string;
  readonly fields: ReadonlyMap<string, string | null>;
  readonly dropped: boolean;
  readonly newHashId: () => number;
}

function stageHash(entries: EntryWrite[], databases: StateDatabases, write: HashWrite): void {
  const { scopeId, key, fields } = write;
  const existing = hashIdOf(databases, scopeId, key);
  let sets = 0;
  for (const value of fields.values()) if (value !== null) sets += 1;
  if (existing === undefined && sets === 0) return;
  const hashId = existing ?? write.newHashId();
  if (existing === undefined)
    entries.push({ database: databases.keys, key: keyEntry(scopeId, key), value: instant(hashId) });
  let left = sets;
  if (existing !== undefined && (write.dropped || sets === 0)) {
    for (const field of readFieldNames(databases, hashId)) {
      if (fields.has(field)) continue;
      if (write.dropped) entries.push({ database: databases.fields, key: fieldEntry(hashId, field), value: undefined });
      else left += 1;
    }
  }
  for (const [field, value] of fields) {
    const bytes = value === null ? undefined : encodeText(value);
    entries.push({ database: databases.fields, key: fieldEntry(hashId, field), value: bytes });
  }
  if (left === 0) entries.push({ database: databases.keys, key: keyEntry(scopeId, key), value: undefined });
}

function stageTimer(
  entries: EntryWrite[],
  databases: StateDatabases,
  scopeId: number,
  member: string,
  at: number | null,
): void {
  const before = readTimer(databases, scopeId, member);
  if (before === (at ?? undefined)) return;
  const database = databases.timers;
  if (before !== undefined) entries.push({ database, key: timerEntry(scopeId, before, member), value: undefined });
  entries.push({ database, key: memberEntry(scopeId, member), value: at === null ? undefined : instant(at) });
  if (at !== null) entries.push({ database, key: timerEntry(scopeId, at, member), value: PRESENT });
}

/** By key and field; the last write of a field holds. */
function lastWrites(step: Commit): Map<string, Map<string, string | null>> {
  const writes = new Map<string, Map<string, string | null>>();
  for (const [key, field, value] of step.writes) {
    const fields = writes.get(key);
    if (fields === undefined) writes.set(key, new Map([[field, value]]));
    else fields.set(field, value);
  }
  return writes;
}
