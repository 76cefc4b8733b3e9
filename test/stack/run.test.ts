import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { runFolder } from '../../cli/stack/folder.ts';
import type { Plan } from '../../cli/stack/plan.ts';
import { identify, type ProcessIdentity, runs } from '../../cli/stack/process-identity.ts';
import { bringDown, bringUp, statusOf } from '../../cli/stack/run.ts';
import { type PlanStatus, writeJsonFile } from '../../cli/stack/status.ts';
import { fakeProcess, fakeServer, ownFolder, until } from './support/fake-servers.ts';

const LONG_MS = 120_000;

test(
  'up twice is one run, and so are two ups at once',
  async () => {
    const dir = ownFolder();
    const plan = await planOf('left', 'right');
    const [one, other] = await Promise.all([up(dir, plan), up(dir, plan)]);
    const third = await up(dir, plan);
    expect(other.processes).toEqual(one.processes);
    expect(third).toEqual(one);
    await down(dir);
  },
  LONG_MS,
);

test(
  'down ends its own processes and keeps what it knew of them; a second down does nothing',
  async () => {
    const dir = ownFolder();
    const { processes, supervisor } = await up(dir, await planOf('left', 'right'));
    const own = [...processes.map(({ process }) => process), supervisor];
    expect(own.map((identity) => identity !== null && runs(identity))).toEqual([true, true, true]);
    await down(dir);
    expect(own.map((identity) => identity !== null && runs(identity))).toEqual([false, false, false]);
    const stopped = statusOf(dir);
    expect(stopped?.processes.map(({ url }) => url)).toEqual(processes.map(({ url }) => url));
    await down(dir);
    expect(statusOf(dir)).toEqual(stopped);
  },
  LONG_MS,
);

test(
  'a foreign process that has the pid of one of ours by now is left alone',
  async () => {
    const dir = ownFolder();
    const foreign = await foreignProcess();
    const { processes } = await up(dir, await planOf('left'));
    await down(dir);
    const earlier: ProcessIdentity = { ...foreign, startedAtTicks: foreign.startedAtTicks - 1 };
    const stale: PlanStatus = {
      ...{ state: 'ready', failure: null, supervisor: earlier },
      processes: processes.map((was) => ({ ...was, process: earlier })),
    };
    writeJsonFile(runFolder(dir).status, stale);
    await down(dir);
    expect(runs(foreign)).toBe(true);
    writeJsonFile(runFolder(dir).status, stale);
    await up(dir, await planOf('left'));
    expect(runs(foreign)).toBe(true);
    await down(dir);
  },
  LONG_MS,
);

test(
  'what a killed supervisor left behind is ended by the next up, which starts anew',
  async () => {
    const dir = ownFolder();
    const plan = await planOf('left', 'right');
    const first = await up(dir, plan);
    process.kill(first.supervisor.pid, 'SIGKILL');
    await until('the supervisor is gone', () => (runs(first.supervisor) ? undefined : true));
    expect(first.processes.map(({ process }) => process !== null && runs(process))).toEqual([true, true]);
    const told: string[] = [];
    const second = await up(dir, plan, told);
    expect(first.processes.map(({ process }) => process !== null && runs(process))).toEqual([false, false]);
    expect(told.join('\n')).toContain('ending right');
    process.kill(second.supervisor.pid, 'SIGKILL');
    await down(dir);
    expect(second.processes.map(({ process }) => process !== null && runs(process))).toEqual([false, false]);
  },
  LONG_MS,
);

test(
  'what does not come up is told with its reason, leaves nothing running, and can be tried again',
  async () => {
    const dir = ownFolder();
    const bad = await fakeProcess('bad', "process.stderr.write('no such thing\\n'); process.exit(4)");
    await expect(up(dir, [[await fakeServer('good'), bad]])).rejects.toThrow(/^stack_start_failed: .*no such thing/s);
    expect(statusOf(dir)?.processes.map(({ process }) => process)).toEqual([null, null]);
    expect((await up(dir, await planOf('good'))).state).toBe('ready');
    await down(dir);
  },
  LONG_MS,
);

test(
  'a plan may hold secrets: only its owner can read it',
  async () => {
    const dir = ownFolder();
    await up(dir, await planOf('left'));
    const { plan, status } = runFolder(dir);
    expect([plan, status].map((file) => statSync(file).mode & 0o077)).toEqual([0, 0]);
    await down(dir);
  },
  LONG_MS,
);

test('a folder where nothing ever ran has no status, and down leaves it alone', async () => {
  const dir = ownFolder();
  expect(statusOf(dir)).toBeUndefined();
  expect(await bringDown({ dir, tell: () => undefined })).toBeUndefined();
});

const foreign: ChildProcess[] = [];
afterEach(() => {
  for (const child of foreign.splice(0)) child.kill('SIGKILL');
});

async function foreignProcess(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  foreign.push(child);
  return until('it runs', () => identify(child.pid ?? 0));
}

async function planOf(...names: readonly string[]): Promise<Plan> {
  return [await Promise.all(names.map((name) => fakeServer(name)))];
}

function up(dir: string, plan: Plan, told: string[] = []): Promise<PlanStatus> {
  return bringUp({ dir, plan: () => Promise.resolve(plan), tell: (line) => void told.push(line) });
}

function down(dir: string): Promise<PlanStatus | undefined> {
  return bringDown({ dir, tell: () => undefined });
}
