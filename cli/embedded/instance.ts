import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyEntries } from '../../services/ingest/config.ts';
import { type KeyEntry, makeKey } from '../../services/ingest/keys.ts';
import { makeFolder } from '../folder.ts';

/** Where an instance keeps its things, all below the folder that `--data` names. */
export interface InstancePaths {
  readonly root: string;
  /** Log and state. */
  readonly lmdb: string;
  readonly warehouse: string;
  /** The operator's key, in plain, readable by its owner only. */
  readonly operatorKey: string;
  /** API keys by their hashes. */
  readonly keys: string;
  /** Where a running instance can be reached; absent when none runs. */
  readonly running: string;
}

export const DEFAULT_DATA = '.tollgate';

/** What a running instance tells the commands that look for it. */
export interface RunningInstance {
  readonly pid: number;
  readonly url: string;
  readonly warehouse_url: string;
}

export function instancePaths(root: string): InstancePaths {
  return {
    root,
    lmdb: join(root, 'log'),
    warehouse: join(root, 'warehouse'),
    operatorKey: join(root, 'operator.key'),
    keys: join(root, 'keys.json'),
    running: join(root, 'running.json'),
  };
}

/** The keys of an instance; the first start makes the operator's. */
export function instanceKeys(paths: InstancePaths): readonly KeyEntry[] {
  makeFolder(paths.root, 0o700);
  if (!existsSync(paths.keys)) {
    const { key, entry } = makeKey('operator', 'operator', 'all', randomBytes(32));
    writeSecret(paths.operatorKey, `${key}\n`);
    const { id, role, accounts, sha256 } = entry;
    writeSecret(paths.keys, `${JSON.stringify([{ id, role, accounts, sha256 }], null, 2)}\n`);
  }
  const parsed = keyEntries.safeParse(JSON.parse(readFileSync(paths.keys, 'utf8')));
  if (!parsed.success) throw new Error(`${paths.keys}: ${parsed.error.message}`);
  return parsed.data;
}

/** The operator's key, as `curl -H "authorization: Bearer $(cat ...)"` sends it. */
export function operatorKey(paths: InstancePaths): string {
  return readFileSync(paths.operatorKey, 'utf8').trim();
}

export function announceRunning(paths: InstancePaths, running: RunningInstance): void {
  const draft = `${paths.running}.part`;
  writeFileSync(draft, `${JSON.stringify(running)}\n`, { mode: 0o600 });
  renameSync(draft, paths.running);
}

export function retractRunning(paths: InstancePaths): void {
  rmSync(paths.running, { force: true });
}

/** The instance that runs on this folder, or undefined; what a killed one left behind does not count. */
export function runningInstance(paths: InstancePaths): RunningInstance | undefined {
  if (!existsSync(paths.running)) return undefined;
  const running: RunningInstance = JSON.parse(readFileSync(paths.running, 'utf8'));
  try {
    process.kill(running.pid, 0);
    return running;
  } catch {
    return undefined;
  }
}

function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}
