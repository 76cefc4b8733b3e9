import { type MemoryLogDisk, openMemoryLog } from '../../platform/log/memory-log.ts';
import type { AppendRecord, EventLog, LogRecord, LogTime, ReadLimits } from '../../platform/log/port.ts';
import { Waiters } from '../../platform/log/waiters.ts';
import type { FaultPlan, SimulatedProcess } from '../../platform/memory/simulation.ts';
import { TOPICS } from '../../services/shared/topics.ts';

const WAITERS_MAX = 10_000;

/** What the processes of a simulation share: the disk of the log, and who waits for it to grow. */
export interface LogServer {
  readonly disk: MemoryLogDisk;
  readonly waiters: Map<string, Waiters>;
  readonly partitions: number;
  readonly time: LogTime;
  readonly now: () => number;
}

/** One process's connection to the shared log: a record that one process appends wakes those who wait in the others. */
export function connectLog(server: LogServer, process: SimulatedProcess, faults: FaultPlan): EventLog {
  const { disk, partitions, time, now } = server;
  const topics = Object.values(TOPICS).map((name) => ({
    name,
    partitions,
    time: name === TOPICS.events ? time : ('append' as const),
  }));
  const own = openMemoryLog({ topics, disk, now, process, faults });
  const waitersOf = (topic: string, partition: number): Waiters => {
    const key = `${topic}/${partition}`;
    const known = server.waiters.get(key) ?? new Waiters(WAITERS_MAX);
    server.waiters.set(key, known);
    return known;
  };
  return {
    partitions: (topic) => own.partitions(topic),
    append: async (topic: string, partition: number, records: readonly AppendRecord[]) => {
      try {
        return await own.append(topic, partition, records);
      } finally {
        waitersOf(topic, partition).wake(endOffset(disk, topic, partition));
      }
    },
    read: (topic: string, partition: number, from: number, limits: ReadLimits) =>
      own.read(topic, partition, from, limits),
    waitFor: async (topic, partition, offset, signal) => {
      process.assertRuns();
      if (endOffset(disk, topic, partition) > offset) return true;
      return waitersOf(topic, partition).wait(offset, signal);
    },
    startOffset: (topic, partition) => own.startOffset(topic, partition),
    endOffset: (topic, partition) => own.endOffset(topic, partition),
    trimBefore: (topic, partition, offset) => own.trimBefore(topic, partition, offset),
    close: () => own.close(),
  };
}

/** Where a partition ends on the disk. */
export function endOffset(disk: MemoryLogDisk, topic: string, partition: number): number {
  const stored = disk.topics.get(topic)?.[partition];
  return stored === undefined ? 0 : stored.startOffset + stored.records.length;
}

/** All records of a partition, as they are on the disk. */
export function recordsOf(disk: MemoryLogDisk, topic: string, partition: number): readonly LogRecord[] {
  return disk.topics.get(topic)?.[partition]?.records ?? [];
}
