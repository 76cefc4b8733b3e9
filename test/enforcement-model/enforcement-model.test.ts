import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';
import { generateHistory, type History, historyArbitrary } from '../histories/history.ts';
import { keptLines, keptNames } from '../histories/kept.ts';
import { readScenario, scenarioLines, scenarioNames } from '../scenarios/scenario-files.ts';
import { firstDifference } from './compare.ts';
import { denseLog } from './dense.ts';
import { ends } from './directed-ends.ts';
import { ladder } from './directed-ladder.ts';
import { orders } from './directed-orders.ts';
import { reserved } from './directed-reserved.ts';
import { commandsOf } from './model.ts';

/** Histories to compare; a long run sets TOLLGATE_RUNS, and TOLLGATE_SEED to begin elsewhere. */
const runs = Number(process.env.TOLLGATE_RUNS ?? 300);
const seed = Number(process.env.TOLLGATE_SEED ?? 20260504);

function disagreement({ lines, until }: History): string | undefined {
  return firstDifference(commandsOf(lines, until), replayLines(lines, until).commands);
}

test.each(scenarioNames())('N1-N8, N10, K: the model gives the commands of %s', (name) => {
  const scenario = readScenario(name);
  expect(disagreement({ ...scenario, lines: scenarioLines(scenario) })).toBeUndefined();
});

test(`N1-N8, N10, K: replay agrees with the independent model on ${runs} histories (seed ${seed})`, () => {
  fc.assert(
    fc.property(historyArbitrary({ stepsMax: 22, corners: 0.5 }), (history) => {
      expect(disagreement(history)).toBeUndefined();
    }),
    { numRuns: runs, seed, endOnFailure: false },
  );
}, 3_600_000);

test(`N1-N8, N10, K: they agree on ${runs} logs on which much happens at one instant (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.noShrink(fc.nat(2 ** 31 - 1)), (dense) => {
      expect(disagreement({ lines: denseLog(dense) })).toBeUndefined();
    }),
    { numRuns: runs, seed },
  );
}, 3_600_000);

test.each(keptNames())('N1-N8, N10, K: the model gives the commands of a history worth keeping: %s', (name) => {
  expect(disagreement({ lines: keptLines(name) })).toBeUndefined();
});

test.each([...ladder, ...orders, ...ends, ...reserved])(
  'N1-N8, N10, K: the model gives the commands where few histories go: $title',
  ({ lines, sees }) => {
    expect(disagreement({ lines })).toBeUndefined();
    const told = commandsOf(lines).map(({ command, alert, scope, attempt }) => [command, alert, scope, attempt]);
    const seen = told.map((parts) => parts.filter((part) => part !== undefined && part !== 1).join(' '));
    expect(seen).toContain(sees);
  },
);

test('K: a comparison counts once it has caught something: every changed, left out and doubled command is found', () => {
  const changed = new Set<string>();
  for (let history = 0; history < 12; history++) {
    const { lines, until } = generateHistory(history);
    const model = commandsOf(lines, until);
    const rows = replayLines(lines, until).commands.map((row) => JSON.parse(JSON.stringify(row)) as object);
    const found = (spoilt: object[]): boolean => firstDifference(model, spoilt) !== undefined;
    expect(found(rows)).toBe(false);
    for (const [index, row] of rows.entries()) {
      if (rows.slice(0, index).some((earlier) => kindOf(earlier) === kindOf(row))) continue;
      expect(found(rows.toSpliced(index, 1))).toBe(true);
      expect(found(rows.toSpliced(index, 0, row))).toBe(true);
      for (const [name, spoilt] of spoiltRows(row)) {
        expect(found(rows.toSpliced(index, 1, spoilt)), `${name} of ${JSON.stringify(row)}`).toBe(true);
        changed.add(`${kindOf(row)} ${name}`);
      }
    }
  }
  expect(changed.size).toBeGreaterThan(100);
});

function kindOf(row: object): string {
  const { command, alert, scope } = row as Record<string, unknown>;
  return [command, alert, scope].filter((part) => typeof part === 'string').join(' ');
}

/** The row with one member changed or left out, for each member that the model holds. */
function spoiltRows(row: object): [string, object][] {
  const held = Object.entries(row).filter(([name]) => !['command_id', 'sequence'].includes(name));
  return held.flatMap(([name, value]) => [
    [name, { ...row, [name]: typeof value === 'string' ? `${value}1` : [value] }],
    [name, { ...row, [name]: undefined }],
  ]);
}
