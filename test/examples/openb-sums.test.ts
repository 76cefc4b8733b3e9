import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replayFile } from '../../cli/replay.ts';
import { INCLUDED_PART } from '../../examples/openb/arguments.ts';
import { convertFile } from '../../examples/openb/convert-file.ts';

/** Ten days of the trace, replayed, against SQL over the pod list (chDB, in a process of its own). */
const ROOT = join(import.meta.dirname, '..', '..');
const ON_DEMAND_ONLY = ['be-1', 'be-2', 'be-3', 'ls-5'];

interface Checked {
  readonly summary: { readonly events: number; readonly duplicates: number; readonly rejected: number };
  readonly rejected: Record<string, number>;
  readonly billed: Record<string, { readonly gpu_hours?: string; readonly amount: string }>;
  readonly compared: {
    readonly quantities: number;
    readonly costs: number;
    readonly labels: number;
    readonly costAccounts: string[];
    readonly differences: number;
  };
  readonly differences: string[];
}

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'openb-sums-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Run {
  readonly eventsPath: string;
  readonly outDir: string;
}

async function convertAndReplay(name: string, reservations: boolean): Promise<Run> {
  const eventsPath = join(dir, `${name}.ndjson`);
  const outDir = join(dir, name);
  await convertFile({ ...INCLUDED_PART, outPath: eventsPath, sampleMs: 3_600_000, reservations });
  await replayFile({ eventsPath, outDir });
  return { eventsPath, outDir };
}

async function check({ eventsPath, outDir }: Run): Promise<{ code: number; checked: Checked }> {
  const call = ['--import', 'tsx', 'examples/openb/check.ts', '--events', eventsPath, '--replayed', outDir];
  const { code, stdout } = await promisify(execFile)(process.execPath, call, { cwd: ROOT }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code, checked: JSON.parse(stdout) as Checked };
}

/** A copy of a replay in which the first rated line that holds `text` was changed, or left out. */
function tamper({ eventsPath, outDir }: Run, name: string, text: string, change: (line: string) => string): Run {
  const copy = join(dir, name);
  mkdirSync(copy);
  for (const file of ['commands.ndjson', 'rejected.ndjson', 'summary.json']) {
    copyFileSync(join(outDir, file), join(copy, file));
  }
  const lines = readFileSync(join(outDir, 'rated.ndjson'), 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes(text));
  writeFileSync(join(copy, 'rated.ndjson'), lines.with(at, change(lines[at] ?? '')).join('\n'));
  return { eventsPath, outDir: copy };
}

test('R6: on-demand, every GPU-ms and every nano is what SQL finds in the pod list', async () => {
  const replayed = await convertAndReplay('plain', false);
  const { code, checked } = await check(replayed);
  expect(checked.differences).toEqual([]);
  expect(code).toBe(0);
  expect(checked.compared.costs).toBe(250);
  expect(checked.compared.costAccounts).toHaveLength(12);
  expect(checked.rejected).toEqual({});
  expect(checked.summary.duplicates).toBeGreaterThan(100);
  expect(Object.keys(checked.billed)).toEqual(['on_demand', 'on_demand, correction', 'storage']);

  const nano = tamper(replayed, 'nano', '"be-3.G2"', (line) => line.replace(/("amount":"\d+\.\d{8})(\d)/, bump));
  expect(await check(nano)).toMatchObject({ code: 1, checked: { compared: { differences: 1 } } });
  const lost = tamper(replayed, 'lost', '"be-3.G2"', () => '');
  expect(await check(lost)).toMatchObject({ code: 1, checked: { compared: { differences: 3 } } });
}, 120_000);

test('L9: each cluster has the reserved, burst and on-demand GPU-ms that SQL finds, to the millisecond', async () => {
  const replayed = await convertAndReplay('reserved', true);
  const { code, checked } = await check(replayed);
  expect(checked.differences).toEqual([]);
  expect(code).toBe(0);
  expect(checked.compared.labels).toBeGreaterThan(150);
  expect(checked.compared.costAccounts).toEqual(expect.arrayContaining(ON_DEMAND_ONLY));
  expect(Object.keys(checked.billed)).toEqual(expect.arrayContaining(['burst', 'reserved', 'on_demand', 'storage']));

  const label = tamper(replayed, 'label', '"burst"', (line) => line.replace('"burst"', '"reserved"'));
  expect(await check(label)).toMatchObject({ code: 1, checked: { compared: { differences: 2 } } });
}, 120_000);

function bump(_: string, before: string, last: string): string {
  return `${before}${(Number(last) + 1) % 10}`;
}
