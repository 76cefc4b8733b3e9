import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { readOutput } from './read-output.ts';
import { readScenario, writeEvents } from './scenario-files.ts';

const root = join(import.meta.dirname, '..', '..');

function replay(...args: string[]) {
  // As a user types it: through npm, in the project's folder.
  return spawnSync('npm', ['run', '--silent', 'replay', '--', ...args], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
}

test('X: `npm run --silent replay` writes what the scenario expects, and nothing on stdout', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-black-box-'));
  try {
    const scenario = readScenario('51-invoice-all-sections.json');
    const [events, out] = [join(folder, 'events.ndjson'), join(folder, 'made', 'by', 'replay')];
    writeEvents(scenario, events);
    const until = scenario.until === undefined ? [] : ['--until', scenario.until];
    const run = replay(events, '--out', out, ...until);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toBe('');
    expect(evaluate(scenario.expect, readOutput(out))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('X: a bad call ends with exit code 2 and says why on stderr', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-black-box-'));
  try {
    const missing = replay(join(folder, 'no-such-file.ndjson'), '--out', join(folder, 'out'));
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('no-such-file.ndjson');
    const noOut = replay(join(folder, 'events.ndjson'));
    expect(noOut.status).toBe(2);
    expect(noOut.stderr).toContain('--out');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
