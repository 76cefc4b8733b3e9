import { describe, expect, it } from 'vitest';
import { keyEntries } from '../../services/ingest/config.ts';
import { createKeyRing, makeKey } from '../../services/ingest/keys.ts';

const RANDOM = new Uint8Array(32).map((_, at) => at * 7);

describe('keys', () => {
  it('are found by what was shown, and only by all of it', () => {
    const { key, entry } = makeKey('op-1', 'operator', 'all', RANDOM);
    const ring = createKeyRing([entry]);
    expect(ring.find(`Bearer ${key}`, 0)).toEqual({ keyId: 'op-1', role: 'operator', accounts: 'all' });
    expect(ring.find(`bearer   ${key}`, 0)?.keyId).toBe('op-1');
    for (let at = 0; at < key.length; at += 1) {
      const wrong = `${key.slice(0, at)}${key[at] === 'a' ? 'b' : 'a'}${key.slice(at + 1)}`;
      expect(ring.find(`Bearer ${wrong}`, 0)).toBeUndefined();
    }
    for (const shown of [undefined, '', key, `Basic ${key}`, `Bearer ${key} `, `Bearer ${key}a`, `Bearer x${key}`]) {
      expect(ring.find(shown, 0)).toBeUndefined();
    }
  });

  it('are kept as hashes only', () => {
    const { key, entry } = makeKey('a', 'agent', ['acme'], RANDOM);
    expect(JSON.stringify(entry)).not.toContain(key.split('_')[2] ?? '?');
    expect(entry.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('end when they expire, to the millisecond', () => {
    const { key, entry } = makeKey('a', 'agent', [], RANDOM);
    const ring = createKeyRing([{ ...entry, expiresAt: 1000 }]);
    expect(ring.find(`Bearer ${key}`, 999)).toBeDefined();
    expect(ring.find(`Bearer ${key}`, 1000)).toBeUndefined();
  });

  it('are refused if they cannot be told apart, or are weak', () => {
    const { entry } = makeKey('a', 'agent', [], RANDOM);
    expect(() => createKeyRing([entry, entry])).toThrow('two entries have the id a');
    expect(() => createKeyRing([{ ...entry, sha256: 'abc' }])).toThrow('64 hex digits');
    expect(() => makeKey('a', 'agent', [], new Uint8Array(16))).toThrow('32 random bytes');
    expect(() => makeKey('A_b', 'agent', [], RANDOM)).toThrow('must match');
  });

  it('are read from config, with every fault at once', () => {
    const { entry } = makeKey('a', 'agent', ['acme'], RANDOM);
    const { expiresAt: _, ...stored } = { ...entry, expiresAt: undefined };
    expect(keyEntries.parse([{ ...stored, expires_at: '2026-05-04T10:00:00Z' }])).toEqual([
      { ...stored, expiresAt: 1_777_888_800_000 },
    ]);
    expect(keyEntries.parse([stored])).toEqual([{ ...stored, expiresAt: undefined }]);
    const read = keyEntries.safeParse([
      { id: 'A', role: 'root', accounts: ['a b'], sha256: 'x', expires_at: 'soon', key: 'k' },
    ]);
    expect(read.error?.issues.map(({ path }) => path[1] ?? 'key').sort()).toEqual([
      'accounts',
      'expires_at',
      'id',
      'key',
      'role',
      'sha256',
    ]);
  });
});
