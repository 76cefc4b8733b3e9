import { setTimeout as delay } from 'node:timers/promises';
import type { Round } from './fleet.ts';
import { SOURCE } from './fleet.ts';
import type { Journal, Told } from './journal.ts';
import type { SampleProducer } from './samples.ts';

export interface SenderOptions {
  /** The HTTP doors; the next is tried when one does not answer. */
  readonly doors: readonly string[];
  readonly key: string;
  readonly next: () => Round;
  readonly samples: SampleProducer;
  readonly journal: Journal;
  /** Events a second, at most. */
  readonly rate: number;
  /** Told of the fleet's time once all of a round is acknowledged. */
  readonly onRound: (now: number) => void;
}

export interface Sender {
  /** Events that the log has, as it was told. */
  readonly accepted: number;
  readonly refused: number;
  readonly samples: number;
  /** Sent again, since no answer came or the door was busy. */
  readonly repeats: number;
  /** Ends after what is under way was acknowledged. @throws what ended it before */
  stop(): Promise<void>;
}

const ID = /"id":"([^"]+)"/;
const BATCH_MAX = 60;
const ANSWER_MS = 20_000;
const RETRY_MS = 200;
/** Longer than every server together is away. */
const TRIES_MAX = 3_000;

/** Sends round after round, each batch again and again until it is acknowledged, and writes down what it was told. */
export function startSender(options: SenderOptions): Sender {
  const { doors, key, next, samples, journal, rate, onRound } = options;
  let [accepted, refused, sampled, repeats, door] = [0, 0, 0, 0, 0];
  let stopping = false;

  async function send(lines: readonly string[]): Promise<void> {
    journal.note([['sending', lines.flatMap((line) => ID.exec(line)?.[1] ?? [])]]);
    for (let tries = 1; ; tries += 1) {
      const told = await post(doors[door % doors.length] ?? '', key, lines);
      if (told !== undefined) {
        journal.note(told);
        for (const [what] of told) {
          if (what === 'accepted') accepted += 1;
          else refused += 1;
        }
        return;
      }
      if (tries >= TRIES_MAX) throw new Error(`no door took a batch in ${tries} tries`);
      repeats += lines.length;
      door += 1;
      await delay(RETRY_MS);
    }
  }

  async function run(): Promise<void> {
    while (!stopping) {
      const { lines, samples: ofRound, now } = next();
      const begun = performance.now();
      if (ofRound.length > 0) {
        journal.note([['sending', ofRound.map(({ id }) => id)]]);
        repeats += await samples.send(ofRound);
        journal.note(ofRound.map(({ id }): Told => ['sample', id]));
        sampled += ofRound.length;
      }
      for (let from = 0; from < lines.length; from += BATCH_MAX) await send(lines.slice(from, from + BATCH_MAX));
      onRound(now);
      const spared = ((lines.length + ofRound.length) * 1000) / rate - (performance.now() - begun);
      if (spared > 0) await delay(spared);
    }
  }

  const running = run();
  running.catch(() => undefined); // whoever stops it is told
  return {
    get accepted() {
      return accepted;
    },
    get refused() {
      return refused;
    },
    get samples() {
      return sampled;
    },
    get repeats() {
      return repeats;
    },
    async stop() {
      stopping = true;
      await running;
    },
  };
}

interface PostAnswer {
  readonly results: readonly {
    readonly status: 'accepted' | 'rejected';
    readonly id?: string;
    readonly source?: string;
    readonly reason?: string;
    readonly position?: { readonly partition: number; readonly offset: number };
  }[];
}

/** The answers on which the same is sent again; whether some of it was written is unknown then. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);

/** What became of each line; undefined if there was no answer, or none yet. @throws Error for an answer that none may get */
async function post(door: string, key: string, lines: readonly string[]): Promise<readonly Told[] | undefined> {
  let status: number;
  let text: string;
  try {
    const answer = await fetch(`${door}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    status = answer.status;
    text = await answer.text();
  } catch {
    return undefined;
  }
  if (BUSY.has(status)) return undefined;
  if (status !== 202) throw new Error(`the door answered ${status}: ${text.slice(0, 500)}`);
  const { results }: PostAnswer = JSON.parse(text);
  if (results.length !== lines.length) throw new Error(`${lines.length} events sent, ${results.length} answered`);
  return results.map(({ status: how, id, source, reason = '', position }): Told => {
    if (how === 'rejected') return ['refused', id ?? null, reason];
    if (position === undefined || id === undefined || source !== SOURCE) throw new Error(`no such answer: ${text}`);
    return ['accepted', id, position.partition, position.offset];
  });
}
