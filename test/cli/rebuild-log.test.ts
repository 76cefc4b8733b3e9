import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RebuildLog } from '../../cli/cluster/rebuild-log.ts';
import type { LogRecord } from '../../platform/log/port.ts';
import { TOPICS } from '../../services/shared/topics.ts';

const LIMITS = { recordsMax: 10, bytesMax: 1 << 20 };
const MANY = Array.from({ length: 20_001 }, () => ({ key: '', value: 'an update' }));

/** A log of a hundred events, of which forty count. */
function rebuildLog(): RebuildLog {
  const event = (offset: number): LogRecord => ({ offset, time: offset, key: '', value: Buffer.from('{}') });
  return new RebuildLog(
    {
      read: async (_topic, _partition, from, { recordsMax }) =>
        Array.from({ length: recordsMax }, (_, n) => event(from + n)),
    },
    40,
  );
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await setImmediate();
  return !settled;
}

test('a rebuild reads the log up to the checkpoint, no further, and says when it is there', async () => {
  const log = rebuildLog();
  expect(await log.read(TOPICS.events, 7, 30, LIMITS)).toHaveLength(10);
  expect(await log.read(TOPICS.events, 7, 35, LIMITS)).toHaveLength(5);
  expect(await log.endOffset(TOPICS.events)).toBe(40);
  expect(log.ended.aborted).toBe(false);
  expect(await log.read(TOPICS.events, 7, 40, LIMITS)).toEqual([]);
  expect(log.ended.aborted).toBe(true);
});

test('what the rater tells waits in memory only so far: it reads on once the enforcer has followed', async () => {
  const log = rebuildLog();
  await log.append(TOPICS.updates, 7, MANY);
  const reading = log.read(TOPICS.events, 7, 0, LIMITS);
  expect(await isPending(reading)).toBe(true);
  expect(await log.read(TOPICS.updates, 7, 0, LIMITS)).toHaveLength(10);
  expect(await isPending(reading)).toBe(true);
  await log.read(TOPICS.updates, 7, 1, LIMITS);
  expect(await reading).toHaveLength(10);
  const drained = log.drained();
  expect(await isPending(drained)).toBe(true);
  await log.read(TOPICS.updates, 7, MANY.length, LIMITS);
  await drained;
});

test('nobody waits for an enforcer that has failed', async () => {
  const log = rebuildLog();
  await log.append(TOPICS.updates, 7, MANY);
  const reading = log.read(TOPICS.events, 7, 0, LIMITS);
  log.breakOff(new Error('it failed'));
  await expect(reading).rejects.toThrow('it failed');
  await expect(log.drained()).rejects.toThrow('it failed');
});

test('commands, rejections and prices for other partitions are kept nowhere', async () => {
  const log = rebuildLog();
  for (const topic of [TOPICS.alerts, TOPICS.compute, TOPICS.storage, TOPICS.rejected, TOPICS.events]) {
    await log.append(topic, 7, [{ key: '', value: 'x' }]);
    if (topic === TOPICS.events) continue;
    expect([topic, await log.endOffset(topic), await log.read(topic, 7, 0, LIMITS)]).toEqual([topic, 0, []]);
  }
});
