import { describe, expect, it } from 'vitest';
import type { MemoryLogDisk } from '../../../platform/log/memory-log.ts';
import type { EventLog } from '../../../platform/log/port.ts';
import { failingCases } from '../../contracts/contract.ts';
import { LOG_CONTRACT } from '../../contracts/log-contract.ts';
import { memoryHarness } from './harness.ts';

/** Logs that are wrong in one thing each. A contract counts once it has caught them. */
const PLANTED: readonly [fault: string, caughtBy: string, alter: (log: EventLog, disk: MemoryLogDisk) => EventLog][] = [
  [
    'acknowledges before the record is durable',
    'what was acknowledged is there after the process was cut off',
    (log) => alter(log, { append: async (topic, partition, records) => early(log, topic, partition, records) }),
  ],
  [
    'lets the time fall with its clock',
    'E2: the log stamps the time, and no stamp is below the one before, whatever its clock does',
    (log, disk) =>
      alter(log, {
        append: (topic, partition, records) => {
          const stored = topic === 'events' ? disk.topics.get(topic)?.[partition] : undefined;
          if (stored !== undefined) stored.highTime = 0;
          return log.append(topic, partition, records);
        },
      }),
  ],
  [
    'writes the records of one call one by one',
    'concurrent appends are each contiguous, in the order of the calls, and none is lost',
    (log) =>
      alter(log, {
        append: async (topic, partition, records) => {
          const all = await Promise.all(records.map((record) => log.append(topic, partition, [record])).reverse());
          await Promise.resolve();
          return {
            firstOffset: all[0]?.firstOffset ?? (await log.endOffset(topic, partition)),
            times: all.flatMap(({ times }) => times),
          };
        },
      }),
  ],
  [
    'writes half of a call that is cut off',
    'an append that was cut off is there whole or not at all',
    (log) =>
      alter(log, {
        append: async (topic, partition, records) => {
          const half = records.length >> 1;
          const first = await log.append(topic, partition, records.slice(0, half));
          const second = await log.append(topic, partition, records.slice(half));
          return { firstOffset: first.firstOffset, times: [...first.times, ...second.times] };
        },
      }),
  ],
  [
    'keeps the bytes of the caller',
    'bytes given to append may be used again at once',
    (log) =>
      alter(log, {
        append: async (topic, partition, records) => {
          await Promise.resolve();
          return log.append(topic, partition, records);
        },
      }),
  ],
  [
    'gives nothing where a record is larger than a read may be',
    'a read gives at most what its limits say, and the first record whatever its size',
    (log) =>
      alter(log, {
        read: async (topic, partition, from, limits) => {
          const records = await log.read(topic, partition, from, limits);
          return (records[0]?.value.length ?? 0) > limits.bytesMax ? [] : records;
        },
      }),
  ],
  [
    'starts at the oldest record where the asked one is gone',
    'trimming moves the start, for ever, and nothing else',
    (log) =>
      alter(log, {
        read: async (topic, partition, from, limits) => {
          const start = await log.startOffset(topic, partition);
          return log.read(topic, partition, Math.max(from, start), limits);
        },
      }),
  ],
  [
    'wakes too early',
    'waiting ends when the record is there to be read, and not before',
    (log) =>
      alter(log, {
        waitFor: (topic, partition, offset, signal) => log.waitFor(topic, partition, Math.max(0, offset - 1), signal),
      }),
  ],
];

describe('the contract of the log catches a log that', () => {
  it.each(PLANTED)('%s', { timeout: 60_000 }, async (_, caughtBy, plant) => {
    const cases = LOG_CONTRACT.filter(({ title }) => title === caughtBy);
    expect(cases).toHaveLength(1);
    expect(await failingCases(cases, () => memoryHarness())).toEqual([]);
    expect(await failingCases(cases, () => memoryHarness(plant))).toEqual([caughtBy]);
  });
});

/** The answer is there before the write is even begun. */
async function early(log: EventLog, ...[topic, partition, records]: Parameters<EventLog['append']>) {
  const firstOffset = await log.endOffset(topic, partition);
  setImmediate(() => void log.append(topic, partition, records).catch(() => undefined));
  return { firstOffset, times: records.map(() => 1000) };
}

function alter(log: EventLog, planted: Partial<EventLog>): EventLog {
  return {
    partitions: (...call) => log.partitions(...call),
    append: (...call) => log.append(...call),
    read: (...call) => log.read(...call),
    waitFor: (...call) => log.waitFor(...call),
    startOffset: (...call) => log.startOffset(...call),
    endOffset: (...call) => log.endOffset(...call),
    trimBefore: (...call) => log.trimBefore(...call),
    close: () => log.close(),
    ...planted,
  };
}
