import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './repo.ts';

interface Report {
  readonly summary: { readonly totalCruised: number; readonly violations: readonly Violation[] };
}
interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** Walks the imports of a tree by the repository's own rules; gives `rule: file` for each breach. */
function cruise(folder: string): { files: number; broken: string[] } {
  const cruiser = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const args = [cruiser, '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', '.'];
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  expect(run.stdout, run.stderr).toMatch(/^\{/);
  const { summary }: Report = JSON.parse(run.stdout);
  const broken = summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
  return { files: summary.totalCruised, broken: [...new Set(broken)].toSorted() };
}

test('house: nothing in the repository crosses a wall', () => {
  const { files, broken } = cruise(ROOT);
  expect(files).toBeGreaterThan(50);
  expect(broken).toEqual([]);
});

describe('house: a planted crossing of each wall is told', () => {
  const sources: Record<string, string> = {
    'services/shared/pure.ts': 'export const pure = 1;',
    'services/shared/hash.ts': "export { createHash } from 'node:crypto';",
    'services/shared/impure.ts': "export { readFileSync } from 'node:fs';",
    'services/shared/knows-a-service.ts': "export { other } from '../other/other.ts';",
    'services/other/other.ts': 'export const other = 1;',
    'services/other/main.ts': 'export const main = 1;',
    'services/other/core/other-core.ts': 'export const otherCore = 1;',
    'services/mine/adapter.ts': "export { pino } from 'pino';\nexport { adapter } from '../../platform/adapter.ts';",
    'services/mine/core/right.ts':
      "export { pure } from '../../shared/pure.ts';\nexport { createHash } from '../../shared/hash.ts';",
    'services/mine/core/node.ts': "export { readFileSync } from 'node:fs';",
    'services/mine/core/types-only.ts': "export type { Stats } from 'node:fs';",
    'services/mine/core/package.ts': "export { pino } from 'pino';",
    'services/mine/core/shell.ts': "export { adapter } from '../adapter.ts';",
    'services/mine/core/platform.ts': "export { adapter } from '../../../platform/adapter.ts';",
    'services/mine/core/through-shared.ts': "export { readFileSync } from '../../shared/impure.ts';",
    'services/mine/core/other-core.ts': "export { otherCore } from '../../other/core/other-core.ts';",
    'services/mine/other-service.ts': "export { other } from '../other/other.ts';",
    'services/mine/composer.ts': "export { start } from '../../cli/start.ts';",
    'services/mine/dev-package.ts': "export { test } from 'vitest';",
    'services/mine/missing.ts': "export { nothing } from './not-there.ts';",
    'services/mine/circle-a.ts': "export { b } from './circle-b.ts';\nexport const a = 1;",
    'services/mine/circle-b.ts': "export { a } from './circle-a.ts';\nexport const b = 1;",
    'platform/adapter.ts': 'export const adapter = 1;',
    'platform/business.ts': "export { pure } from '../services/shared/pure.ts';",
    'cli/start.ts':
      "export { other } from '../services/other/other.ts';\nexport { adapter } from '../platform/adapter.ts';",
    'test/free.ts': "export { otherCore } from '../services/other/core/other-core.ts';\nexport { test } from 'vitest';",
  };
  let folder = '';
  let broken: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-walls-'));
    for (const [path, source] of Object.entries(sources)) write(path, `${source}\n`);
    for (const name of ['pino', 'vitest']) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      write(`node_modules/${name}/index.js`, 'module.exports = {};\n');
    }
    write('package.json', JSON.stringify({ dependencies: { pino: '1.0.0' }, devDependencies: { vitest: '1.0.0' } }));
    copyFileSync(join(ROOT, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    broken = cruise(folder).broken;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }

  test.each([
    ['core-imports-core-only', 'services/mine/core/node.ts'],
    ['core-imports-core-only', 'services/mine/core/types-only.ts'],
    ['core-imports-core-only', 'services/mine/core/package.ts'],
    ['core-imports-core-only', 'services/mine/core/shell.ts'],
    ['core-imports-core-only', 'services/mine/core/platform.ts'],
    ['core-imports-core-only', 'services/mine/core/other-core.ts'],
    ['core-reaches-pure-files-only', 'services/mine/core/through-shared.ts'],
    ['services-do-not-import-each-other', 'services/mine/other-service.ts'],
    ['services-do-not-import-each-other', 'services/mine/core/other-core.ts'],
    ['services-do-not-import-each-other', 'services/shared/knows-a-service.ts'],
    ['platform-knows-no-business', 'platform/business.ts'],
    ['nobody-imports-the-composers', 'services/mine/composer.ts'],
    ['production-imports-production', 'services/mine/dev-package.ts'],
    ['resolvable', 'services/mine/missing.ts'],
    ['no-circle', 'services/mine/circle-a.ts'],
  ])('%s: %s', (rule, file) => {
    expect(broken, broken.join('\n')).toContain(`${rule}: ${file}`);
  });

  test.each([
    'services/mine/core/right.ts',
    'services/mine/adapter.ts',
    'services/other/other.ts',
    'platform/adapter.ts',
    'cli/start.ts',
    'test/free.ts',
  ])('and what is allowed passes: %s', (file) => {
    expect(broken.filter((breach) => breach.endsWith(`: ${file}`))).toEqual([]);
  });
});
