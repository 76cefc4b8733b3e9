import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Plan } from '../../cli/stack/plan.ts';
import { runs } from '../../cli/stack/process-identity.ts';
import { type PlanStatus, type ProcessStatus, readStatus } from '../../cli/stack/status.ts';
import { supervise } from '../../cli/stack/supervisor.ts';
import { fakeProcess, fakeServer, ownFolder, until } from './support/fake-servers.ts';

const LONG_MS = 120_000;
const ENDS_AT_ONCE = 'process.exit(3)';
const NEVER_READY = 'setInterval(() => undefined, 1000)';
/** Says when it starts and when it is told to end, in the file that all of a plan share. */
const telling = (name: string, file: string) => `
  const { appendFileSync } = require('node:fs');
  const server = require('node:http').createServer((_, response) => response.end('ok'));
  server.listen(Number(process.argv[1]), '127.0.0.1', () => appendFileSync(${JSON.stringify(file)}, '${name} up\\n'));
  process.on('SIGTERM', () => { appendFileSync(${JSON.stringify(file)}, '${name} down\\n'); process.exit(0); });
`;

test(
  'stages start one after the other and stop in reverse',
  async () => {
    const folder = ownFolder();
    const file = join(folder, 'told');
    const first = await fakeProcess('first', telling('first', file));
    const second = await fakeProcess('second', telling('second', file));
    const third = await fakeProcess('third', telling('third', file));
    const run = begin(folder, [[first], [second], [third]]);
    await run.ready();
    await run.stop();
    const told = readFileSync(file, 'utf8').trim().split('\n');
    expect(told).toEqual(['first up', 'second up', 'third up', 'third down', 'second down', 'first down']);
    expect(await run.how).toBe('stopped');
    expect(run.status()).toMatchObject({ state: 'stopped', processes: [{ process: null }, { process: null }, {}] });
  },
  LONG_MS,
);

test(
  'what dies is started again at the same address, and the others stay',
  async () => {
    const run = begin(ownFolder(), [[await fakeServer('left'), await fakeServer('right')]]);
    const [left, right] = (await run.ready()).processes;
    process.kill(pidOf(left), 'SIGKILL');
    const again = await until('it is back', () => {
      const now = run.status().processes[0];
      return now?.state === 'ready' && now.restarts === 1 ? now : undefined;
    });
    expect(pidOf(again)).not.toBe(pidOf(left));
    expect(again).toMatchObject({ url: left?.url, detail: 'SIGKILL' });
    expect((await fetch(again.url)).ok).toBe(true);
    expect(run.status().processes[1]).toEqual(right);
    await run.stop();
  },
  LONG_MS,
);

test(
  'what keeps dying is given up, and says so; the rest goes on',
  async () => {
    const file = join(ownFolder(), 'attempts');
    const dies = await fakeProcess(
      'dies',
      `const { existsSync, writeFileSync } = require('node:fs');
     if (existsSync(${JSON.stringify(file)})) process.exit(7);
     writeFileSync(${JSON.stringify(file)}, '');
     require('node:http').createServer((_, response) => response.end('ok')).listen(Number(process.argv[1]), '127.0.0.1')`,
    );
    const run = begin(ownFolder(), [[dies, await fakeServer('lives')]], { failuresMax: 4, livedMs: 3_600_000 });
    process.kill(pidOf((await run.ready()).processes[0]), 'SIGKILL');
    const [given, lives] = await until('it is given up', () => {
      const { processes } = run.status();
      return processes[0]?.state === 'keeps dying' ? processes : undefined;
    });
    expect(given).toMatchObject({ process: null, restarts: 3 });
    expect(given?.detail).toContain('exit code 7');
    expect(run.log.join('\n')).toContain('keeps dying');
    expect((await fetch(lives?.url ?? '')).ok).toBe(true);
    await run.stop();
  },
  LONG_MS,
);

