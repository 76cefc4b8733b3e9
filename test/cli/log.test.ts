import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOPICS } from '../../services/shared/topics.ts';
import {
  filesOf,
  firstDifference,
  type Instance,
  removeFolder,
  startInstance,
  temporaryFolder,
} from '../e2e/support/embedded.ts';
import { mergedHistories } from '../e2e/support/histories.ts';
import { granted, opened } from './support/events.ts';
import { run } from './support/run.ts';

let folder = '';
let data: readonly string[] = [];
let instance: Instance;

beforeAll(async () => {
  folder = temporaryFolder();
  data = ['--data', join(folder, 'data')];
  instance = await startInstance(folder, 'event', Date.now);
  await instance.post(mergedHistories([11, 12, 13]), '?wait=applied');
});

afterAll(async () => {
  await instance.stop();
  removeFolder(folder);
});

describe('log dump, export and replay', () => {
  test('L10: what is exported is what a replay of the dump writes, byte for byte', async () => {
    const exported = join(folder, 'exported');
    const { code, stdout, stderr } = await run(['export', '--out', exported, ...data], { terminal: true });
    expect(code).toBe(0);
    expect(stderr).toMatch(/export \| \d+ rows/);
    const dumped = await run(['log', 'dump', '--to', stdout.trim(), ...data]);
    expect(dumped).toMatchObject({ code: 0, stderr: '' });
    const dump = join(folder, 'log.ndjson');
    writeFileSync(dump, dumped.stdout);
    const replayed = join(folder, 'replayed');
    expect(await run(['replay', dump, '--out', replayed])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(firstDifference(filesOf(exported), filesOf(replayed))).toBeUndefined();
    expect(filesOf(exported).size).toBe(7);
  });

  test('an end that the log has not reached is a bad call, and leaves no files', async () => {
    const dumped = await run(['log', 'dump', '--to', '99999', ...data]);
    expect(dumped).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/--to 99999: .* ends at \d+/) });
    const exported = await run(['export', '--out', join(folder, 'beyond'), '--to', '99999', ...data]);
    expect(exported).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/--to 99999: .* ends at \d+/),
    });
  });

  test('a replay of a file that cannot be read, or into one, is a bad call', async () => {
    const missing = await run(['replay', join(folder, 'none.ndjson'), '--out', join(folder, 'out')]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be read') });
    const into = await run(['replay', join(folder, 'log.ndjson'), '--out', join(folder, 'log.ndjson')]);
    expect(into).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be written') });
  });
});

describe('tail', () => {
  const rejected = (args: readonly string[]) => run(['tail', 'metering.rejected', '--no-follow', ...args, ...data]);

  test('begins at an offset, ends at the present end, and shows what is there line by line', async () => {
    const all = await rejected(['--from', '0']);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    const lines = all.stdout.split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(3);
    for (const text of lines) expect(JSON.parse(text)).toHaveProperty('reason');
    expect((await rejected(['--from', '2'])).stdout).toBe(`${lines.slice(2).join('\n')}\n`);
    expect(await rejected([])).toEqual({ code: 0, stdout: '', stderr: '' });
    const beyond = await rejected(['--from', `${lines.length + 1}`]);
    expect(beyond).toMatchObject({ code: 2, stderr: expect.stringContaining(`ends at ${lines.length}`) });
  });

  test('K: shows alerts and commands unless told otherwise, and events as replay reads them', async () => {
    const shown = await run(['tail', '--from', '0', '--no-follow', ...data]);
    const commands = await run(['tail', 'control', '--from', '0', '--no-follow', ...data]);
    expect(shown.stdout).toBe(commands.stdout);
    expect(shown.stdout).toContain('"command":"alert"');
    expect(shown.stdout).toContain('"command":"pause"');
    const events = await run(['tail', 'metering.events', '--from', '0', '--no-follow', ...data]);
    expect(events.stdout).toBe((await run(['log', 'dump', ...data])).stdout);
  });

  test('follows what comes until it is interrupted', async () => {
    const account = 'tailed';
    const end = await instance.embedded.stores.log.endOffset(TOPICS.updates, 0);
    const [{ code, stdout }] = await Promise.all([
      run(['tail', 'balance.updates', '--from', `${end}`, ...data], {
        onOutput: (text, interrupt) => text.includes(`"account_id":"${account}"`) && interrupt(),
      }),
      instance.post([opened(0, account), granted(0, account, 'g', '1')]),
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain(`"account_id":"${account}"`);
  });
});
