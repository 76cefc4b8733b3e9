import { describe, expect, test } from 'vitest';
import { readRepoFile, repoFiles } from './repo.ts';
import { breaches } from './source-rules.ts';

const READ = /\.(ts|mjs|cjs|js|json|md|sql|yaml|yml|avsc|sh)$|^\.(ci\/run|npmrc|gitignore)$/;
/** These spell out what they forbid, and plant it. */
const NOT_READ = new Set(['package-lock.json', 'test/house/source-rules.ts', 'test/house/source-rules.test.ts']);

test('house: every file keeps the rules', () => {
  const read = repoFiles().filter((path) => READ.test(path) && !NOT_READ.has(path));
  expect(read.length).toBeGreaterThan(100);
  expect(read.flatMap((path) => breaches(path, readRepoFile(path)))).toEqual([]);
});

describe('house: a planted breach is told', () => {
  test.each([
    ['the environment in a service', 'services/rater/rater.ts', 'const url = process.env.URL;', /environment/],
    ['the environment by brackets', 'platform/log/lmdb.ts', "const e = process['env'];", /environment/],
    ['the environment in a core', 'services/rater/core/rate.ts', 'const e = globalThis.process.env.A;', /environment/],
    ['chance in a core', 'services/rater/core/rate.ts', 'const id = Math.random();', /chance/],
    ['an id by chance', 'services/shared/ids.ts', "import { randomUUID } from 'node:crypto';", /chance/],
    ['the clock in a core', 'services/enforcer/core/decide.ts', 'const now = Date.now();', /clock/],
    ['the moment in a core', 'services/enforcer/core/decide.ts', 'const now = new Date();', /clock/],
    ['a Date in a core', 'services/enforcer/core/decide.ts', 'const at = new Date(5);', /uses Date/],
    ['Date as a function', 'services/shared/time.ts', 'const now = Date();', /clock/],
    ['a monotonic clock', 'services/rater/core/rate.ts', 'const t = performance.now();', /performance/],
    ['a log line', 'services/rater/core/rate.ts', "console.log('x');", /console/],
    ['a timer', 'services/rater/core/rate.ts', 'setTimeout(run, 5);', /setTimeout/],
    ['a timer of globalThis', 'services/rater/core/rate.ts', 'globalThis.setTimeout(run, 5);', /setTimeout/],
    ['chance in a test', 'test/rater/rate.test.ts', 'const x = Math.random();', /chance in a test/],
    ['the moment in a test', 'test/rater/rate.test.ts', 'const x = new Date();', /moment in a test/],
    ['work put off', 'docs/FINANCE.md', 'TODO: say more', /put off/],
    ['work put off in a comment', 'cli/main.ts', '// FIXME later', /put off/],
    ['a path of one machine', 'README.md', 'see /home/someone/notes', /one machine/],
  ])('%s', (_, path, content, told) => {
    expect(breaches(path, content).join('\n')).toMatch(told);
  });

  test('with its line', () => {
    expect(breaches('services/rater/core/rate.ts', '\n\nconst now = Date.now();')).toEqual([
      'services/rater/core/rate.ts:3: reads the clock: time is an input',
    ]);
  });
});

describe('house: what is allowed passes', () => {
  test.each([
    ['the environment in main.ts', 'services/rater/main.ts', 'const config = read(process.env);'],
    ['the environment in cli/', 'cli/start.ts', 'const config = read(process.env);'],
    ['a clock in a shell', 'services/rater/rater.ts', 'const now = Date.now();'],
    ['the word in a comment', 'services/rater/core/rate.ts', '// never Date.now() or Math.random() here'],
    ['the word in a string', 'services/rater/core/rate.ts', "const why = 'process.env';"],
    ['a member of that name', 'services/rater/core/rate.ts', 'const all = batch.process;'],
    ['a fixed date in a test', 'test/rater/rate.test.ts', 'const at = new Date(5);'],
    ['work put off by a decision', 'docs/FINANCE.md', 'TODO(0007): say more'],
  ])('%s', (_, path, content) => {
    expect(breaches(path, content)).toEqual([]);
  });
});
