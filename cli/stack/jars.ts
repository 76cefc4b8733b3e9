import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './errors.ts';
import { takeLock } from './file-lock.ts';

/** Where the Java parts of the stack are. */
export interface Jars {
  /** Folder of the broker's jars. */
  readonly kafka: string;
  readonly registryApp: string;
}

const POM = fileURLToPath(new URL('./pom.xml', import.meta.url));
/** `.stack` in the project's folder: this file is two folders below it, or three when compiled. */
const CACHE = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../.stack' : '../../../.stack', import.meta.url),
);
const FETCH_MS = 900_000;
const LAST_BYTES = 4_000;

/** Whether the jars of this version are here already. */
export function haveJars(): boolean {
  return existsSync(join(folderOfVersion(), STAMP));
}

/**
 * The jars, fetched by Maven the first time (about 150 MB, a minute); two that ask at once wait for one.
 * @param tell is called with a line when something is done that takes long
 * @throws StackError `stack_jars_unavailable`
 */
export async function fetchJars(tell: (line: string) => void = () => undefined): Promise<Jars> {
  const folder = folderOfVersion();
  if (!haveJars()) {
    mkdirSync(CACHE, { recursive: true });
    const release = await takeLock(`${folder}.lock`, {
      waitMs: FETCH_MS,
      onWait: () => tell('another process fetches the jars, waiting for it ...'),
      fault: () => new StackError('stack_jars_unavailable', `waited ${FETCH_MS} ms for who holds ${folder}.lock`),
    });
    try {
      if (!haveJars()) await fetchInto(folder, tell);
    } finally {
      release();
    }
  }
  const version = /<registry\.version>([^<]+)</.exec(readFileSync(POM, 'utf8'))?.[1] ?? '';
  return {
    kafka: join(folder, 'kafka'),
    registryApp: join(folder, 'registry', `apicurio-registry-app-${version}-runner.jar`),
  };
}

/** Written last of all: without it the folder is not whole. */
const STAMP = 'complete';

function folderOfVersion(): string {
  return join(CACHE, createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 16));
}

/** Fetches beside the folder and moves it there whole: a fetch that breaks off leaves nothing that looks complete. */
async function fetchInto(folder: string, tell: (line: string) => void): Promise<void> {
  const part = `${folder}.${process.pid}.part`;
  rmSync(part, { recursive: true, force: true });
  tell('fetching the jars of Kafka and the schema registry, once (150 MB, about a minute) ...');
  try {
    await maven(part).catch(async (fault: unknown) => {
      if (!(fault instanceof StackError)) throw fault;
      tell('that failed, trying once more ...');
      await maven(part);
    });
    writeFileSync(join(part, STAMP), '');
    if (haveJars()) return;
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

async function maven(folder: string): Promise<void> {
  // -U: what could not be had before is asked for again
  const args = ['-B', '-q', '-U', '-f', POM, `-Dstack.folder=${folder}`, 'package'];
  const child = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: FETCH_MS });
  const output = lastOutput(child);
  const how = await new Promise<string>((resolve) => {
    child.once('error', (fault) => resolve(fault.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  if (how !== 'exit code 0')
    throw new StackError('stack_jars_unavailable', `mvn ended with ${how}: ${output().trim()}`);
}

function lastOutput(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = `${text}${chunk.toString('utf8')}`.slice(-LAST_BYTES);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text;
}
