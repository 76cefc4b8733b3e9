import { expect, test } from 'vitest';
import type { Scenario } from '../scenarios/facts.ts';
import { readScenario, scenarioLines, scenarioNames } from '../scenarios/scenario-files.ts';
import { differences, type Facts } from './facts.ts';
import { runModel } from './model.ts';

function run(scenario: Scenario) {
  return runModel(scenarioLines(scenario), scenario.until);
}

test('the scenarios are here', () => {
  expect(scenarioNames().length).toBeGreaterThan(50);
});

test.each(scenarioNames())('X: the model holds the rating and credit facts of %s', (name) => {
  const scenario = readScenario(name);
  expect(differences(scenario.expect, run(scenario))).toEqual([]);
});

test('a checker counts once it has caught something: changed facts are found', () => {
  const scenario = readScenario('01-on-demand-hour.json');
  const output = run(scenario);
  const changed: Facts[] = [
    { balances: { acme: { balance: '58.120000001' } } },
    { summary: { applied: 4 } },
    { rejected: [[1, 'malformed']] },
    { rated_totals: [{ category: 'on_demand', quantity_ms: '1' }] },
    { rated_totals: [] },
    { rated_lines: [{ event: 'agent/none' }] },
    { rated_count: 3 },
    { ledger: { acme: [] } },
    { ledger_sums: { acme: { usage: '-1.000000000' } } },
    { invoices: [{ account_id: 'acme', month: '2026-05', absent: true }] },
    { invoices: [{ account_id: 'acme', month: '2026-05', lines: [] }] },
  ];
  for (const facts of changed) expect(differences(facts, output)).not.toEqual([]);
});
