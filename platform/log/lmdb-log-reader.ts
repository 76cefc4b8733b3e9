import type { LmdbEnvironment } from '../lmdb/environment.ts';
import { LogError, type LogReader } from './port.ts';
import { loadPartition, loadPartitions, readRecords, type StoredPartition } from './stored-partitions.ts';

/**
 * Reads the log of an environment that was opened read-only, beside the instance that writes it: every call sees what
 * is committed by then.
 */
export function openLmdbLogReader(environment: LmdbEnvironment): LogReader {
  const chunks = environment.database('log.chunks');
  const partitions = environment.database('log.partitions');
  const load = (topic: string, partition: number): StoredPartition => {
    const stored = loadPartition(partitions, topic, partition);
    if (stored === undefined) throw new LogError('LogUnknownPartition', `${topic}/${partition}`);
    return stored;
  };
  return {
    partitions: (topic) => load(topic, 0).partitions,
    read: async (topic, partition, from, limits) => readRecords(chunks, load(topic, partition), from, limits),
    startOffset: async (topic, partition) => load(topic, partition).startOffset,
    endOffset: async (topic, partition) => load(topic, partition).endOffset,
    close: async () => {},
  };
}

/** The topics that an environment holds, with their partitions, by name. */
export function storedTopics(environment: LmdbEnvironment): ReadonlyMap<string, number> {
  const stored = loadPartitions(environment.database('log.partitions'));
  return new Map(stored.map(({ topic, partitions }) => [topic, partitions]));
}
