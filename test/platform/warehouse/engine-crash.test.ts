import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { startEngine } from '../../../platform/warehouse/engine-process.ts';
import { createWarehouseReader } from '../../../platform/warehouse/reader.ts';
import { createWarehouseWriter } from '../../../platform/warehouse/writer.ts';
import { isAlive, rowsOf, startTestEngine, type TestEngine, temporaryDirectory, until } from './fixture.ts';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
});

async function started(options = {}): Promise<TestEngine> {
  const engine = await startTestEngine(options);
  running.push(engine);
  return engine;
}

const TABLE = `CREATE TABLE IF NOT EXISTS facts (id UInt64, amount Decimal(38, 9)) ENGINE = ReplacingMergeTree ORDER BY id
  SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;
const TOTALS = 'SELECT count() AS rows, uniqExact(id) AS ids, sum(amount) AS total FROM facts FINAL';

/** Rows from..to-1, a billionth each. */
function block(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => JSON.stringify([String(from + n), '0.000000001']));
}

describe('an engine that dies', { timeout: 90_000 }, () => {
  test('SIGKILL in the middle of inserts: it comes back, the writer tries again, and each row is there once', async () => {
    const { engine, client, failures } = await started();
    await client.command({ query: TABLE });
    const writer = createWarehouseWriter({ client });
    const kills = 5;
    const rowsInBlock = 2_000;
    let blocks = 0;
    let done = false;
    const writing = (async () => {
      while (!done) {
        await writer.insertBlock('facts', block(blocks * rowsInBlock, (blocks + 1) * rowsInBlock), {
          token: `b${blocks}`,
        });
        blocks++;
      }
    })();
    for (let kill = 0; kill < kills; kill++) {
      const before = blocks;
      // some kills fall between inserts, some a little later inside one
      await until('inserts go on', () => blocks > before + 2);
      await new Promise((resolve) => setTimeout(resolve, 3 * kill));
      const pid = engine.pid();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await until('the engine came back', () => engine.restarts() === kill + 1);
    }
    done = true;
    await writing;
    const rows = blocks * rowsInBlock;
    const total = `0.${String(rows).padStart(9, '0')}`;
    expect(await rowsOf(client, TOTALS)).toEqual([{ rows: String(rows), ids: String(rows), total }]);
    expect(failures).toEqual([]);
  });

  test('a read that it dies under ends in an error, never as if it were complete', async () => {
    const { engine, client } = await started();
    const reader = createWarehouseReader(client);
    const sql = 'SELECT number AS n FROM numbers(20000000)';
    const reading = (async () => {
      let rows = 0;
      for await (const batch of reader.stream(sql, {}, () => 1)) {
        if (rows === 0) process.kill(engine.pid() ?? 0, 'SIGKILL');
        rows += batch.length;
      }
      return rows;
    })();
    await expect(reading).rejects.toThrow();
    await until('the engine came back', () => engine.restarts() === 1);
    await expect(client.ping()).resolves.toEqual({ success: true });
  });

  test('what was acknowledged is there after a stop and after a kill, on the same port', async () => {
    const dataDir = await temporaryDirectory();
    const first = await startTestEngine({ dataDir });
    await first.client.command({ query: TABLE });
    await createWarehouseWriter({ client: first.client }).insertBlock('facts', block(0, 10), { token: 'a' });
    const { url } = first.engine;
    await first.client.close();
    await first.engine.stop();
    await first.engine.stop();

    const second = await started({ dataDir, port: Number(new URL(url).port) });
    expect(second.engine.url).toBe(url);
    expect(await rowsOf(second.client, TOTALS)).toMatchObject([{ rows: '10' }]);
    await createWarehouseWriter({ client: second.client }).insertBlock('facts', block(10, 20), { token: 'b' });
    const pid = second.engine.pid();
    if (pid === undefined) throw new Error('no child');
    process.kill(pid, 'SIGKILL');
    await createWarehouseWriter({ client: second.client }).insertBlock('facts', block(20, 30), { token: 'c' });
    expect(second.engine.pid()).not.toBe(pid);
    expect(await rowsOf(second.client, TOTALS)).toMatchObject([{ rows: '30', total: '0.000000030' }]);
  });

  test('one that keeps dying is given up, with a name', async () => {
    const { engine, failures } = await started({ restarts: { deathsMax: 2 } });
    for (let death = 1; death <= 3; death++) {
      const pid = engine.pid();
      if (pid === undefined) throw new Error('no child');
      process.kill(pid, 'SIGKILL');
      if (death <= 2) await until('it came back', () => engine.restarts() === death);
    }
    await until('it is given up', () => failures.length > 0);
    expect(failures).toMatchObject([{ code: 'warehouse_restarts_exhausted' }]);
    expect(engine.pid()).toBeUndefined();
  });

  test('TERM and INT, which reach the whole process group, do not end it: the parent does', async () => {
    const { engine, client } = await started();
    const pid = engine.pid();
    if (pid === undefined) throw new Error('no child');
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGINT');
    await expect(client.ping()).resolves.toEqual({ success: true });
    expect(engine.pid()).toBe(pid);
    await engine.stop();
    expect(isAlive(pid)).toBe(false);
  });
});

describe('the data directory', { timeout: 90_000 }, () => {
  test('is refused, with a name, while another engine has it open', async () => {
    const { dataDir } = await started();
    const quiet = { info() {}, warn() {}, error() {} };
    const second = startEngine({ dataDir, logger: quiet, lockWaitMs: 200, onFailed() {} });
    await expect(second).rejects.toMatchObject({
      code: 'warehouse_directory_in_use',
      message: expect.stringContaining('Cannot lock file'),
    });
  });

  test('a start waits for a dying predecessor to release it', async () => {
    const dataDir = await temporaryDirectory();
    const first = await startTestEngine({ dataDir });
    const secondStarting = startTestEngine({ dataDir });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await first.client.close();
    await first.engine.stop();
    const second = await secondStarting;
    running.push(second);
    await expect(second.client.ping()).resolves.toEqual({ success: true });
  });

  test('kill -9 of the parent leaves no orphan that holds it', async () => {
    const dataDir = await temporaryDirectory();
    const source = `
      import { startEngine } from ${JSON.stringify(new URL('../../../platform/warehouse/engine-process.ts', import.meta.url).href)};
      const quiet = { info() {}, warn() {}, error() {} };
      const engine = await startEngine({ dataDir: ${JSON.stringify(dataDir)}, logger: quiet, onFailed() {} });
      console.log(engine.pid());
    `;
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const parent = spawn(process.execPath, ['--import', tsx, '--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const orphan = Number(line);
    expect(isAlive(orphan)).toBe(true);
    parent.kill('SIGKILL');
    await until('the child is gone too', () => !isAlive(orphan));
    const next = await started({ dataDir });
    await expect(next.client.ping()).resolves.toEqual({ success: true });
  });
});
