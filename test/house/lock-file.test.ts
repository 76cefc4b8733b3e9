import { describe, expect, test } from 'vitest';
import { completeLock, type Lock, missingOptional, platformOf } from '../../scripts/complete-lock.mjs';
import { readRepoFile } from './repo.ts';

const lock: Lock = JSON.parse(readRepoFile('package-lock.json'));

describe('house: the lock file installs on every platform and names no registry', () => {
  test('every optional package that a package names has an entry', () => {
    expect(missingOptional(lock)).toEqual([]);
  });

  test('completing it again changes nothing', () => {
    expect(`${JSON.stringify(completeLock(lock).lock, null, 2)}\n`).toBe(readRepoFile('package-lock.json'));
  });

  test('no entry says where it was downloaded', () => {
    const resolved = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
    expect(resolved).toEqual([]);
    expect(readRepoFile('.npmrc')).not.toMatch(/https?:/);
  });

  test('package.json pins every version exactly', () => {
    const manifest: Record<string, Record<string, string>> = JSON.parse(readRepoFile('package.json'));
    const pins = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides });
    expect(pins.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe('house: a lock file with a hole is found and mended', () => {
  const parent = { version: '1.0.0', dev: true, optionalDependencies: { '@x/lib-linux-arm64-musl': '1.2.3' } };
  const holed: Lock = { lockfileVersion: 3, packages: { '': {}, 'node_modules/x': parent } };

  test('the missing package gets the entry that follows from its parent and its name', () => {
    const { lock: mended, added } = completeLock(holed);
    expect(added).toEqual(['node_modules/@x/lib-linux-arm64-musl']);
    expect(mended.packages['node_modules/@x/lib-linux-arm64-musl']).toEqual({
      version: '1.2.3',
      cpu: ['arm64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    });
    expect(missingOptional(mended)).toEqual([]);
    expect(completeLock(mended).added).toEqual([]);
  });

  test('a parent whose own copy has another version than the one in sight gets one of its own', () => {
    const packages = {
      ...holed.packages,
      'node_modules/@x/lib-linux-arm64-musl': { version: '9.9.9', optional: true },
    };
    expect(completeLock({ packages }).added).toEqual(['node_modules/x/node_modules/@x/lib-linux-arm64-musl']);
  });

  test('a range says no version: an error, not a guess', () => {
    const vague = { version: '1.0.0', optionalDependencies: { 'x-linux-x64': '^1.2.3' } };
    expect(() => completeLock({ packages: { 'node_modules/x': vague } })).toThrow('not an exact version');
  });

  test('a download address is taken out', () => {
    const packages = {
      'node_modules/x': { version: '1.0.0', resolved: 'https://example.org/x.tgz', integrity: 'sha' },
    };
    const { lock: mended, stripped } = completeLock({ packages });
    expect(stripped).toEqual(['node_modules/x']);
    expect(mended.packages['node_modules/x']).toEqual({ version: '1.0.0', integrity: 'sha' });
  });

  test.each([
    ['@chdb/lib-darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
    ['@chdb/lib-linux-x64-gnu', { os: ['linux'], cpu: ['x64'], libc: ['glibc'] }],
    ['@oxc-parser/binding-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
    ['@oxc-parser/binding-win32-ia32-msvc', { os: ['win32'], cpu: ['ia32'] }],
    ['@biomejs/cli-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
  ])('%s', (name, expected) => {
    expect(platformOf(name)).toEqual(expected);
  });
});
