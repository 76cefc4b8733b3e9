import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Instance, removeFolder, startInstance, temporaryFolder } from '../e2e/support/embedded.ts';
import { mergedHistories } from '../e2e/support/histories.ts';
import { run } from './support/run.ts';

let folder = '';
let data: readonly string[] = [];
let instance: Instance | undefined;

async function sql(query: string): Promise<void> {
  const settings = { mutations_sync: '1', lightweight_deletes_sync: '1' } as const;
  await instance?.embedded.stores.warehouse.command({ query, clickhouse_settings: settings });
}

beforeAll(async () => {
  folder = temporaryFolder();
  data = ['--data', join(folder, 'data')];
  instance = await startInstance(folder, 'event', Date.now);
  await instance.post(mergedHistories([21, 22]), '?wait=applied');
});

afterAll(async () => {
  await instance?.stop();
  removeFolder(folder);
});

test('L10: verify proves the bill of a running instance, and says how far it is on a terminal', async () => {
  const ran = await run(['verify', ...data], { terminal: true });
  expect(ran).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^verified: rating all \d+ events of the log anew/),
  });
  expect(ran.stderr).toMatch(/rate anew .* events/);
  const json = await run(['verify', '--json', ...data]);
  expect(json.stderr).toBe('');
  expect(JSON.parse(json.stdout)).toEqual({ end: expect.any(Number), verified: true, differences: {} });
});

test.each([
  [
    'rated.ndjson',
    'ALTER TABLE rated_lines UPDATE amount = amount + 0.000000001 WHERE line_id = (SELECT max(line_id) FROM rated_lines)',
  ],
  ['ledger.ndjson', 'ALTER TABLE ledger_entries DELETE WHERE entry_id = (SELECT max(entry_id) FROM ledger_entries)'],
  ['rejected.ndjson', 'ALTER TABLE rejections DELETE WHERE offset = (SELECT max(offset) FROM rejections)'],
])('L10: verify names the first line in which %s is not what the log says', async (file, change) => {
  const table = /TABLE (\w+)/.exec(change)?.[1] ?? '';
  await sql(`CREATE TABLE kept AS ${table}`);
  await sql(`INSERT INTO kept SELECT * FROM ${table} FINAL`);
  await sql(change);
  const ran = await run(['verify', ...data]);
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toMatch(new RegExp(`^tollgate: ${file} is not what the log says, from line \\d+ on:\n`));
  expect(ran.stderr).toMatch(/as stored: .*\n.*as rated anew: +\{/);
  const json = await run(['verify', '--json', ...data]);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    verified: false,
    differences: { [file]: { line: expect.any(Number) } },
  });
  await sql(`TRUNCATE TABLE ${table}`);
  await sql(`INSERT INTO ${table} SELECT * FROM kept`);
  await sql('DROP TABLE kept');
});

test('N9: a command that is missing is told, and does not speak against the bill', async () => {
  await sql('ALTER TABLE commands DELETE WHERE command_id = (SELECT max(command_id) FROM commands)');
  const ran = await run(['verify', ...data]);
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('verified') });
  expect(ran.stderr).toContain('commands.ndjson differs, as it may');
});

test('L10: verify holds a stopped instance, too', async () => {
  await instance?.stop();
  instance = undefined;
  expect(await run(['verify', ...data])).toMatchObject({ code: 0, stdout: expect.stringContaining('verified') });
});
