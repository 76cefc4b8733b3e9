import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { GroupWriter } from './group-writer.ts';
import { takeInstanceLock } from './instance-lock.ts';

/** Keys and values as bytes; keys are ordered byte by byte. */
export type ByteDatabase = Database<Buffer, Buffer>;

export interface LmdbOptions {
  /** Holds `data.mdb`, LMDB's `lock.mdb` and the instance's lock; made if absent (unless read-only). */
  readonly directory: string;
  /** Opens beside a running instance: no lock is taken and nothing can be written. Default false. */
  readonly readOnly?: boolean;
}

const FORMAT = 'tollgate-lmdb-1';
const FORMAT_KEY = Buffer.from('format');
/** Address space, not memory or disk: large enough that the file is never mapped again while it grows. */
const MAP_BYTES = 2 ** 40;
const DATABASES_MAX = 16;
const NAMES = [
  'meta',
  'log.chunks',
  'log.partitions',
  'state.scopes',
  'state.keys',
  'state.fields',
  'state.timers',
] as const;
const GROUP_BYTES_MAX = 32 * 1024 * 1024;
const QUEUE_JOBS_MAX = 10_000;

export type DatabaseName = (typeof NAMES)[number];

/** There is no instance's data in the directory, or data of another program or version. */
export class DataDirectoryInvalidError extends Error {
  override readonly name = 'DataDirectoryInvalid';
}

/**
 * One LMDB environment for the log and the state of an instance, so that one file holds both and one fsync serves both.
 * Every write goes through `writer`. Only one process can hold it for writing (`DataDirectoryLockedError`); any number
 * can read it meanwhile.
 */
export class LmdbEnvironment {
  readonly directory: string;
  readonly readOnly: boolean;
  readonly writer: GroupWriter;
  readonly #root: RootDatabase;
  readonly #databases: ReadonlyMap<DatabaseName, ByteDatabase>;
  readonly #releaseLock: () => void;
  readonly #users = new Set<string>();
  #closed: Promise<void> | undefined;

  /** Opens the environment. Throws `DataDirectoryLockedError`, `DataDirectoryInvalidError`. */
  static async open(options: LmdbOptions): Promise<LmdbEnvironment> {
    const readOnly = options.readOnly ?? false;
    if (readOnly && !existsSync(join(options.directory, 'data.mdb'))) {
      throw new DataDirectoryInvalidError(`${options.directory} holds no data: name the directory of an instance`);
    }
    if (!readOnly) mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const root = open({
      path: options.directory,
      noSubdir: false,
      readOnly,
      mapSize: MAP_BYTES,
      maxDbs: DATABASES_MAX,
      encoding: 'binary',
      overlappingSync: false, // a commit is on the disk when it is visible, and an fsync that fails is an error
    });
    try {
      const release = readOnly
        ? () => {}
        : takeInstanceLock(options.directory, (action) => root.transactionSync(action));
      return new LmdbEnvironment(options.directory, readOnly, root, release);
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  private constructor(directory: string, readOnly: boolean, root: RootDatabase, releaseLock: () => void) {
    this.directory = directory;
    this.readOnly = readOnly;
    this.#root = root;
    this.#releaseLock = releaseLock;
    this.#databases = openDatabases(root, directory, readOnly, releaseLock);
    this.writer = new GroupWriter(root, { groupBytesMax: GROUP_BYTES_MAX, queueJobsMax: QUEUE_JOBS_MAX });
  }

  database(name: DatabaseName): ByteDatabase {
    const found = this.#databases.get(name);
    if (found === undefined) throw new Error(`the environment has no database ${name}`);
    return found;
  }

  /** Makes the caller the one user of a part ('log', 'state'), whose ends it keeps in memory; returns what ends that. */
  use(part: string): () => void {
    if (this.#users.has(part)) throw new Error(`${part} of ${this.directory} is open already: close it first`);
    this.#users.add(part);
    return () => this.#users.delete(part);
  }

  /** Waits for the writes under way, gives the lock back, closes the file. Close log and state first. Repeatable. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (!this.readOnly) await this.writer.drain();
    try {
      this.#releaseLock();
    } finally {
      await this.#root.close();
    }
  }
}

function openDatabases(root: RootDatabase, directory: string, readOnly: boolean, releaseLock: () => void) {
  const databases = new Map<DatabaseName, ByteDatabase>();
  try {
    for (const name of NAMES) {
      const opened: ByteDatabase | undefined = root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' });
      if (opened === undefined) throw new DataDirectoryInvalidError(`${directory} holds no instance's data`);
      databases.set(name, opened);
    }
    checkFormat(databases.get('meta'), directory, readOnly);
    return databases;
  } catch (error) {
    releaseLock();
    throw error;
  }
}

function checkFormat(meta: ByteDatabase | undefined, directory: string, readOnly: boolean): void {
  const found = meta?.get(FORMAT_KEY)?.toString('latin1');
  if (found === FORMAT) return;
  if (found !== undefined) {
    throw new DataDirectoryInvalidError(`${directory} is of format ${found}, this program reads ${FORMAT}`);
  }
  if (readOnly) throw new DataDirectoryInvalidError(`${directory} holds no instance's data`);
  meta?.putSync(FORMAT_KEY, Buffer.from(FORMAT, 'latin1'));
}
