import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from './facts.ts';

/** The names of the scenario files of this folder, in the order of their numbers. */
export function scenarioNames(): string[] {
  const names = readdirSync(import.meta.dirname).filter((name) => /^\d+-.*\.json$/.test(name));
  return names.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

export function readScenario(name: string): Scenario {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Scenario;
}

/** Writes a scenario's events as the file that replay reads; a string stands for a line that is not JSON. */
export function writeEvents(scenario: Scenario, path: string): void {
  const lines = scenario.events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
}
