import type { LmdbEnvironment } from '../lmdb/environment.ts';
import type { StagedWrite } from '../lmdb/group-writer.ts';
import { checkCommit, checkFence, checkLimit, checkText, checkUpTo } from './check.ts';
import {
  type Claim,
  type Commit,
  type Fence,
  type Peek,
  StateError,
  type StateReader,
  type StateStore,
  type Timer,
} from './port.ts';
import { type EntryWrite, stageCommit } from './stage-commit.ts';
import {
  loadScope,
  nextHashId,
  nextScopeId,
  readHashes,
  readKeys,
  readTimers,
  type StateDatabases,
  type StoredScope,
  scopeEntry,
  stateDatabases,
} from './stored-state.ts';

/** Opens the state store of an environment, which it does not close. Throws `StateCorrupt`. */
export function openLmdbState(environment: LmdbEnvironment): StateStore {
  const release = environment.use('state');
  try {
    return new LmdbState(environment, release);
  } catch (error) {
    release();
    throw error;
  }
}

/** Reads the state of an environment that was opened read-only, beside the instance that writes it. */
export function openLmdbStateReader(environment: LmdbEnvironment): StateReader {
  const databases = stateDatabases(environment);
  return {
    peek: async (scope, keys) => peekScope(databases, loadScope(databases, scope), keys),
    scan: async (scope, page) => scanScope(databases, scope, loadScope(databases, scope), page),
    close: async () => {},
  };
}

class LmdbState implements StateStore {
  readonly #environment: LmdbEnvironment;
  readonly #databases: StateDatabases;
  readonly #release: () => void;
  #nextScopeId: number;
  #nextHashId: number;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(environment: LmdbEnvironment, release: () => void) {
    this.#environment = environment;
    this.#release = release;
    this.#databases = stateDatabases(environment);
    this.#nextScopeId = nextScopeId(this.#databases);
    this.#nextHashId = nextHashId(this.#databases);
  }

  async claim(scope: string): Promise<Claim> {
    this.#check(scope);
    let claim: Claim | undefined;
    await this.#write(scope, 0, () => {
      const before = loadScope(this.#databases, scope);
      const id = before?.id ?? this.#nextScopeId++;
      const after = { id, epoch: (before?.epoch ?? 0) + 1, checkpoint: before?.checkpoint };
      claim = { fence: { epoch: after.epoch, nextOffset: after.checkpoint?.nextOffset }, checkpoint: after.checkpoint };
      return this.#staged(scope, after, []);
    });
    if (claim === undefined) throw new StateError('StateWriteFailed', `scope ${scope}: the claim was not staged`);
    return claim;
  }

  async load(scope: string, fence: Fence, keys: readonly string[]): Promise<Map<string, Map<string, string>>> {
    this.#check(scope);
    for (const key of keys) checkText('key', key);
    const stored = this.#fenced(scope, fence);
    return readHashes(this.#databases, stored.id, keys);
  }

  async due(scope: string, fence: Fence, upTo: number, limit: number): Promise<Timer[]> {
    this.#check(scope);
    checkLimit(limit);
    checkUpTo(upTo);
    const stored = this.#fenced(scope, fence);
    return readTimers(this.#databases, stored.id, upTo, limit);
  }

  async commit(scope: string, fence: Fence, step: Commit): Promise<Fence> {
    this.#check(scope);
    checkCommit(fence, step);
    await this.#write(scope, step.writes.length * 100, () => {
      const stored = this.#fenced(scope, fence);
      const entries = stageCommit(this.#databases, stored.id, step, () => this.#nextHashId++);
      return this.#staged(scope, { ...stored, checkpoint: { ...step.next } }, entries);
    });
    return { epoch: fence.epoch, nextOffset: step.next.nextOffset };
  }

  async peek(scope: string, keys: readonly string[]): Promise<Peek> {
    this.#check(scope);
    return peekScope(this.#databases, loadScope(this.#databases, scope), keys);
  }

  async scan(scope: string, page: { after?: string; limit: number; fence?: Fence }): Promise<string[]> {
    this.#check(scope);
    return scanScope(this.#databases, scope, loadScope(this.#databases, scope), page);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([...this.#running]);
    this.#release();
  }

  #check(scope: string): void {
    if (this.#closed) throw new StateError('StateClosed', `scope ${scope}`);
    checkText('scope', scope);
  }

  /** The entry as it is in the snapshot that the rest of this turn reads: fence and data are of one moment. */
  #fenced(scope: string, fence: Fence): StoredScope {
    const stored = loadScope(this.#databases, scope);
    checkFence(scope, fence, stored?.epoch ?? 0, stored?.checkpoint);
    if (stored === undefined) throw new StateError('StateCorrupt', `scope ${scope} has no entry`);
    return stored;
  }

  #staged(scope: string, after: StoredScope, entries: readonly EntryWrite[]): StagedWrite {
    return {
      write: () => {
        for (const { database, key, value } of entries) {
          void (value === undefined ? database.remove(key) : database.put(key, value));
        }
        const entry = scopeEntry(scope, after);
        void this.#databases.scopes.put(entry.key, entry.value);
      },
    };
  }

  /** One write of a scope a group (its lane), so that each is checked against what the one before has left. */
  async #write(scope: string, bytes: number, stage: () => StagedWrite): Promise<void> {
    const running = this.#environment.writer.submit({ lane: `state/${scope}`, bytes, stage });
    this.#running.add(running);
    try {
      await running;
    } catch (error) {
      if (error instanceof StateError) throw error;
      throw new StateError('StateWriteFailed', `scope ${scope}`, { cause: error });
    } finally {
      this.#running.delete(running);
    }
  }
}

function peekScope(databases: StateDatabases, stored: StoredScope | undefined, keys: readonly string[]): Peek {
  for (const key of keys) checkText('key', key);
  if (stored === undefined) return { checkpoint: undefined, hashes: new Map() };
  return { checkpoint: stored.checkpoint, hashes: readHashes(databases, stored.id, keys) };
}

function scanScope(
  databases: StateDatabases,
  scope: string,
  stored: StoredScope | undefined,
  page: { after?: string; limit: number; fence?: Fence },
): string[] {
  checkLimit(page.limit);
  if (page.fence !== undefined) checkFence(scope, page.fence, stored?.epoch ?? 0, stored?.checkpoint);
  return stored === undefined ? [] : readKeys(databases, stored.id, page.after, page.limit);
}
