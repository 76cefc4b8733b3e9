import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteDatabase, LmdbEnvironment } from '../../../platform/lmdb/environment.ts';
import { openLmdbLog } from '../../../platform/log/lmdb-log.ts';
import { type EventLog, isLogError, type LogErrorCode } from '../../../platform/log/port.ts';

const ALL = { recordsMax: 1_000_000, bytesMax: 1e9 };
const topics = [{ name: 'events', partitions: 2, time: 'append' as const }];

let directory: string;
let environment: LmdbEnvironment;
let log: EventLog;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgate-lmdb-log-'));
  environment = await LmdbEnvironment.open({ directory });
  log = await openLmdbLog({ environment, topics, now: () => 1000 });
  for (let call = 0; call < 3; call += 1) await log.append('events', 0, batch(500, call));
});
afterEach(async () => {
  await log.close();
  await environment.close();
  await rm(directory, { recursive: true, force: true });
});

describe('stored bytes that are not the ones that were written', { timeout: 60_000 }, () => {
  it('any bit of any chunk that flips is found out', async () => {
    const { chunks, keys } = stored();
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) {
      const good = Buffer.from(chunks.get(key) ?? Buffer.alloc(0));
      for (const at of [0, 3, 4, 5, 7, 8, 11, 12, 19, 20, 22, 26, good.length >> 1, good.length - 1]) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 1;
        await overwrite(chunks, key, bad);
        await refused(log.read('events', 0, 0, ALL), 'LogCorrupt');
      }
      await overwrite(chunks, key, good);
    }
    expect(await log.read('events', 0, 0, ALL)).toHaveLength(1500);
  });

  it('a chunk that is cut, or in the place of another, is found out', async () => {
    const { chunks, keys } = stored();
    const [first, second] = keys;
    const good = Buffer.from((first && chunks.get(first)) ?? Buffer.alloc(0));
    for (const length of [0, 1, 19, 20, 100, good.length - 1]) {
      await overwrite(chunks, first, good.subarray(0, length));
      await refused(log.read('events', 0, 0, ALL), 'LogCorrupt');
    }
    await overwrite(chunks, first, second && chunks.get(second));
    await refused(log.read('events', 0, 0, ALL), 'LogCorrupt');
  });

  it('an offset that is missing in between is a gap', async () => {
    const { chunks, keys } = stored();
    await overwrite(chunks, keys[1], undefined);
    await refused(log.read('events', 0, 0, ALL), 'LogGap');
    await overwrite(chunks, keys[0], undefined);
    await refused(log.read('events', 0, 0, ALL), 'LogGap');
  });

  it('a log whose end is missing, or goes beyond its end, is not opened', async () => {
    const { chunks, keys } = stored();
    const last = keys.at(-1);
    const good = Buffer.from((last && chunks.get(last)) ?? Buffer.alloc(0));
    await overwrite(chunks, last, undefined);
    await log.close();
    await refused(openLmdbLog({ environment, topics, now: () => 1000 }), 'LogGap');
    await overwrite(chunks, last, good);
    const beyond = Buffer.from(last ?? Buffer.alloc(0));
    beyond.writeUIntBE(5000, 6, 6);
    await overwrite(chunks, beyond, good);
    await refused(openLmdbLog({ environment, topics, now: () => 1000 }), 'LogGap');
    await overwrite(chunks, beyond, undefined);
    log = await openLmdbLog({ environment, topics, now: () => 1000 });
    expect(await log.endOffset('events', 0)).toBe(1500);
  });
});

describe('chunks', { timeout: 60_000 }, () => {
  it('small appends of one moment share a chunk, a large append has several', async () => {
    const before = stored().keys.length;
    await Promise.all(Array.from({ length: 300 }, (_, call) => log.append('events', 1, batch(1, call))));
    expect(stored().keys.length - before).toBe(2);
    await log.append('events', 1, [{ key: 'k', value: 'x'.repeat(500_000) }]);
    expect(stored().keys.length - before).toBe(3);
    expect((await log.read('events', 1, 300, ALL))[0]?.value).toHaveLength(500_000);
  });

  it('trimming frees what lies wholly below the start, in any number', async () => {
    for (let call = 0; call < 1100; call += 1) await log.append('events', 1, batch(1, call));
    const before = stored().keys.length;
    await log.trimBefore('events', 1, 1099);
    expect(before - stored().keys.length).toBe(1099);
    expect(await log.read('events', 1, 1099, ALL)).toHaveLength(1);
    await log.trimBefore('events', 0, 1499);
    expect(await log.read('events', 0, 1499, ALL)).toHaveLength(1);
  });

  it('a clock that says nonsense fails the append, and nothing gets the time', async () => {
    await log.close();
    log = await openLmdbLog({ environment, topics, now: () => Number.NaN });
    await refused(log.append('events', 0, batch(1, 0)), 'LogWriteFailed');
    expect(await log.endOffset('events', 0)).toBe(1500);
  });
});

function batch(count: number, call: number) {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index}`,
    value: `${call}/${index} ${'v'.repeat(250)}`,
  }));
}

function stored(): { chunks: ByteDatabase; keys: Buffer[] } {
  const chunks = environment.database('log.chunks');
  return { chunks, keys: [...chunks.getKeys({})].map((key) => Buffer.from(key)) };
}

async function overwrite(chunks: ByteDatabase, key: Buffer | undefined, value: Buffer | undefined): Promise<void> {
  if (key === undefined) throw new Error('there is no such chunk');
  const write = () => void (value === undefined ? chunks.remove(key) : chunks.put(key, value));
  await environment.writer.submit({ lane: 'test', bytes: 0, stage: () => ({ write }) });
}

async function refused(action: Promise<unknown>, code: LogErrorCode): Promise<void> {
  await expect(action).rejects.toSatisfy((error) => isLogError(error, code), code);
}
