/**
 * Completes package-lock.json and takes registry addresses out of it.
 *
 * A package that ships native code names one optional package a platform. When a registry cannot serve those of other
 * platforms, npm writes a lock file without them, and `npm ci` then refuses the file elsewhere ("Missing: ... from lock
 * file"). What an entry needs follows from its parent (the exact version) and from its own name (os, cpu, libc).
 *
 * Run it after every change of the dependencies: `node scripts/complete-lock.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMain, ROOT } from './setup.mjs';

/**
 * @typedef {{ version?: string, resolved?: string, optional?: boolean, dev?: boolean, os?: string[], cpu?: string[],
 *   libc?: string[], optionalDependencies?: Record<string, string> } & Record<string, unknown>} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> } & Record<string, unknown>} Lock
 */

const SYSTEMS = new Set([
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]);
const PROCESSORS = new Set([
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]);
const EXACT = /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/;

/**
 * What a platform package's name says about where it runs, in npm's words.
 *
 * @param {string} name such as `@chdb/lib-linux-arm64-gnu`
 * @returns {Pick<LockEntry, 'os' | 'cpu' | 'libc'>} only the parts that the name holds
 */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  /** @type {Pick<LockEntry, 'os' | 'cpu' | 'libc'>} */
  const found = {};
  const cpu = words.find((word) => PROCESSORS.has(word));
  const os = words.find((word) => SYSTEMS.has(word));
  if (cpu !== undefined) found.cpu = [cpu];
  if (words.some((word) => word.startsWith('musl'))) found.libc = ['musl'];
  else if (words.some((word) => word.startsWith('gnu') || word === 'glibc')) found.libc = ['glibc'];
  if (os !== undefined) found.os = [os];
  return found;
}

/**
 * The optional packages that the lock file's packages name and that it has no entry for.
 *
 * @param {Lock} lock
 * @returns {{ parent: string, name: string, version: string, path: string }[]} `path` is where the entry belongs
 */
export function missingOptional(lock) {
  const missing = [];
  for (const [parent, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const visible = visiblePath(lock, parent, name);
      if (visible !== undefined && (!EXACT.test(version) || lock.packages[visible]?.version === version)) continue;
      const path = visible === undefined ? `node_modules/${name}` : `${parent}/node_modules/${name}`;
      missing.push({ parent, name, version, path });
    }
  }
  return missing;
}

/**
 * @param {Lock} lock
 * @returns {{ lock: Lock, added: string[], stripped: string[] }} a completed copy, and the paths that changed
 * @throws {Error} when a missing package is asked for by a range, from which no version follows
 */
export function completeLock(lock) {
  const packages = new Map(Object.entries(lock.packages));
  const added = [];
  const stripped = [];
  for (const { parent, name, version, path } of missingOptional(lock)) {
    if (!EXACT.test(version))
      throw new Error(`${parent} asks for ${name}@${version}: not an exact version, lock it by hand`);
    const dev = packages.get(parent)?.dev === true ? { dev: true } : {};
    packages.set(path, { version, ...sorted({ ...platformOf(name), ...dev, optional: true }) });
    added.push(path);
  }
  for (const [path, entry] of packages) {
    if (entry.resolved === undefined || !/^https?:/.test(entry.resolved)) continue;
    const { resolved: _, ...rest } = entry;
    packages.set(path, rest);
    stripped.push(path);
  }
  const ordered = [...packages].sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { lock: { ...lock, packages: Object.fromEntries(ordered) }, added, stripped };
}

/**
 * Node's look-up: the nearest node_modules, from the package outward, that holds the name.
 *
 * @param {Lock} lock
 * @param {string} parent
 * @param {string} name
 */
function visiblePath(lock, parent, name) {
  for (let base = parent; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const path = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`;
    if (Object.hasOwn(lock.packages, path)) return path;
    if (base === '') return undefined;
  }
}

/** @param {Record<string, unknown>} entry */
function sorted(entry) {
  return Object.fromEntries(Object.entries(entry).sort(([a], [b]) => a.localeCompare(b, 'en')));
}

if (isMain(import.meta.url)) {
  const file = join(ROOT, 'package-lock.json');
  const { lock, added, stripped } = completeLock(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`package-lock.json: ${added.length} entries added, ${stripped.length} addresses taken out\n`);
}
