import { describe, expect, test } from 'vitest';
import { run } from './support/run.ts';

const COMMANDS = [
  ...['start', 'publish', 'balance', 'invoice', 'tail', 'enforcement', 'hold', 'release', 'redrive'],
  ...['replay', 'log', 'log dump', 'export', 'verify'],
  ...['stack', 'stack up', 'stack down', 'stack status', 'cluster', 'cluster up', 'cluster down', 'cluster status'],
  ...['topics', 'topics create', 'schemas', 'schemas register', 'schemas check', 'warehouse', 'warehouse migrate'],
];

describe('the help', () => {
  test.each(COMMANDS)('of %s has examples, and every exit code', async (command) => {
    for (const args of [
      [...command.split(' '), '--help'],
      ['help', ...command.split(' ')],
    ]) {
      if (args[0] === 'help' && args.length > 2) continue;
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`Usage: tollgate ${command}`);
      expect(stdout).toMatch(
        /\nExamples:\n( {2}\$ .*\n)+\nExit codes:\n {2}0 {2}.*\n {2}1 {2}.*\n( {5}.*\n)?.* {2}2 {2}/,
      );
    }
  });

  test('lists every command on a line of its own', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    const listed = stdout.slice(stdout.indexOf('Commands:'), stdout.indexOf('Exit codes:'));
    const names = [...listed.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
    expect(names).toEqual([...COMMANDS.filter((name) => !name.includes(' ')), 'help']);
    expect(listed).not.toMatch(/^ {3}/m);
  });
});

describe('a bad call', () => {
  test.each([
    [],
    ['strat'],
    ['start', '--prot', '1'],
    ['start', '--port', '65536'],
    ['start', '--log-time', 'never'],
    ['publish'],
    ['publish', 'a', 'b'],
    ['publish', 'a', '--speed', '0'],
    ['publish', 'a', '--url', 'localhost:8080'],
    ['balance'],
    ['balance', 'acme', '--jsn'],
    ['invoice', 'acme', '--month', '2026-13'],
    ['tail', 'control.all'],
    ['tail', '--from', '-1'],
    ['hold', '--reason', 'x'],
    ['hold', '--all'],
    ['release', '--all', '--account', 'acme', '--reason', 'x'],
    ['redrive', '--reason', 'none'],
    ['redrive', '--id', 'no-source'],
    ['redrive', '--id', '/id'],
    ['redrive', '--account', 'a b'],
    ['replay', 'a'],
    ['log', 'dmup'],
    ['log', 'dump', '--to', 'end'],
    ['export'],
    ['export', '--out', 'x', '--partition', '1'],
    ['verify', 'all'],
  ])('exits with 2 and says what is wrong: %s %s %s %s', async (...args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(args.length === 0 ? /^Usage: tollgate/ : /^(error|tollgate): /);
  });

  test('exits with 2 where the environment is wrong, and where a folder holds no instance', async () => {
    const level = await run(['balance', 'acme'], { env: { TOLLGATE_LOG_LEVEL: 'loud' } });
    expect(level).toMatchObject({ code: 2, stderr: expect.stringContaining('TOLLGATE_LOG_LEVEL') });
    for (const args of [['balance', 'acme'], ['invoice', 'acme'], ['tail'], ['log', 'dump'], ['verify']]) {
      const ran = await run([...args, '--data', 'test/cli/none']);
      expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('holds no data') });
    }
  });
});
