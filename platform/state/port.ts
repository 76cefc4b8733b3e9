/** How far an owner has come. `meta` is opaque to the store (JSON of the owner); `version` that of its rules. */
export interface Checkpoint {
  /** The offset of the first record that is not yet in the state; a whole number from 0. */
  readonly nextOffset: number;
  readonly version: string;
  readonly meta: string;
}

/**
 * What an owner believes of its scope: its epoch, and the offset of the checkpoint last written (undefined: none was
 * ever). Every call that gives one is refused with `Fenced` unless all of it is what is stored. A caller gives back what
 * `claim` or `commit` last gave it.
 */
export interface Fence {
  readonly epoch: number;
  readonly nextOffset: number | undefined;
  /**
   * Opaque to callers: tells two writes of one epoch and offset apart on a store that can lose its last writes. Absent
   * where the store cannot.
   */
  readonly mark?: string;
}

export interface Claim {
  readonly fence: Fence;
  readonly checkpoint: Checkpoint | undefined;
}

/** The fields of one hash, in no particular order. */
export type Hash = ReadonlyMap<string, string>;

/** Sets a field of the hash at `key` to an absolute value; null deletes the field. A hash without fields is no more. */
export type FieldWrite = readonly [key: string, field: string, value: string | null];

/** Sets the one instant (integer ms, from 0) of a timer; null deletes it. */
export type TimerWrite = readonly [member: string, at: number | null];

/** One step of an owner. In `writes` and `timers` the last of several for the same thing holds. */
export interface Commit {
  /** Its `nextOffset` is not below the one before; the same offset is a step that no record caused. */
  readonly next: Checkpoint;
  /** Hashes deleted whole, before `writes`. */
  readonly dropKeys?: readonly string[];
  readonly writes: readonly FieldWrite[];
  readonly timers: readonly TimerWrite[];
}

export interface Timer {
  readonly member: string;
  readonly at: number;
}

/** What was stored at one moment. `hashes` has no entry for a key that has no fields. */
export interface Peek {
  readonly checkpoint: Checkpoint | undefined;
  readonly hashes: ReadonlyMap<string, Hash>;
}

/** Bounds of the port: code units of a scope, key, field or member; code units of a value; entries of one page. */
export const STATE_TEXT_UNITS_MAX = 600;
export const STATE_VALUE_UNITS_MAX = 16 * 1024 * 1024;
export const STATE_PAGE_MAX = 10_000;

/**
 * Fenced state by scope (`<group>/<partition>`, e.g. `rater/0`): hashes by key, timers by member, one checkpoint and an
 * epoch. Scopes share nothing. Any text of 1 to `STATE_TEXT_UNITS_MAX` UTF-16 units may be a scope, key, field or
 * member, whatever it holds (`__proto__`, `/`, NUL, lone surrogates), and no two are taken for one another; a value may
 * also be empty. Everything that is wrong is a `StateError`, whose `code` says what.
 */
export interface StateStore {
  /** Makes the caller the owner of `scope`: raises its epoch, durably, so that every earlier owner is fenced. */
  claim(scope: string): Promise<Claim>;

  /** The whole hashes of `keys`, as of one moment. A key without fields has no entry. Rejects with `Fenced`. */
  load(scope: string, fence: Fence, keys: readonly string[]): Promise<Map<string, Map<string, string>>>;

  /**
   * The first `limit` timers with `at <= upTo`, ordered by `at`, then by member as text (UTF-16 units). They stay until
   * a commit deletes them. Rejects with `Fenced`.
   */
  due(scope: string, fence: Fence, upTo: number, limit: number): Promise<Timer[]>;

  /**
   * Writes a step and its checkpoint, all or nothing, and resolves once it is durable, with the fence to give from then
   * on. Rejects with `Fenced` and `StateInputInvalid` (nothing was written), `StateWriteFailed` (whether it was written
   * is unknown: claim again and continue from the checkpoint found).
   */
  commit(scope: string, fence: Fence, step: Commit): Promise<Fence>;

  /**
   * For readers that own nothing: the checkpoint and the hashes of `keys` as of one moment, without a fence. An unknown
   * scope has no checkpoint and no hashes.
   */
  peek(scope: string, keys: readonly string[]): Promise<Peek>;

  /**
   * One page of the scope's keys, ascending as text (UTF-16 units), those above `after` if it is given, at most `limit`.
   * The next page starts after the last key; an empty one is the end. With `fence` it rejects with `Fenced`, so that
   * all pages are of one checkpoint.
   */
  scan(
    scope: string,
    page: { readonly after?: string; readonly limit: number; readonly fence?: Fence },
  ): Promise<string[]>;

  /** Finishes the commits that are under way, then refuses all calls with `StateClosed`. Repeatable. */
  close(): Promise<void>;
}

/** What a reader in another process can do, beside a running instance. */
export type StateReader = Pick<StateStore, 'peek' | 'scan' | 'close'>;

/** Each code with what it means and what to do about it. */
export const STATE_ERRORS = {
  Fenced: 'another owner or another step came before; drop what is in memory, claim again and start at the checkpoint',
  StateClosed: 'the state store was closed; open it again',
  StateCorrupt: 'stored bytes are not such as the store writes; restore the data directory from a copy',
  StateInputInvalid: 'the call is outside the bounds of the store; nothing was written, correct the caller',
  StateUnavailable: 'the state store cannot be reached; nothing was read, try again later',
  StateWriteFailed: 'a write failed and its outcome is unknown; restart, and continue from the checkpoint',
} as const;

export type StateErrorCode = keyof typeof STATE_ERRORS;

/** The one error of every state store. `name` is its code. */
export class StateError extends Error {
  readonly code: StateErrorCode;

  constructor(code: StateErrorCode, detail: string, options?: ErrorOptions) {
    super(`${detail}: ${STATE_ERRORS[code]}`, options);
    this.name = code;
    this.code = code;
  }
}

/** `StateError` of code `Fenced`: who calls is not, or no longer, the one whose turn it is. */
export class FencedError extends StateError {
  readonly scope: string;
  readonly expected: Fence;
  readonly found: Fence;

  constructor(scope: string, expected: Fence, found: Fence) {
    super('Fenced', `scope ${scope}: expected ${fenceText(expected)}, found ${fenceText(found)}`);
    this.scope = scope;
    this.expected = expected;
    this.found = found;
  }
}

/** Whether `error` is a `StateError` of this code. */
export function isStateError(error: unknown, code: StateErrorCode): error is StateError {
  return error instanceof StateError && error.code === code;
}

function fenceText(fence: Fence): string {
  const offset = fence.nextOffset === undefined ? 'no checkpoint' : `offset ${fence.nextOffset}`;
  return `epoch ${fence.epoch} and ${offset}${fence.mark === undefined ? '' : ` of write ${fence.mark}`}`;
}
