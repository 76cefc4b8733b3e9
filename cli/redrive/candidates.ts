import type { LogReader } from '../../platform/log/port.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { recordsOf } from '../export/log-end.ts';
import type { OffsetSet } from './offset-set.ts';
import { type RejectedEvent, sentEvent } from './rejected-event.ts';
import { type Choice, isUsage, type Skipped } from './selection.ts';

/** An event that was rejected, however often, and what to do with it. */
interface Candidate {
  /** Of the record of `metering.rejected` from which it is sent. */
  readonly at: number;
  readonly choice: Exclude<Choice, 'other'>;
  readonly id: unknown;
  /** Of an act: what it is known by (E3), whatever its content. */
  readonly act: string | undefined;
}

/** The id of a record of the log, which begins with it (the door writes its members in one order). */
const ID = /"id":"([A-Za-z0-9._:-]+)"/;

/** The rejected events that are meant, each once, by what they say. */
export class Candidates {
  readonly #byContent = new Map<string, Candidate>();
  readonly skipped = new Map<Skipped, number>();

  get size(): number {
    return this.#byContent.size;
  }

  add(rejected: RejectedEvent, choice: Candidate['choice'], at: number): void {
    const { content, id, account, name } = rejected.event;
    const known = this.#byContent.get(content);
    // What was forbidden to one key may have come again by another, and been rejected for what can be mended.
    if (known !== undefined && (known.choice === 'send' || choice !== 'send')) return;
    const act = isUsage(rejected) ? undefined : `${String(account)} ${name}`;
    this.#byContent.set(content, { at, choice, id, act });
  }

  skip(why: Skipped): void {
    this.skipped.set(why, (this.skipped.get(why) ?? 0) + 1);
  }

  /**
   * Takes out what the log holds a second time and not rejected, before `end`: that was applied since, or was a duplicate.
   * @param rejected the offsets of all records before `end` that were rejected
   */
  async dropApplied(
    log: LogReader,
    rejected: OffsetSet,
    end: number,
    progress: (read: number, of: number) => void,
  ): Promise<void> {
    if (this.#byContent.size === 0) return;
    const ids = new Set([...this.#byContent.values()].map(({ id }) => id));
    const from = await log.startOffset(TOPICS.events, 0);
    for await (const records of recordsOf(log, TOPICS.events, 0, { from, to: end })) {
      for (const { value, offset } of records) {
        const text = value.toString('utf8');
        if (!ids.has(ID.exec(text)?.[1]) || rejected.has(offset)) continue;
        if (this.#byContent.delete(sentEvent(text)?.content ?? '')) this.skip('applied_since');
      }
      progress((records[records.length - 1]?.offset ?? 0) + 1, end);
    }
  }

  /** What is left, by the place from which it is sent; what is not to be sent is counted as skipped. */
  take(): ReadonlyMap<number, Candidate['choice']> {
    const acts = new Map<string, number>();
    for (const { act, choice } of this.#byContent.values()) {
      if (act !== undefined && choice === 'send') acts.set(act, (acts.get(act) ?? 0) + 1);
    }
    const left = new Map<number, Candidate['choice']>();
    for (const { choice, act, at } of this.#byContent.values()) {
      const ambiguous = choice === 'send' && act !== undefined && (acts.get(act) ?? 0) > 1;
      const chosen = ambiguous ? 'act_ambiguous' : choice;
      if (chosen !== 'send') this.skip(chosen);
      left.set(at, chosen);
    }
    this.#byContent.clear();
    return left;
  }
}
