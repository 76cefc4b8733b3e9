import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../cli/commands/tollgate.ts';
import { LOG_ERRORS } from '../../platform/log/port.ts';
import { STATE_ERRORS } from '../../platform/state/port.ts';
import { WAREHOUSE_ERRORS } from '../../platform/warehouse/errors.ts';
import { ALERT_KINDS, COMMAND_NAMES } from '../../services/shared/contracts/command.ts';
import { ROOT, readRepoFile, repoFiles } from './repo.ts';

const pages = repoFiles().filter((path) => path.endsWith('.md'));

test('house: every link of the docs leads somewhere', () => {
  const dead: string[] = [];
  for (const page of pages) {
    const targets = [...readRepoFile(page).matchAll(/\]\(([^)\s]+)\)/g)].map((found) => found[1] ?? '');
    for (const target of targets) {
      const [path = ''] = target.split('#');
      if (/^https?:/.test(path) || path === '') continue;
      if (!existsSync(join(ROOT, normalize(join(dirname(page), path))))) dead.push(`${page}: ${target}`);
    }
  }
  expect(pages).toContain('README.md');
  expect(dead).toEqual([]);
});

test('house: the README lists the commands that there are, and no other', () => {
  const readme = readRepoFile('README.md');
  const [, section = ''] = readme.split('## The command\n');
  const [table = ''] = section.split('\n## ');
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z]+)/g)].map((found) => found[1]));
  const world = {
    ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, now: () => 0 },
    settings: { key: undefined, logLevel: 'silent' as const },
    environment: {},
    interruption: () => new AbortController().signal,
  };
  const names = commands(world).commands.map((command) => command.name());
  expect(listed.sort()).toEqual(names.sort());
});

test('house: what stops an instance is in OPERATIONS by its name, and each name there exists', () => {
  const [, section = ''] = readRepoFile('docs/OPERATIONS.md').split('## When it stops\n');
  const told = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((found) => found[1] ?? ''));
  const sources = repoFiles().filter((path) => /^(services|platform)\/.*\.ts$/.test(path));
  const text = sources.map(readRepoFile).join('\n');
  const known = new Set<string>([
    ...Object.keys(LOG_ERRORS),
    ...Object.keys(STATE_ERRORS),
    ...Object.keys(WAREHOUSE_ERRORS),
  ]);
  expect(told.filter((name) => !known.has(name) && !text.includes(`'${name}'`))).toEqual([]);
  const stops = [...text.matchAll(/new RaterStopped\(\s*'(\w+)'/g)].map((found) => found[1] ?? '');
  expect(stops.length).toBeGreaterThanOrEqual(5);
  expect(stops.filter((name) => !told.includes(name))).toEqual([]);
});

test('K: CONSUMERS tells of every command and every alert', () => {
  const page = readRepoFile('docs/CONSUMERS.md');
  const names = [...COMMAND_NAMES.filter((name) => name !== 'alert'), ...ALERT_KINDS];
  expect(names.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});
