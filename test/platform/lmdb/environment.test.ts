import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataDirectoryInvalidError, LmdbEnvironment } from '../../../platform/lmdb/environment.ts';
import { GroupWriter, WriterBrokenError, WriterFullError } from '../../../platform/lmdb/group-writer.ts';
import { DataDirectoryLockedError } from '../../../platform/lmdb/instance-lock.ts';
import { openLmdbLogReader, storedTopics } from '../../../platform/log/lmdb-log-reader.ts';
import { openLmdbState, openLmdbStateReader } from '../../../platform/state/lmdb-state.ts';
import { spawnChild } from './spawn-child.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgate-env-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('the lock of a data directory', () => {
  it('a second process is refused while the first lives, may read meanwhile, and takes over after kill -9', {
    timeout: 60_000,
  }, async () => {
    const child = spawnChild(directory, 100);
    expect(await child.next()).toBe(`ready ${child.process.pid}`);
    const opening = LmdbEnvironment.open({ directory });
    await expect(opening).rejects.toThrow(DataDirectoryLockedError);
    await expect(opening).rejects.toThrow(`in use by process ${child.process.pid} on ${hostname()}`);

    let line = await child.next();
    while (line !== undefined && !line.startsWith('log 0')) line = await child.next();
    const acknowledged = Number(line?.split(' ')[2]);
    const reading = await LmdbEnvironment.open({ directory, readOnly: true });
    const reader = openLmdbLogReader(reading);
    expect(storedTopics(reading)).toEqual(new Map([['events', 2]]));
    expect([reader.partitions('events'), await reader.startOffset('events', 0)]).toEqual([2, 0]);
    const end = await reader.endOffset('events', 0);
    expect(end).toBeGreaterThanOrEqual(acknowledged);
    const records = await reader.read('events', 0, end - 1, { recordsMax: 1, bytesMax: 1 });
    expect(records[0]?.key).toBe(`k${end - 1}`);
    while (line !== undefined && !line.startsWith('state')) line = await child.next();
    const { checkpoint, hashes } = await openLmdbStateReader(reading).peek('rater/0', ['k1']);
    expect(new Set(hashes.get('k1')?.values())).toEqual(new Set([`${checkpoint?.nextOffset}`]));
    expect(await openLmdbStateReader(reading).scan('rater/0', { limit: 3 })).toEqual(['k0', 'k1', 'k2']);
    await reading.close();

    await child.kill();
    const environment = await LmdbEnvironment.open({ directory });
    expect(JSON.parse(readFileSync(join(directory, 'instance.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await environment.close();
    expect(() => readFileSync(join(directory, 'instance.lock'))).toThrow(/ENOENT/);
  });

  it('the same process is refused too, until it has closed', async () => {
    const environment = await LmdbEnvironment.open({ directory });
    await expect(LmdbEnvironment.open({ directory })).rejects.toThrow(DataDirectoryLockedError);
    expect(() => [openLmdbState(environment), openLmdbState(environment)]).toThrow(/state .* is open already/);
    await environment.close();
    await environment.close();
    const again = await LmdbEnvironment.open({ directory });
    await again.close();
  });

  it.each([
    [
      'a pid that now belongs to a later process',
      { pid: process.pid, started: 'another/1', host: hostname(), nonce: 'n' },
    ],
    ['a pid that nobody has', { pid: 2 ** 22 + 1, started: 'x/1', host: hostname(), nonce: 'n' }],
    ['half a line', '{"pid": 1'],
    ['nothing', ''],
    ['no holder', 'null'],
  ])('a lock with %s is stale and taken over', async (_, holder) => {
    writeFileSync(join(directory, 'instance.lock'), typeof holder === 'string' ? holder : JSON.stringify(holder));
    const environment = await LmdbEnvironment.open({ directory });
    await environment.close();
  });

  it('a lock of another host is kept: its process cannot be asked', async () => {
    const holder = { pid: 1, started: 'x/1', host: 'elsewhere', nonce: 'n' };
    writeFileSync(join(directory, 'instance.lock'), JSON.stringify(holder));
    await expect(LmdbEnvironment.open({ directory })).rejects.toThrow(/process 1 on elsewhere/);
  });
});

describe('the environment', () => {
  it('a directory that holds no data cannot be read, and is not made into one', async () => {
    for (const path of [directory, join(directory, 'nowhere')]) {
      await expect(LmdbEnvironment.open({ directory: path, readOnly: true })).rejects.toThrow(
        DataDirectoryInvalidError,
      );
    }
    expect(() => mkdirSync(join(directory, 'nowhere'))).not.toThrow();
  });

  it('data of another format is refused by its name', async () => {
    const environment = await LmdbEnvironment.open({ directory });
    const meta = environment.database('meta');
    const write = () => void meta.put(Buffer.from('format'), Buffer.from('other-9'));
    await environment.writer.submit({ lane: 'test', bytes: 0, stage: () => ({ write }) });
    await environment.close();
    await expect(LmdbEnvironment.open({ directory })).rejects.toThrow(/format other-9/);
    await expect(LmdbEnvironment.open({ directory })).rejects.toThrow(DataDirectoryInvalidError);
  });
});

async function instantly(action: () => void): Promise<boolean> {
  action();
  return true;
}

describe('the group writer', () => {
  const options = { groupBytesMax: 100, queueJobsMax: 6 };
  const job = (lane: string, bytes: number, write: () => void) => ({ lane, bytes, stage: () => ({ write }) });

  it('jobs share a transaction, but for those of one lane and those above the bound of a group', async () => {
    const groups: string[][] = [];
    const batch = (action: () => void) => {
      groups.push([]);
      return instantly(action);
    };
    const writer = new GroupWriter({ batch }, options);
    const put = (name: string, bytes: number) =>
      writer.submit(job(name[0] ?? '', bytes, () => groups.at(-1)?.push(name)));
    await Promise.all([put('a1', 60), put('a2', 1), put('b1', 60), put('c1', 1), put('b2', 1), put('a3', 1)]);
    expect(groups).toEqual([['a1', 'b1'], ['a2', 'c1', 'b2'], ['a3']]);
    await writer.drain();
  });

  it('a job that is refused while staging takes no other with it', async () => {
    const writer = new GroupWriter({ batch: instantly }, options);
    const refused = writer.submit({
      lane: 'a',
      bytes: 0,
      stage: () => {
        throw new Error('refused');
      },
    });
    const good = writer.submit(job('b', 0, () => {}));
    await expect(refused).rejects.toThrow('refused');
    await good;
  });

  it('after a failed transaction nothing is written any more', async () => {
    let calls = 0;
    const batch = () => {
      calls += 1;
      return Promise.reject(new Error('no space'));
    };
    const writer = new GroupWriter({ batch }, options);
    const first = writer.submit(job('a', 0, () => {}));
    const second = writer.submit(job('a', 0, () => {}));
    const outcomes = await Promise.allSettled([first, second]);
    for (const outcome of outcomes) {
      expect(outcome.status === 'rejected' && outcome.reason instanceof WriterBrokenError).toBe(true);
    }
    await expect(writer.submit(job('b', 0, () => {}))).rejects.toThrow(WriterBrokenError);
    expect(calls).toBe(1);
  });

  it('its queue is bounded', async () => {
    const writer = new GroupWriter({ batch: instantly }, options);
    const jobs = Array.from({ length: 6 }, () => writer.submit(job('a', 0, () => {})));
    await expect(writer.submit(job('b', 0, () => {}))).rejects.toThrow(WriterFullError);
    await Promise.all(jobs);
  });
});
