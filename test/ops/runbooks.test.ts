import { expect, test } from 'vitest';
import { commands } from '../../cli/commands/tollgate.ts';
import { LOG_ERRORS } from '../../platform/log/port.ts';
import { STATE_ERRORS } from '../../platform/state/port.ts';
import { WAREHOUSE_ERRORS } from '../../platform/warehouse/errors.ts';
import { PROBLEMS } from '../../services/ingest/problems.ts';
import { CLUSTER_VARIABLES, SERVICE_VARIABLES } from '../../services/shared/runtime/variables.ts';
import { readRepoFile, repoFiles } from '../house/repo.ts';
import { readAlerts } from './support/alerts.ts';

const FOLDER = 'docs/runbooks/';
const alerts = readAlerts();
const pages = repoFiles().filter((path) => path.startsWith(FOLDER) && !path.endsWith('README.md'));
const SECTIONS = ['What it means', 'What customers notice', 'Look first', 'Do', 'Never'];

test('ops: every alert has a severity, a summary and a runbook, and every runbook an alert', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect(['critical', 'warning'], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(20);
    const page = readRepoFile(annotations.runbook_url);
    expect(page.split('\n')[0]).toBe(`# ${alert}`);
    expect(page).toContain(`Severity: ${labels.severity}.`);
  }
  const linked = alerts.map(({ annotations }) => annotations.runbook_url);
  expect([...pages].sort()).toEqual([...linked].sort());
});

test('ops: a runbook says what it means, who notices, what to look at, what to do, and what never', () => {
  for (const page of pages) {
    const text = readRepoFile(page);
    const sections = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(sections, page).toEqual(SECTIONS);
    const look = text.split('## Look first\n')[1]?.split('\n## ')[0] ?? '';
    expect(look, page).toContain('```sh');
  }
});

test('ops: the list of runbooks has them all', () => {
  const list = readRepoFile(`${FOLDER}README.md`);
  for (const { alert, labels, annotations } of alerts) {
    expect(list).toContain(`| [${alert}](${annotations.runbook_url.replace(FOLDER, '')}) | ${labels.severity} |`);
  }
});

test('ops: runbooks use commands, options, variables and codes that there are', () => {
  const world = {
    ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, now: () => 0, environment: {} },
    settings: { key: undefined, logLevel: 'silent' as const },
    interruption: () => new AbortController().signal,
  };
  const program = commands(world);
  const variables = new Set(
    [CLUSTER_VARIABLES, ...Object.values(SERVICE_VARIABLES)].flatMap(({ shape }) => Object.keys(shape)),
  ).add('TOLLGATE_KEY');
  const codes = new Set<string>([...Object.keys({ ...LOG_ERRORS, ...STATE_ERRORS, ...WAREHOUSE_ERRORS, ...PROBLEMS })]);
  for (const page of [...pages, `${FOLDER}README.md`]) {
    const text = readRepoFile(page).replaceAll('\n   ', ' ');
    for (const [, words = ''] of text.matchAll(/npm run tollgate -- ([^`|#\n]*)/g)) {
      const [name = '', second = ''] = words.trim().split(/\s+/);
      const outer = program.commands.find((command) => command.name() === name);
      const inner = outer?.commands.find((command) => command.name() === second) ?? outer;
      expect(inner, `${page}: ${words}`).toBeDefined();
      const known = inner?.options.map(({ long }) => long) ?? [];
      for (const [option] of words.matchAll(/--[a-z-]+/g)) expect(known, `${page}: ${words}`).toContain(option);
    }
    for (const [variable] of text.matchAll(/\bTOLLGATE_[A-Z_]+/g)) expect(variables, page).toContain(variable);
    for (const [code] of text.matchAll(
      /\b(Log|State)[A-Z][A-Za-z]+\b|\bwarehouse_[a-z_]+[a-z]\b|\b(log|door)_[a-z]+\b/g,
    ))
      expect(codes, page).toContain(code);
  }
});
