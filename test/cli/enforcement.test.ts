import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Instance, removeFolder, startInstance, temporaryFolder } from '../e2e/support/embedded.ts';
import { opened } from './support/events.ts';
import { run } from './support/run.ts';

let folder = '';
let instance: Instance;
let data: readonly string[] = [];

beforeAll(async () => {
  folder = temporaryFolder();
  instance = await startInstance(folder, 'event', Date.now);
  data = ['--data', join(folder, 'data')];
  await instance.post([opened(0, 'acme'), opened(0, '__proto__')]);
  await instance.embedded.pipeline.drained();
});

afterAll(async () => {
  await instance.stop();
  removeFolder(folder);
});

const AS_OF = '2026-05-04T10:00:00.000Z';

/** Runs a command on the instance; times of the wall clock are NOW. */
async function call(...args: readonly string[]) {
  const { code, stdout, stderr } = await run([...args, ...data]);
  return { code, stdout: stdout.replace(/\d{4}(-\d\d){2}T[\d:.]+Z/g, (at) => (at === AS_OF ? at : 'NOW')), stderr };
}

test('N11: an operator holds an account, sees who holds what and why, and releases it', async () => {
  expect(await call('enforcement')).toEqual({
    code: 0,
    stdout: `partition 0  goes on    ${AS_OF}\n`,
    stderr: '',
  });
  expect(await call('hold', '--account', '__proto__', '--reason', 'a dispute')).toEqual({
    code: 0,
    stdout: `held account __proto__ at NOW, as operator\n`,
    stderr: '',
  });
  expect((await call('enforcement')).stdout).toBe(
    `partition 0        goes on            ${AS_OF}\naccount __proto__  held     operator  NOW  a dispute\n`,
  );
  const released = await call('release', '--account', '__proto__', '--reason', 'settled', '--json');
  expect(JSON.parse(released.stdout)).toMatchObject({ account_id: '__proto__', by: 'operator', at: 'NOW' });
  expect((await call('enforcement')).stdout).not.toContain('__proto__');
});

test('N11: all are held and released together; a reason cannot write over the terminal', async () => {
  expect((await call('hold', '--all', '--reason', 'a \u001b[2J migration')).stdout).toBe(
    `held all accounts at NOW, as operator\n`,
  );
  expect((await call('enforcement')).stdout).toBe(`partition 0  held  operator  NOW  a  [2J migration\n`);
  expect((await call('release', '--all', '--reason', 'over')).stdout).toBe(
    `released all accounts at NOW, as operator\npartition 0  goes on    ${AS_OF}\n`,
  );
});

test('N11: an account that is not known, and a key that may not, are told so', async () => {
  const unknown = await call('hold', '--account', 'nobody', '--reason', 'x');
  expect(unknown).toMatchObject({ code: 1, stdout: '' });
  expect(unknown.stderr).toContain('the enforcer knows no account nobody');
  const refused = await call('hold', '--all', '--reason', 'x', '--key', 'tg_x_secretsecretsecret');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('401');
  expect(refused.stderr).not.toContain('secretsecret');
});
