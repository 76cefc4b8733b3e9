/**
 * Makes a fresh clone ready to run: Node's version, the dependencies, the compiled sources. Needs nothing but Node.
 *
 * Everything that it prints goes to stderr, because stdout belongs to the command that follows.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What goes to dist/: sources compiled, everything else as it is, so that relative paths hold in both places. */
const BUILT_FOLDERS = ['bench', 'cli', 'examples', 'platform', 'schemas', 'services'];
const STAMP = join(ROOT, 'dist', '.sources');
const LOCK = join(ROOT, '.setup.lock');
const LOCK_WAIT_MS = 600_000;
const LOCK_POLL_MS = 200;

/** A set-up that cannot go on: printed without a stack, exit code 1. */
export class SetupError extends Error {}

/**
 * Does what is not yet done, and nothing twice: two commands that start at once wait for each other.
 *
 * @returns {Promise<void>}
 * @throws {SetupError} when Node is too old, or npm or the compiler fails
 */
export async function setUp() {
  requireNode();
  if (installed() && built()) return;
  const release = await takeLock();
  try {
    if (!installed()) await install();
    if (!built()) await build();
  } finally {
    release();
  }
}

/**
 * Prints a set-up's failure for a human and sets the exit code; what is not a SetupError is a bug and is thrown on.
 *
 * @param {unknown} error
 */
export function reportSetupError(error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`tollgate: ${error.message}\n`);
  process.exitCode = 1;
}

/**
 * Whether a file is the one that Node was asked to run, also when it was asked by a symbolic link.
 *
 * @param {string} url the file's `import.meta.url`
 */
export function isMain(url) {
  const asked = process.argv[1];
  return asked !== undefined && realpathSync(asked) === fileURLToPath(url);
}

function requireNode() {
  const { engines } = readJson(join(ROOT, 'package.json'));
  const [wantMajor = 0, wantMinor = 0] = engines.node.replace(/^\D+/, '').split('.').map(Number);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(
    `needs Node ${engines.node}, this is ${process.versions.node}: install a newer Node and run it again`,
  );
}

/**
 * npm writes node_modules/.package-lock.json last of all: absent, the installation is missing or was cut short;
 * different, the lock file has moved on. Optional packages of other platforms are never there.
 */
function installed() {
  const state = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(state)) return false;
  const have = readJson(state).packages;
  const want = readJson(join(ROOT, 'package-lock.json')).packages;
  return Object.keys(want).every((path) => {
    if (path === '') return true;
    const found = have[path];
    return found === undefined ? want[path].optional === true : found.version === want[path].version;
  });
}

async function install() {
  process.stderr.write('tollgate: installing dependencies, once (a minute or two) ...\n');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const [command, ...rest] = npm?.endsWith('.js') ? [process.execPath, npm, ...args] : ['npm', ...args];
  await run(command ?? 'npm', rest, '`npm ci` failed: see its message above; with network access run it again');
}

function built() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourcesDigest();
}

async function build() {
  const digest = sourcesDigest();
  process.stderr.write('tollgate: compiling ...\n');
  rmSync(STAMP, { force: true });
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json')], 'the sources do not compile: see above');
  for (const folder of BUILT_FOLDERS) copyAssets(folder);
  copyFileSync(join(ROOT, 'package.json'), join(ROOT, 'dist', 'package.json'));
  writeFileSync(STAMP, digest);
}

/** @param {string} folder */
function copyAssets(folder) {
  for (const path of filesUnder(folder)) {
    if (path.endsWith('.ts')) continue;
    mkdirSync(dirname(join(ROOT, 'dist', path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(ROOT, 'dist', path));
  }
}

/** Names, sizes and times of all that goes into dist/: a changed, new or removed file changes it. */
function sourcesDigest() {
  const hash = createHash('sha256');
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  for (const path of [...settings, ...BUILT_FOLDERS.flatMap(filesUnder)]) {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder from the root
 * @returns {string[]} the files in it and below, from the root
 */
function filesUnder(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/**
 * A file that only one process can create, holding its pid; one left behind by a process that is gone is removed.
 *
 * @returns {Promise<() => void>} gives it back
 */
async function takeLock() {
  const mine = `${LOCK}.${process.pid}`;
  for (let waitedMs = 0; waitedMs <= LOCK_WAIT_MS; waitedMs += LOCK_POLL_MS) {
    writeFileSync(mine, String(process.pid));
    try {
      linkSync(mine, LOCK); // creates it together with its content, or fails
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    if (waitedMs === 0) process.stderr.write('tollgate: another command is setting up, waiting for it ...\n');
    removeLeftLock(mine);
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  throw new SetupError(`waited ${LOCK_WAIT_MS / 1000} s for another set-up: if none is running, delete ${LOCK}`);
}

/**
 * Moves the lock of a dead process away, and back if somebody else had replaced it in between.
 *
 * @param {string} aside
 */
function removeLeftLock(aside) {
  try {
    const owner = readFileSync(LOCK, 'utf8');
    if (isAlive(Number(owner))) return;
    renameSync(LOCK, aside);
    if (readFileSync(aside, 'utf8') !== owner) linkSync(aside, LOCK);
    rmSync(aside);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} failure what to say when it ends with anything but 0
 * @returns {Promise<void>}
 */
function run(command, args, failure) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
    child.on('error', (error) => reject(new SetupError(`${command} could not be started: ${error.message}`)));
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new SetupError(failure))));
  });
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

if (isMain(import.meta.url)) await setUp().catch(reportSetupError);
