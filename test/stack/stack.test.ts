import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { identify } from '../../cli/stack/process-identity.ts';
import { stackStatus } from '../../cli/stack/stack.ts';
import { runTollgate } from '../crash/support/child-instance.ts';
import { describeOnStack } from '../integration/support/components.ts';
import { ownFolder, until } from './support/fake-servers.ts';

const LONG_MS = 600_000;

const servers = z.array(
  z.object({
    ...{ name: z.string(), pid: z.int().nullable(), url: z.string(), running: z.boolean() },
    ...{ state: z.string(), restarts: z.int(), log: z.string() },
  }),
);

const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await runTollgate(['stack', 'down', '--data', dir]);
}, LONG_MS);

describeOnStack('the stack by its command', () => {
  test(
    'up, up again, a server killed, down, and up at the same addresses',
    async () => {
      const dir = ownFolder();
      dirs.push(dir);
      const up = await runTollgate(['stack', 'up', '--data', dir]);
      expect(up).toMatchObject({ code: 0 });
      const first = await status(dir);
      expect(first.map(({ name }) => name)).toEqual(['kafka', 'registry', 'redis', 'clickhouse']);
      expect(first.every(({ pid, running }) => running && identify(pid ?? 0) !== undefined)).toBe(true);
      expect(up.stdout.split('\n').filter((line) => line !== '')).toEqual(
        first.map(({ name, url }) => `${name.padEnd('clickhouse'.length)}  ${url}`),
      );
      expect(up.stderr).toContain('kafka: ready');

      expect(await runTollgate(['stack', 'up', '--data', dir])).toMatchObject({ code: 0, stdout: up.stdout });
      expect(await status(dir)).toEqual(first);
      const otherwise = await runTollgate(['stack', 'up', '--data', dir, '--redis-port', '9']);
      expect(otherwise).toMatchObject({ code: 1, stdout: '' });
      expect(otherwise.stderr).toContain('stack_running_otherwise');

      for (const { pid } of first) process.kill(pid ?? 0, 'SIGKILL');
      const last = await until('all are back', () => {
        const now = stackStatus(dir);
        return now.every(({ state, restarts }) => state === 'ready' && restarts > 0) ? now : undefined;
      });
      expect(last.map(({ url }) => url)).toEqual(first.map(({ url }) => url));
      expect(last.filter(({ pid }, index) => pid === first[index]?.pid)).toEqual([]);

      expect(await runTollgate(['stack', 'down', '--data', dir])).toMatchObject({ code: 0 });
      expect(last.every(({ pid }) => identify(pid ?? 0) === undefined)).toBe(true);
      expect(stackStatus(dir).map(({ pid, running, state }) => ({ pid, running, state }))).toEqual(
        first.map(() => ({ pid: null, running: false, state: 'stopped' })),
      );

      expect(await runTollgate(['stack', 'up', '--data', dir])).toMatchObject({ code: 0, stdout: up.stdout });
    },
    LONG_MS,
  );
});

test('status where nothing ever ran is an empty array', async () => {
  expect(await status(ownFolder())).toEqual([]);
});

test('a port for two servers is refused, by its name', async () => {
  const ports = ['--redis-port', '18099', '--clickhouse-port', '18099'];
  const up = await runTollgate(['stack', 'up', '--data', ownFolder(), ...ports]);
  expect(up.code).toBe(1);
  expect(up.stderr).toMatch(/stack_(port_in_use|requirement_missing)/);
});

test(
  'what is missing on a machine is told by name, with how to install it',
  async () => {
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
    const args = ['--import', 'tsx', main, 'stack', 'up', '--data', ownFolder()];
    const bare = spawnSync(process.execPath, args, { env: { PATH: ownFolder() }, encoding: 'utf8' });
    expect(bare).toMatchObject({ status: 1, stdout: '' });
    expect(bare.stderr).toMatch(
      /stack_requirement_missing.*Java 17 or later.*redis-server.*apt-get install openjdk-17/,
    );
  },
  LONG_MS,
);

async function status(dir: string) {
  const { code, stdout } = await runTollgate(['stack', 'status', '--data', dir]);
  expect(code).toBe(0);
  return servers.parse(JSON.parse(stdout));
}
