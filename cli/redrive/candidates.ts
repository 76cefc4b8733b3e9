import { PARTITION_OF_PRICES, partitionOf } from '../../services/shared/partition.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Reading } from '../access/port.ts';
import { textsOf } from '../access/records.ts';
import type { OffsetSet } from './offset-set.ts';
import { type RecordPlace, type RejectedEvent, sentEvent } from './rejected-event.ts';
import { type Choice, isUsage, type Skipped } from './selection.ts';

/** An event that was rejected, however often, and what to do with it. */
interface Candidate {
  /** Of the record of `metering.rejected` from which it is sent. */
  readonly at: RecordPlace;
  readonly choice: Exclude<Choice, 'other'>;
  /** E1: the only one in which the log may hold it again. */
  readonly partition: number;
  readonly id: unknown;
  /** Of an act: what it is known by (E3), whatever its content. */
  readonly act: string | undefined;
}

/** What to do with the records of `metering.rejected`, by partition and offset. */
export type Chosen = ReadonlyMap<number, ReadonlyMap<number, Candidate['choice']>>;

/** The id of a record of the log, which begins with it (the door writes its members in one order). */
const ID = /"id":"([A-Za-z0-9._:-]+)"/;

/** The rejected events that are meant, each once, by what they say. */
export class Candidates {
  readonly #partitions: number;
  readonly #byContent = new Map<string, Candidate>();
  readonly skipped = new Map<Skipped, number>();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  get size(): number {
    return this.#byContent.size;
  }

  add(rejected: RejectedEvent, choice: Candidate['choice'], at: RecordPlace): void {
    const { content, id, account, name } = rejected.event;
    const known = this.#byContent.get(content);
    // What was forbidden to one key may have come again by another, and been rejected for what can be mended.
    if (known !== undefined && (known.choice === 'send' || choice !== 'send')) return;
    const act = isUsage(rejected) ? undefined : `${String(account)} ${name}`;
    // What is of no account is prices, or a tick, which every partition has.
    const partition = typeof account === 'string' ? partitionOf(account, this.#partitions) : PARTITION_OF_PRICES;
    this.#byContent.set(content, { at, choice, partition, id, act });
  }

  skip(why: Skipped): void {
    this.skipped.set(why, (this.skipped.get(why) ?? 0) + 1);
  }

  /**
   * Takes out what the log holds a second time and not rejected: that was applied since, or was a duplicate.
   * @param ends of each partition of the log: what is looked at
   * @param rejected of each partition: the offsets of all records before its end that were rejected
   */
  async dropApplied(
    reading: Pick<Reading, 'log' | 'wire'>,
    rejected: readonly OffsetSet[],
    ends: readonly number[],
    progress: (read: number, of: number) => void,
  ): Promise<void> {
    const ids = new Map<number, Set<unknown>>();
    for (const { partition, id } of this.#byContent.values()) {
      ids.set(partition, (ids.get(partition) ?? new Set()).add(id));
    }
    const all = [...ids.keys()].reduce((sum, partition) => sum + (ends[partition] ?? 0), 0);
    let before = 0;
    for (const [partition, wanted] of ids) {
      const to = ends[partition] ?? 0;
      const from = await reading.log.startOffset(TOPICS.events, partition);
      for await (const records of textsOf(reading, TOPICS.events, partition, { from, to })) {
        for (const { text, offset } of records) {
          if (!wanted.has(ID.exec(text)?.[1]) || rejected[partition]?.has(offset) === true) continue;
          if (this.#byContent.delete(sentEvent(text)?.content ?? '')) this.skip('applied_since');
        }
        progress(before + (records[records.length - 1]?.offset ?? 0) + 1, all);
      }
      before += to;
    }
  }

  /** What is left, by partition and offset of the record from which it is sent; what is not sent is counted as skipped. */
  take(): Chosen {
    const acts = new Map<string, number>();
    for (const { act, choice } of this.#byContent.values()) {
      if (act !== undefined && choice === 'send') acts.set(act, (acts.get(act) ?? 0) + 1);
    }
    const left = new Map<number, Map<number, Candidate['choice']>>();
    for (const { choice, act, at } of this.#byContent.values()) {
      const ambiguous = choice === 'send' && act !== undefined && (acts.get(act) ?? 0) > 1;
      const chosen = ambiguous ? 'act_ambiguous' : choice;
      if (chosen !== 'send') this.skip(chosen);
      const inPartition = left.get(at.partition) ?? new Map<number, Candidate['choice']>();
      left.set(at.partition, inPartition.set(at.offset, chosen));
    }
    this.#byContent.clear();
    return left;
  }
}
