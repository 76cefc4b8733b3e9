import { decodeText } from '../text/ordered-text.ts';
import { type Checkpoint, type Fence, FencedError, StateError, type Timer } from './port.ts';

const REFUSED = 0;
const DONE = 1;

/** What a fenced script gave beside its first number. Throws `Fenced` if it refused the caller, `StateCorrupt`. */
export function fencedReply(scope: string, fence: Fence, reply: unknown): readonly unknown[] {
  const [outcome, ...rest] = list(scope, reply);
  if (outcome === DONE) return rest;
  if (outcome !== REFUSED) throw corrupt(scope, 'a reply that no script gives');
  const [epoch, owner, revision, next] = rest;
  throw new FencedError(scope, fence, {
    epoch: epoch === null ? 0 : whole(scope, epoch),
    nextOffset: next === null ? undefined : whole(scope, next),
    ...(epoch === null ? {} : { mark: mark(scope, owner, revision) }),
  });
}

/** The mark of a write: who wrote it, and the how manieth of the scope it is. */
export function mark(scope: string, owner: unknown, revision: unknown): string {
  return `${text(scope, owner)}.${whole(scope, revision)}`;
}

export function checkpointOf(scope: string, next: unknown, version: unknown, meta: unknown): Checkpoint | undefined {
  if (next === null && version === null && meta === null) return undefined;
  return { nextOffset: whole(scope, next), version: text(scope, version), meta: text(scope, meta) };
}

/** The hashes of `keys` from as many replies of HGETALL; those without fields are left out. */
export function hashesOf(
  scope: string,
  keys: readonly string[],
  replies: readonly unknown[],
): Map<string, Map<string, string>> {
  const hashes = new Map<string, Map<string, string>>();
  for (const [index, key] of keys.entries()) {
    const items = list(scope, replies[index]);
    const fields = new Map<string, string>();
    for (let at = 0; at < items.length; at += 2) fields.set(text(scope, items[at]), text(scope, items[at + 1]));
    if (fields.size > 0) hashes.set(key, fields);
  }
  return hashes;
}

export function timersOf(scope: string, reply: unknown): Timer[] {
  const items = list(scope, reply);
  const timers: Timer[] = [];
  for (let at = 0; at < items.length; at += 2) {
    timers.push({ member: text(scope, items[at]), at: whole(scope, items[at + 1]) });
  }
  return timers;
}

export function textsOf(scope: string, reply: unknown): string[] {
  return list(scope, reply).map((item) => text(scope, item));
}

export function list(scope: string, reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw corrupt(scope, 'a reply that is no list');
  return reply;
}

/** A whole number from 0 that a double holds exactly. */
export function whole(scope: string, value: unknown): number {
  const digits = text(scope, value);
  const number = Number(digits);
  if (!/^(0|[1-9][0-9]*)$/.test(digits) || !Number.isSafeInteger(number)) throw corrupt(scope, `the number ${digits}`);
  return number;
}

function text(scope: string, value: unknown): string {
  if (!Buffer.isBuffer(value)) throw corrupt(scope, 'something that is missing or no text');
  return decodeText(value);
}

function corrupt(scope: string, detail: string): StateError {
  return new StateError('StateCorrupt', `scope ${scope}: ${detail}`);
}
