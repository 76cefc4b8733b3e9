import type { Fetched } from '../kafka/fetch.ts';
import { readBatch, readRecords } from '../kafka/record-batch.ts';
import { LogError, type LogRecord } from './port.ts';

/**
 * Appends what was fetched from `fromOffset` on to `into` and returns where the next fetch begins. The offset of a
 * control batch, by which a foreign producer ends a transaction, and those of transactions that were taken back are
 * passed over: nobody ever reads them. Throws `LogGap`, `LogCorrupt`, and `BatchCorrupt`.
 */
export function readFetched(where: string, fetched: Fetched, fromOffset: number, into: LogRecord[]): number {
  const { batches } = fetched;
  const aborted = new AbortedProducers(fetched.aborted);
  let next = fromOffset;
  let at = 0;
  for (let batch = readBatch(batches, at); batch !== undefined; batch = readBatch(batches, at)) {
    if (batch.lastOffset >= next) {
      if (batch.firstOffset > next) throw gap(where, next, batch.firstOffset);
      const counts = !aborted.includes(batch) && batch.control === undefined;
      if (counts) {
        const length = into.length;
        const from = next;
        readRecords(batches, at, batch, next, into);
        checkContiguous(where, into, length, from, batch.lastOffset);
      }
      next = batch.lastOffset + 1;
    }
    at = batch.end;
  }
  if (at === 0 && batches.length > 0) throw new LogError('LogCorrupt', `${where}: no whole batch at offset ${next}`);
  return next;
}

function checkContiguous(where: string, records: readonly LogRecord[], at: number, from: number, last: number): void {
  let expected = from;
  for (let index = at; index < records.length; index += 1) {
    const offset = records[index]?.offset ?? -1;
    if (offset !== expected) throw gap(where, expected, offset);
    expected += 1;
  }
  if (expected !== last + 1) throw gap(where, expected, last + 1);
}

function gap(where: string, expected: number, found: number): LogError {
  return new LogError('LogGap', `${where}: offset ${expected} is missing, the next is ${found}`);
}

/** Whose batches are taken back, in the order of the offsets. */
class AbortedProducers {
  readonly #waiting: { readonly producerId: bigint; readonly firstOffset: number }[];
  readonly #open = new Set<bigint>();

  constructor(aborted: Fetched['aborted']) {
    this.#waiting = [...aborted].sort((left, right) => right.firstOffset - left.firstOffset);
  }

  includes(batch: NonNullable<ReturnType<typeof readBatch>>): boolean {
    for (let next = this.#waiting.at(-1); next !== undefined; next = this.#waiting.at(-1)) {
      if (next.firstOffset > batch.lastOffset) break;
      this.#open.add(next.producerId);
      this.#waiting.pop();
    }
    if (batch.control === 'abort') this.#open.delete(batch.producerId);
    return batch.transactional && this.#open.has(batch.producerId);
  }
}
