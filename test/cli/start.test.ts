import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { instancePaths } from '../../cli/embedded/instance.ts';
import { startChild } from '../crash/support/child-instance.ts';
import { removeFolder, temporaryFolder } from '../e2e/support/embedded.ts';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => removeFolder(folder));

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)(
  '%s lets it finish, and leaves nothing that says it runs',
  async (signal) => {
    const { running } = instancePaths(folder);
    const child = await startChild(folder, []);
    expect(existsSync(running)).toBe(true);
    child.kill(signal);
    expect(await child.exited).toBe('exit code 0');
    expect(existsSync(running)).toBe(false);
  },
  120_000,
);

test('a crash of native code ends the process: no handler holds it in the fault', async () => {
  const child = await startChild(folder, []);
  child.kill('SIGSEGV');
  expect(await child.exited).toBe('SIGSEGV');
}, 120_000);
