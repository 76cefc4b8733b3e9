import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { readOutput } from './read-output.ts';
import { readScenario, scenarioNames, writeEvents } from './scenario-files.ts';

const scenarios = scenarioNames().map((name) => ({ name, scenario: readScenario(name) }));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-scenarios-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('every scenario is here and says which rule it holds', () => {
  expect(scenarios.length).toBe(64);
  for (const { scenario } of scenarios) expect(scenario.rule.length).toBeGreaterThan(0);
});

describe('acceptance scenarios, through replay in this process', () => {
  for (const { name, scenario } of scenarios) {
    test(`${scenario.rule.join(' ')}: ${scenario.title} (${name})`, async () => {
      const { replayFile } = await import('../../cli/replay.ts');
      const eventsPath = join(folder, `${name}.ndjson`);
      const outDir = join(folder, name.replace('.json', ''));
      writeEvents(scenario, eventsPath);
      await replayFile({ eventsPath, outDir, ...(scenario.until === undefined ? {} : { until: scenario.until }) });
      expect(evaluate(scenario.expect, readOutput(outDir)), workingOf(scenario)).toEqual([]);
    });
  }
});

function workingOf(scenario: object): string {
  return 'working' in scenario ? JSON.stringify(scenario.working, null, 1) : '';
}
