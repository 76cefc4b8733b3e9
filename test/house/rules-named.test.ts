import { expect, test } from 'vitest';
import { readScenario, scenarioNames } from '../scenarios/scenario-files.ts';
import { readRepoFile, repoFiles } from './repo.ts';
import { namedRules, ruleIds } from './rules-named.ts';

const spec = readRepoFile('docs/SPEC.md');
const testFiles = repoFiles().filter((path) => /^test\/.*\.test\.ts$/.test(path));

test('house: every rule of the SPEC is named by a test', () => {
  const named = new Set(scenarioNames().flatMap((name) => readScenario(name).rule));
  for (const path of testFiles) for (const id of namedRules(path, readRepoFile(path))) named.add(id);
  expect(ruleIds(spec).filter((id) => !named.has(id))).toEqual([]);
});

test('house: no test names a rule that the SPEC does not have', () => {
  const known = new Set(ruleIds(spec));
  const unknown = testFiles.flatMap((path) =>
    [...namedRules(path, readRepoFile(path))].filter((id) => !known.has(id)).map((id) => `${path}: ${id}`),
  );
  expect(unknown).toEqual([]);
});

test('house: the rules are those that were counted', () => {
  const counts = new Map<string, number>();
  for (const id of ruleIds(spec)) counts.set(id.slice(0, 1), (counts.get(id.slice(0, 1)) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({ B: 3, C: 6, E: 6, F: 4, K: 1, L: 10, N: 11, R: 8, U: 4, X: 1 });
});

test('house: every reason of E4 stands in the SPEC and in a test', () => {
  const between = /with the first of these reasons that holds[\s\S]*?One command/.exec(spec)?.[0] ?? '';
  const reasons = [...between.matchAll(/`([a-z_]+)`/g)].map((found) => found[1] ?? '');
  const kept = reasons.filter((reason) => !reason.includes('.') && reason !== 'clock');
  expect(kept.length).toBeGreaterThanOrEqual(13);
  const tests = testFiles.filter((path) => !path.startsWith('test/house/')).map(readRepoFile);
  const scenarios = scenarioNames().map((name) => JSON.stringify(readScenario(name).expect));
  const all = [...tests, ...scenarios].join('\n');
  expect(kept.filter((reason) => !all.includes(reason))).toEqual([]);
});

test.each([
  ["test('R2: once', () => {});", ['R2']],
  ["describe('L1 L5: notices', () => {});", ['L1', 'L5']],
  ["test.each([['N8: ids', 1]])('%s', () => {});", ['N8']],
  ['test(`R6: ' + '$' + '{n} lines`, () => {});', ['R6']],
  ["test('X: replay', () => {});", ['X']],
  ["const note = 'R2: not a title';", []],
  ["test('H100: no rule', () => {});", []],
])('house: %s names %j', (source, ids) => {
  expect([...namedRules('a.test.ts', source)]).toEqual(ids);
});

test('house: a rule that no test names is told', () => {
  expect(ruleIds('- R1 a\n- R3 b, as N2\n\n## X. Replay\n')).toEqual(['N1', 'N2', 'R1', 'R2', 'R3', 'X']);
});
