import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from '../../cli/folder.ts';
import { removeFolder, temporaryFolder } from '../e2e/support/embedded.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const HANGS_MS = 90_000;

let home = '';
beforeEach(() => {
  home = temporaryFolder();
});
afterEach(() => removeFolder(home));

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('what is missing of a path is made, with the permissions that are asked for', () => {
  makeFolder(join(home, 'a', 'b', 'c'), 0o700);
  expect(['a', 'a/b', 'a/b/c'].map((path) => modeOf(join(home, path)))).toEqual([0o700, 0o700, 0o700]);
});

test('a folder that is there stays as it is, also behind a link', () => {
  mkdirSync(join(home, 'there'), { mode: 0o750 });
  symlinkSync(join(home, 'there'), join(home, 'link'));
  const before = modeOf(join(home, 'there'));
  for (const path of ['there', 'there/', 'link', './there/../there']) makeFolder(`${home}/${path}`, 0o700);
  expect(modeOf(join(home, 'there'))).toBe(before);
  makeFolder(join(home, 'link', 'below'));
  expect(statSync(join(home, 'there', 'below')).isDirectory()).toBe(true);
});

test('a file in its place or above it, a link to nothing and no name at all are told, with the place', () => {
  writeFileSync(join(home, 'file'), '');
  symlinkSync(join(home, 'nothing'), join(home, 'dangling'));
  expect(() => makeFolder(join(home, 'file'))).toThrow(/EEXIST.*file'/);
  expect(() => makeFolder(join(home, 'file', 'below', 'it'))).toThrow(/ENOTDIR.*file\/below'/);
  expect(() => makeFolder(join(home, 'dangling', 'below'))).toThrow(/EEXIST.*dangling'/);
  expect(() => makeFolder('')).toThrow('ENOENT');
});

/** In a process of its own, which can be killed: a call of `mkdir` that never comes back would hold this one too. */
test.each([
  ['/proc/x', []],
  ['/proc/x/y', ['--no-demo']],
  ['/proc', ['--no-demo']],
])(
  'start --data %s %j ends with what is wrong, and does not hang',
  (data, args) => {
    const command = ['--import', 'tsx', MAIN, 'start', '--port', '0', '--data', data, ...args];
    const ran = spawnSync(process.execPath, command, { timeout: HANGS_MS, killSignal: 'SIGKILL', encoding: 'utf8' });
    expect(ran).toMatchObject({ signal: null, status: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^tollgate: E[A-Z]+: .*\/proc\/\S+'\n$/);
  },
  HANGS_MS + 30_000,
);
