import { isDeepStrictEqual } from 'node:util';
import { generateHistory, type History } from '../histories/history.ts';
import { keptLines, keptNames } from '../histories/kept.ts';
import { checkLaws } from '../laws/check-laws.ts';
import { firstDifference } from '../model/compare.ts';
import { runModel } from '../model/model.ts';
import { evaluate } from '../scenarios/evaluate.ts';
import type { Output } from '../scenarios/facts.ts';
import { readScenario, scenarioLines, scenarioNames } from '../scenarios/scenario-files.ts';
import type { Checker } from './bundle.ts';
import type * as Entry from './entry.ts';

/** Within so many histories a fault has to be found; most take fewer than ten. */
export const HISTORIES_MAX = 400;
const LINES_A_PIECE = 5;

/** What gave a replay away, and where: the seed of a history, or the name of one that is kept, or of a scenario. */
export interface Finding {
  readonly at: number | string;
  readonly what: string;
}

/**
 * Has a checker look for a fault in a replay: in a history that is said to show it, in those that are kept, in the others.
 * @param first seed of the history to begin with
 */
export function find(replay: typeof Entry, by: Checker, first?: number): Finding | undefined {
  if (by === 'scenarios') return findInScenarios(replay);
  const all = Array.from({ length: HISTORIES_MAX }, (_, index) => index + 1);
  return findInHistories(replay, by, [...(first === undefined ? [] : [first]), ...keptNames(), ...all]);
}

/** Has the laws or the model look at the histories of these seeds and names. */
export function findInHistories(
  replay: typeof Entry,
  by: Exclude<Checker, 'scenarios'>,
  histories: Iterable<Finding['at']>,
): Finding | undefined {
  const look = by === 'laws' ? brokenLaw : differenceFromModel;
  for (const at of histories) {
    const what = look(replay, historyAt(at));
    if (what !== undefined) return { at, what };
  }
  return undefined;
}

function historyAt(at: Finding['at']): History {
  if (typeof at === 'number') return generateHistory(at);
  return { lines: keptLines(at) };
}

/** L1-L10, of a history as a whole and in pieces. */
function brokenLaw({ replayLines, replayInPieces }: typeof Entry, { lines, until }: History): string | undefined {
  const output = orNothing(() => replayLines(lines, until));
  if (output === undefined) return undefined;
  const [broken] = orSaid(() => checkLaws(lines, output, until));
  if (broken !== undefined) return broken;
  const pieces = orNothing(() => replayInPieces(lines, until, LINES_A_PIECE));
  if (pieces === undefined) return undefined;
  for (const file of ['rated', 'ledger', 'balances', 'commands', 'invoices'] as const) {
    const again = pieces[file].map((row): unknown => JSON.parse(row));
    if (!isDeepStrictEqual(again, output[file])) return `L10: in pieces another ${file}`;
  }
  return undefined;
}

/** The independent model of rating and credits. */
function differenceFromModel({ replayLines }: typeof Entry, { lines, until }: History): string | undefined {
  const output = orNothing(() => replayLines(lines, until));
  return output === undefined ? undefined : firstDifference(runModel(lines, until), output);
}

/** The facts that the scenarios state. */
function findInScenarios({ replayLines }: typeof Entry): Finding | undefined {
  for (const name of scenarioNames()) {
    const scenario = readScenario(name);
    const output = orNothing(() => replayLines(scenarioLines(scenario), scenario.until));
    if (output === undefined) continue;
    const [what] = orSaid(() => evaluate(scenario.expect, output as unknown as Output));
    if (what !== undefined) return { at: name, what };
  }
  return undefined;
}

/** A fold that throws is not found by that: what counts is that a wrong output is. */
function orNothing<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** A checker that cannot read an output has found it. */
function orSaid(run: () => readonly string[]): readonly string[] {
  try {
    return run();
  } catch (fault) {
    return [String(fault)];
  }
}