test(
  'what is not to be restarted stays ended',
  async () => {
    const run = begin(ownFolder(), [[await fakeServer('once', { restart: false })]]);
    process.kill(pidOf((await run.ready()).processes[0]), 'SIGTERM');
    await until('it has ended', () => (run.status().processes[0]?.state === 'ended' ? true : undefined));
    expect(run.status().processes[0]).toMatchObject({ process: null, restarts: 0, detail: 'SIGTERM' });
    await run.stop();
  },
  LONG_MS,
);

test(
  'what does not come up the first time stops all, with its last words as the reason',
  async () => {
    const says = `process.stderr.write('the disk is on fire\\n'); ${ENDS_AT_ONCE}`;
    const run = begin(ownFolder(), [[await fakeServer('good')], [await fakeProcess('bad', says)]]);
    expect(await run.how).toBe('failed');
    const { state, failure, processes } = run.status();
    expect({ state, code: failure?.code }).toEqual({ state: 'failed', code: 'stack_start_failed' });
    expect(failure?.detail).toMatch(/bad ended with exit code 3: .*the disk is on fire/);
    expect(processes.map((process) => process.process)).toEqual([null, null]);
  },
  LONG_MS,
);

test(
  'a start that takes too long is ended',
  async () => {
    const run = begin(ownFolder(), [[await fakeProcess('slow', NEVER_READY)]], {}, 200);
    expect(await run.how).toBe('failed');
    expect(run.status().failure?.detail).toContain('not ready within 200 ms');
  },
  LONG_MS,
);

test(
  'a port that another program has is told as that, and the program is left alone',
  async () => {
    const taken = await fakeServer('holder');
    const holder = begin(ownFolder(), [[taken]]);
    await holder.ready();
    const run = begin(ownFolder(), [[{ ...taken, name: 'late' }]]);
    expect(await run.how).toBe('failed');
    expect(run.status().failure?.code).toBe('stack_port_in_use');
    expect((await fetch(taken.url)).ok).toBe(true);
    await holder.stop();
  },
  LONG_MS,
);

test(
  'a stop while it starts ends what there is, and starts no more',
  async () => {
    const run = begin(ownFolder(), [[await fakeProcess('slow', NEVER_READY)], [await fakeServer('never')]]);
    const slow = await until('it exists', () => run.status().processes[0]?.process ?? undefined);
    await run.stop();
    expect(await run.how).toBe('stopped');
    expect(runs(slow)).toBe(false);
    expect(readStatus(run.file)).toMatchObject({
      state: 'stopped',
      processes: [{ state: 'stopped' }, { restarts: 0 }],
    });
    expect(run.log.join('\n')).not.toContain('"never"');
  },
  LONG_MS,
);

test(
  'a process that ignores SIGTERM is ended all the same',
  async () => {
    const deaf = `process.on('SIGTERM', () => undefined);
    require('node:http').createServer((_, response) => response.end('ok')).listen(Number(process.argv[1]), '127.0.0.1')`;
    const run = begin(ownFolder(), [[await fakeProcess('deaf', deaf, { stopMs: 100 })]]);
    const identity = (await run.ready()).processes[0]?.process;
    await run.stop();
    expect(identity !== undefined && identity !== null && runs(identity)).toBe(false);
  },
  LONG_MS,
);

function begin(folder: string, plan: Plan, bounds = {}, readyMs = 60_000) {
  const stopping = new AbortController();
  const log: string[] = [];
  const record = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const file = join(folder, 'status.json');
  const how = supervise({
    ...{ plan, statusFile: file, logs: folder, stopping: stopping.signal, readyMs },
    bounds: { delayMs: 1, delayMaxMs: 5, ...bounds },
    logger: { info: record, warn: record, error: record },
  });
  const status = (): PlanStatus => {
    const found = readStatus(file);
    if (found === undefined) throw new Error('there is no status');
    return found;
  };
  return {
    ...{ file, how, log, status },
    ready: () => until('it is ready', () => (status().state === 'ready' ? status() : undefined)),
    async stop() {
      stopping.abort();
      await how;
    },
  };
}

function pidOf(status: ProcessStatus | undefined): number {
  if (status?.process == null) throw new Error(`${status?.name ?? 'nothing'} has no process`);
  return status.process.pid;
}
