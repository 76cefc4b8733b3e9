import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';
import { generateHistory, type History, historyArbitrary } from '../histories/history.ts';
import { keptLines, keptNames } from '../histories/kept.ts';
import { firstDifference } from '../model/compare.ts';
import { runModel } from '../model/model.ts';

/** Histories to compare; a long run sets TOLLGATE_RUNS, and TOLLGATE_SEED to begin elsewhere. */
const runs = Number(process.env.TOLLGATE_RUNS ?? 5000);
const seed = Number(process.env.TOLLGATE_SEED ?? 20260504);

function disagreement({ lines, until }: History): string | undefined {
  return firstDifference(runModel(lines, until), replayLines(lines, until));
}

test(`U, E, R, C, F: replay agrees with the independent model on ${runs} histories (seed ${seed})`, () => {
  fc.assert(
    fc.property(historyArbitrary({ stepsMax: 22, corners: 0.5 }), (history) => {
      expect(disagreement(history)).toBeUndefined();
    }),
    { numRuns: runs, seed, endOnFailure: false },
  );
}, 3_600_000);

test.each(keptNames())('replay and the model agree on a history worth keeping: %s', (name) => {
  expect(disagreement({ lines: keptLines(name) })).toBeUndefined();
});

test('a comparison counts once it has caught something: every changed amount, price, level and reason is found', () => {
  let changed = 0;
  for (let history = 0; history < 20; history++) {
    const { lines, until } = generateHistory(history);
    const model = runModel(lines, until);
    const replayed = replayLines(lines, until);
    for (const file of ['rated', 'ledger', 'balances', 'rejected', 'invoices'] as const) {
      const rows: Record<string, unknown>[] = JSON.parse(JSON.stringify(replayed[file]));
      const row = rows.at(-1) ?? {};
      for (const name of Object.keys(row).filter(
        (key) => typeof row[key] === 'string' && !['entry_id', 'detail'].includes(key),
      )) {
        const spoilt = [...rows.slice(0, -1), { ...row, [name]: `${String(row[name])}1` }];
        expect(firstDifference(model, { ...replayed, [file]: spoilt }), `${file}.${name}`).toBeDefined();
        changed++;
      }
      expect(firstDifference(model, { ...replayed, [file]: [...rows, row] }), file).toBeDefined();
    }
  }
  expect(changed).toBeGreaterThan(500);
});
