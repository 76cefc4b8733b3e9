import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, test } from 'vitest';
import { takeLock } from '../../../cli/stack/file-lock.ts';
import { describeOnStack } from '../../integration/support/components.ts';

const REQUIREMENTS = fileURLToPath(new URL('../requirements.txt', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.stack', import.meta.url));
/** Written last of all: without it the folder is not whole. */
const STAMP = 'complete';
const INSTALL_MS = 900_000;
const RUN_MS = 240_000;
const OUTPUT_BYTES_MAX = 16 << 20;

/**
 * A suite on the real stack whose clients are Python's. In CI (`CI=true`) it always runs, and fails if something is missing;
 * elsewhere it is then left out, and the reason is in its name, which is told at the end of the run.
 */
export function describeWithPython(name: string, suite: () => void): void {
  const missing = missingPython();
  if (missing !== undefined && process.env.CI !== 'true') {
    describe.skip(`${name} [not run, missing: ${missing}]`, suite);
    return;
  }
  describeOnStack(name, () => {
    beforeAll(async () => {
      if (missing !== undefined) throw new Error(`this suite needs ${missing}`);
      await python();
    }, INSTALL_MS);
    suite();
  });
}

/** A test of a suite on the real stack, one client of which is Python's. */
export function testWithPython(name: string, run: () => Promise<void>): void {
  const missing = missingPython();
  if (missing !== undefined && process.env.CI !== 'true') test.skip(`${name} [not run, missing: ${missing}]`, run);
  else test(name, run); // if it is missing in CI, `runPython` fails
}

/**
 * Runs a script by the Python of requirements.txt.
 * @param folders where it finds the modules that it imports
 * @param input what it reads from stdin, as JSON
 * @returns the JSON that it wrote to stdout
 * @throws Error with what it wrote to stderr, if it does not end well, or not within four minutes
 */
export async function runPython(script: URL, folders: readonly string[], input: unknown): Promise<unknown> {
  const program = await python();
  const stdout = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      program,
      [fileURLToPath(script)],
      {
        ...{ timeout: RUN_MS, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX },
        env: { PATH: process.env.PATH, PYTHONPATH: folders.join(':'), PYTHONDONTWRITEBYTECODE: '1' },
      },
      (fault, out, errors) => {
        if (fault === null) resolve(out);
        else reject(new Error(`${fileURLToPath(script)}: ${fault.killed ? 'took too long; ' : ''}${errors}`));
      },
    );
    child.stdin?.end(JSON.stringify(input));
  });
  return JSON.parse(stdout);
}

/** What is missing for an environment of Python packages, with how to install it; undefined if nothing is. */
function missingPython(): string | undefined {
  const ask = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))';
  const { status } = spawnSync('python3', ['-c', ask], { timeout: 30_000 });
  if (status === 0) return undefined;
  return 'Python 3.11 or later with venv; on Debian and Ubuntu: apt-get install python3 python3-venv';
}

/** The interpreter, with the packages of requirements.txt: installed the first time, two that ask at once wait for one. */
async function python(): Promise<string> {
  const folder = join(CACHE, `python-${digest()}`);
  const program = join(folder, 'bin', 'python');
  if (existsSync(join(folder, STAMP))) return program;
  mkdirSync(CACHE, { recursive: true });
  const release = await takeLock(`${folder}.lock`, {
    waitMs: INSTALL_MS,
    onWait: () => tell('another process installs the Python clients, waiting for it ...'),
    fault: () => new Error(`waited ${INSTALL_MS} ms for who holds ${folder}.lock`),
  });
  try {
    if (!existsSync(join(folder, STAMP))) await install(folder);
  } finally {
    release();
  }
  return program;
}

/** Of what is installed, and of the Python that it is installed for. */
function digest(): string {
  const { stdout } = spawnSync('python3', ['-VV'], { encoding: 'utf8', timeout: 30_000 });
  return createHash('sha256').update(readFileSync(REQUIREMENTS)).update(stdout).digest('hex').slice(0, 16);
}

/** Installs beside the folder and moves it there whole. Only what is built already: nothing is compiled here. */
async function install(folder: string): Promise<void> {
  const part = `${folder}.${process.pid}.part`;
  rmSync(part, { recursive: true, force: true });
  tell('installing the Python clients of the tests, once (40 MB, about a minute) ...');
  try {
    await run('python3', ['-m', 'venv', part]);
    const pip = ['-m', 'pip', 'install', '--progress-bar', 'off', '--disable-pip-version-check'];
    await run(join(part, 'bin', 'python'), [...pip, '--only-binary', ':all:', '-r', REQUIREMENTS]);
    writeFileSync(join(part, STAMP), '');
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** Each line that it writes is told. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS });
  let last = '';
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      if (/^(Collecting|Successfully)/.test(line)) tell(line.replace(/ \(from .*/, ''));
      last = `${last}${line}\n`.slice(-4000);
    });
  }
  const how = await new Promise<string>((resolve) => {
    child.once('error', (fault) => resolve(fault.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  if (how !== 'exit code 0') throw new Error(`${program} ended with ${how}: ${last.trim()}`);
}

function tell(line: string): void {
  process.stderr.write(`tollgate: ${line}\n`);
}
