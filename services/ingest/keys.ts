import { createHash, timingSafeEqual } from 'node:crypto';
import type { Instant } from '../shared/time.ts';
import type { Role, Sender } from './core/permissions.ts';

/** A key as config holds it: who it is, what it may do, and the hash by which it is known. */
export interface KeyEntry {
  readonly id: string;
  readonly role: Role;
  readonly accounts: readonly string[] | 'all';
  /** SHA-256 of the whole key, in hex. */
  readonly sha256: string;
  /** From then on it is refused. */
  readonly expiresAt?: Instant | undefined;
}

export interface KeyRing {
  /** Who shows this `Authorization` header at this instant; undefined if nobody known does. */
  find(authorization: string | undefined, now: Instant): Sender | undefined;
}

/** `tg_<id>_<secret>`: the id finds the entry, so that a look-up costs the same however many keys there are. */
const KEY = /^tg_([a-z0-9-]{1,64})_([A-Za-z0-9_-]{43})$/;
const BEARER = /^Bearer +([^ ]+)$/i;
const SECRET_BYTES = 32;

/**
 * Makes a key from 32 bytes of chance, and its entry for config. The key is shown once and kept nowhere. With 256 bits of
 * chance in it nobody can try them all, so a plain SHA-256 is as safe as a slow hash, and takes microseconds a request.
 * @throws RangeError if `random` is not 32 bytes, or `id` is not of `[a-z0-9-]{1,64}`
 */
export function makeKey(
  id: string,
  role: Role,
  accounts: readonly string[] | 'all',
  random: Uint8Array,
): { readonly key: string; readonly entry: KeyEntry } {
  if (random.length !== SECRET_BYTES)
    throw new RangeError(`a key takes ${SECRET_BYTES} random bytes, not ${random.length}`);
  const key = `tg_${id}_${Buffer.from(random).toString('base64url')}`;
  if (!KEY.test(key)) throw new RangeError(`a key's id must match [a-z0-9-]{1,64}: ${JSON.stringify(id)}`);
  return { key, entry: { id, role, accounts, sha256: hashOf(key).toString('hex') } };
}

/** @throws Error if two entries share an id, or a hash is not 64 hex digits. */
export function createKeyRing(entries: readonly KeyEntry[]): KeyRing {
  const known = new Map<string, Known>();
  for (const entry of entries) {
    if (known.has(entry.id)) throw new Error(`keys: two entries have the id ${entry.id}; give each its own`);
    if (!/^[0-9a-f]{64}$/.test(entry.sha256)) throw new Error(`keys: sha256 of ${entry.id} must be 64 hex digits`);
    const accounts = entry.accounts === 'all' ? 'all' : new Set(entry.accounts);
    const sender: Sender = Object.freeze({ keyId: entry.id, role: entry.role, accounts });
    known.set(entry.id, { sender, hash: Buffer.from(entry.sha256, 'hex'), expiresAt: entry.expiresAt });
  }
  return {
    find: (authorization, now) => {
      const key = BEARER.exec(authorization ?? '')?.[1] ?? '';
      const found = known.get(KEY.exec(key)?.[1] ?? '');
      if (found === undefined || !timingSafeEqual(hashOf(key), found.hash)) return undefined;
      return found.expiresAt === undefined || now < found.expiresAt ? found.sender : undefined;
    },
  };
}

interface Known {
  readonly sender: Sender;
  readonly hash: Buffer;
  readonly expiresAt: Instant | undefined;
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
