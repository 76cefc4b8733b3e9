import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROOT } from './repo.ts';

/** A project of one source file, with this repository's scripts, a quick compiler, and no dependencies to install. */
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-setup-'));
  cpSync(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(ROOT, name), join(folder, name));
  write('package.json', '{ "type": "module", "engines": { "node": ">=20.19" } }');
  write('package-lock.json', '{ "lockfileVersion": 3, "packages": { "": {} } }');
  write('node_modules/.package-lock.json', '{ "packages": {} }');
  write('node_modules/typescript/package.json', '{ "type": "commonjs" }');
  write('node_modules/typescript/bin/tsc', FAKE_COMPILER);
  write('cli/main.ts', "const greeting = 'hello';\nconsole.log(greeting, process.argv.slice(2).join(' '));\n");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('house: a command sets itself up', () => {
  test('compiles, then runs, with only the command on stdout', async () => {
    const run = await exec('a', '--b');
    expect(run).toMatchObject({ code: 0, stdout: 'hello a --b\n' });
    expect(run.stderr).toContain('compiling');
  });

  test('compiles nothing the second time', async () => {
    await exec();
    expect(await exec('again')).toMatchObject({ code: 0, stdout: 'hello again\n', stderr: '' });
  });

  test('compiles again after a change, even one that keeps size and looks older', async () => {
    await exec();
    write('cli/main.ts', "const greeting = 'adieu';\nconsole.log(greeting, process.argv.slice(2).join(' '));\n");
    utimesSync(join(folder, 'cli/main.ts'), 1000, 1000);
    expect((await exec()).stdout).toBe('adieu \n');
  });

  test('two commands at once set up once', async () => {
    const runs = await Promise.all([exec('one'), exec('two'), exec('three')]);
    expect(runs.map(({ code, stdout }) => [code, stdout])).toEqual([
      [0, 'hello one\n'],
      [0, 'hello two\n'],
      [0, 'hello three\n'],
    ]);
    const compiled = runs.filter(({ stderr }) => stderr.includes('compiling'));
    expect(compiled.length).toBe(1);
    expect(existsSync(join(folder, '.setup.lock'))).toBe(false);
  });

  test('a lock that a dead process left behind is taken over', async () => {
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    write('.setup.lock', String(dead.pid));
    expect(await exec()).toMatchObject({ code: 0, stdout: 'hello \n' });
  });

  test('files that are no sources stand beside the compiled ones', async () => {
    write('cli/words.txt', 'from a file');
    write(
      'cli/main.ts',
      "import { readFileSync } from 'node:fs';\nconsole.log(readFileSync(new URL('words.txt', import.meta.url), 'utf8'));\n",
    );
    expect((await exec()).stdout).toBe('from a file\n');
    write('cli/words.txt', 'changed words');
    expect((await exec()).stdout).toBe('changed words\n');
  });

  test('passes the exit code on', async () => {
    write('cli/main.ts', 'process.exitCode = 7;\n');
    expect((await exec()).code).toBe(7);
  });

  test('passes signals on', async () => {
    write(
      'cli/main.ts',
      "process.on('SIGTERM', () => process.exit(5));\nsetInterval(() => {}, 1000);\nconsole.log('up');\n",
    );
    const child = start('cli/main.ts');
    await once(child.stdout ?? child, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([5, null]);
  });

  test('the real compiler takes the types out', async () => {
    useRealCompiler();
    write('cli/main.ts', "const greeting: string = 'typed';\nconsole.log(greeting);\n");
    expect(await exec()).toMatchObject({ code: 0, stdout: 'typed\n' });
  });

  test('sources that do not compile end with 1 and say where', async () => {
    useRealCompiler();
    write('cli/main.ts', 'const = 1;\n');
    const { code, stdout, stderr } = await exec();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('cli/main.ts(1,7)');
    expect((await exec()).code).toBe(1);
  });

  test('a Node that is too old is told which one is needed', async () => {
    write('package.json', '{ "type": "module", "engines": { "node": ">=999.1" } }');
    const { code, stdout, stderr } = await exec();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`needs Node >=999.1, this is ${process.versions.node}`);
  });

  test.each([
    ['missing', undefined],
    ['cut short', '{ "packages": {} }'],
    ['of another version', '{ "packages": { "node_modules/x": { "version": "1.0.0" } } }'],
  ])('dependencies that are %s are installed', async (_, installed) => {
    write('package-lock.json', '{ "packages": { "": {}, "node_modules/x": { "version": "2.0.0" } } }');
    if (installed === undefined) rmSync(join(folder, 'node_modules/.package-lock.json'));
    else write('node_modules/.package-lock.json', installed);
    write('fake-npm.js', FAKE_NPM);
    const { code, stdout, stderr } = await exec('now');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello now\n' });
    expect(stderr).toContain('npm says ci --include=dev');
    expect((await exec('later')).stderr).toBe('');
  });

  test('an optional package of another platform is not waited for', async () => {
    write(
      'package-lock.json',
      '{ "packages": { "": {}, "node_modules/x": { "version": "2.0.0", "optional": true } } }',
    );
    expect((await exec()).stderr).not.toContain('installing');
  });

  test('a failed installation ends with 1', async () => {
    write('package-lock.json', '{ "packages": { "": {}, "node_modules/x": { "version": "2.0.0" } } }');
    write('fake-npm.js', 'process.exit(3);');
    const { code, stdout, stderr } = await exec();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('`npm ci` failed');
  });
});

/** Stands in for npm: says what it was asked, and leaves what npm leaves when it is done. */
const FAKE_NPM = `
  import { writeFileSync } from 'node:fs';
  console.log('npm says', process.argv.slice(2).join(' '));
  writeFileSync('node_modules/.package-lock.json', '{ "packages": { "node_modules/x": { "version": "2.0.0" } } }');
`;

/** Stands in for tsc, which takes a second: the sources here have no types. */
const FAKE_COMPILER = `
  const { cpSync } = require('node:fs');
  cpSync('cli/main.ts', 'dist/cli/main.js');
`;

function useRealCompiler(): void {
  rmSync(join(folder, 'node_modules/typescript'), { recursive: true });
  for (const name of ['typescript', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function start(...args: string[]): ChildProcess {
  const env = { ...process.env, npm_execpath: join(folder, 'fake-npm.js') };
  return spawn(process.execPath, [join(folder, 'scripts/exec.mjs'), ...args], { cwd: tmpdir(), env });
}

async function exec(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = start('cli/main.ts', ...args);
  if (child.stdout === null || child.stderr === null) throw new Error('the child has no pipes');
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}
