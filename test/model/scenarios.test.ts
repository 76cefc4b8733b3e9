import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differences, type Facts } from './facts.ts';
import { runModel } from './model.ts';

interface Scenario {
  title: string;
  rule: string[];
  events: unknown[];
  until?: string;
  expect: Facts;
}

const folder = join(import.meta.dirname, '..', 'scenarios');
const files = readdirSync(folder).filter((name) => /^\d.*\.json$/.test(name));

function load(name: string): Scenario {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

function run({ events, until }: Scenario) {
  return runModel(
    events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))),
    until,
  );
}

test('the scenarios are here', () => {
  expect(files.length).toBeGreaterThan(50);
});

test.each(files)('X: the model holds the rating and credit facts of %s', (name) => {
  const scenario = load(name);
  expect(differences(scenario.expect, run(scenario))).toEqual([]);
});

test('a checker counts once it has caught something: changed facts are found', () => {
  const scenario = load('01-on-demand-hour.json');
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
