import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Fault, planted, replayWith } from './bundle.ts';
import { ENFORCER_FAULTS, RATER_FAULTS } from './faults.ts';
import { type Finding, find, findInHistories, HISTORIES_MAX } from './find.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-faults-'));
const found = new Map<Fault, Finding>();

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const rows = [...found].map(([fault, { at }]) => [fault.rule, fault.by, shown(at), fault.name]);
  const lines = [['rule', 'by', 'found at', 'fault'], ...rows].map(
    ([rule = '', by = '', at = '', name = '']) => `${rule.padEnd(5)}${by.padEnd(11)}${at.padEnd(43)}${name}\n`,
  );
  process.stdout.write(lines.join(''));
});

describe.each([
  ['rating and credits', RATER_FAULTS],
  ['enforcement', ENFORCER_FAULTS],
])('a fault planted in %s', (_, faults) => {
  test('is one of many, each with a name of its own', () => {
    expect(faults.length).toBeGreaterThanOrEqual(24);
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
  });

  for (const [index, fault] of faults.entries()) {
    test(`${fault.rule}: is found by the ${fault.by}: ${fault.name}`, async () => {
      const replay = await replayWith(fault, `${fault.file.split('/')[1]}-${index}`, folder);
      const finding = find(replay, fault.by, fault.seed);
      if (finding === undefined) throw new Error(`found by no scenario, or in none of ${HISTORIES_MAX} histories`);
      found.set(fault, finding);
    }, 120_000);
  }
});

test('a replay without a fault is found by none of the checkers, where the faults were', async () => {
  const replay = await replayWith(undefined, 'clean', folder);
  const histories = [...found].flatMap(([{ by }, { at }]) => (by === 'scenarios' ? [] : [at]));
  expect(findInHistories(replay, 'laws', new Set(histories))).toBeUndefined();
  expect(findInHistories(replay, 'model', new Set(histories))).toBeUndefined();
  expect(find(replay, 'scenarios')).toBeUndefined();
}, 120_000);

test('a fault whose text was rewritten says so', () => {
  const [fault] = RATER_FAULTS;
  if (fault === undefined) throw new Error('there is no fault');
  expect(() => planted({ ...fault, find: 'there is no such text' })).toThrow(
    `fault "${fault.name}": its text occurs 0 times in ${fault.file}; write the patch anew`,
  );
  expect(() => planted({ ...fault, find: 'return' })).toThrow('write the patch anew');
});

function shown(at: Finding['at']): string {
  return typeof at === 'number' ? `history ${at}` : at.replace(/\.(nd)?json$/, '');
}
