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

/** A scenario's events as the lines of a file of events; a string stands for a line that is not JSON. */
export function scenarioLines({ events }: Scenario): string[] {
  return events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
}

/** Writes a scenario's events as the file that replay reads. */
export function writeEvents(scenario: Scenario, path: string): void {
  const lines = scenarioLines(scenario).map((line) => `${line}\n`);
  writeFileSync(path, lines.join(''));
}
