import type { LogReader } from '../../platform/log/port.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Door } from '../door/door.ts';
import { recordsOf } from '../export/log-end.ts';
import { Candidates } from './candidates.ts';
import { OffsetSet } from './offset-set.ts';
import { type RejectedEvent, readRejected, type SentEvent } from './rejected-event.ts';
import { type Fate, resend } from './resend.ts';
import { type Choice, choose, type Selection } from './selection.ts';
import type { Tally } from './tally.ts';

export interface RedriveOptions {
  readonly log: LogReader;
  /** Resolves once all before this offset of the log was rated. */
  readonly processed: (offset: number) => Promise<void>;
  readonly selection: Selection;
  /** Undefined: nothing is sent. */
  readonly door: Door | undefined;
  /** Whether the door may be another's than the folder's. */
  readonly doubtful: boolean;
  /** So many different events are looked at together. */
  readonly eventsMax: number;
  /** Asked for once sending begins; before that nothing is lost if the process just ends. */
  readonly interruption: () => AbortSignal;
  readonly tally: Tally;
  /** What is sent next, or would be, and what is left out though it was not applied since. */
  readonly onEvent: (rejected: RejectedEvent, choice: Choice) => void;
  readonly onFate: (event: SentEvent, fate: Fate) => void;
  readonly progress: {
    readonly read: (records: number, of: number) => void;
    readonly sent: (events: number, of: number) => void;
  };
}

export interface Redriven {
  /** False if there are more different events than are looked at together. */
  readonly complete: boolean;
  /** Names of the selection that no rejected event has. */
  readonly unknown: readonly string[];
}

/** What stands fixed while it runs: rejections that it brings about itself are not read. */
interface Ends {
  readonly log: number;
  readonly start: number;
  readonly rejected: number;
}

const PARTITION = 0;
const BATCH_EVENTS_MAX = 1000;
const BATCH_CHARS_MAX = 1 << 20;

/**
 * E4: sends rejected events in again, each once, in the order in which they were first rejected. What was applied since is left
 * out: what the log holds again without its being rejected again. So a repeat sends only what was rejected again.
 * @throws CommandFailed if the door cannot be reached, refuses, or is another's, and when interrupted
 */
export async function redrive(options: RedriveOptions): Promise<Redriven> {
  const { log, selection, eventsMax, progress, tally } = options;
  const ends = await fixEnds(options);
  const rejectedOffsets = new OffsetSet();
  for await (const { rejected } of rejectedIn(log, ends.start, ends.rejected)) {
    if (rejected.logOffset !== undefined) rejectedOffsets.add(rejected.logOffset);
  }
  const candidates = new Candidates();
  const dropApplied = () => candidates.dropApplied(log, rejectedOffsets, ends.log, progress.read);
  const unknown = new Set(selection.names);
  let readTo = ends.rejected;
  for await (const { rejected, at } of rejectedIn(log, ends.start, ends.rejected)) {
    const choice = choose(rejected, selection);
    if (choice === 'other') continue;
    if (rejected.kind !== 'event') candidates.skip(rejected.kind);
    else {
      candidates.add(rejected, choice, at);
      unknown.delete(rejected.event.name);
    }
    if (candidates.size < eventsMax) continue;
    await dropApplied();
    if (candidates.size <= eventsMax / 2) continue;
    readTo = at + 1;
    break;
  }
  await dropApplied();
  const left = candidates.take();
  const toSend = [...left.values()].filter((choice) => choice === 'send').length;
  tally.found(toSend, candidates.skipped);
  await sendAll(options, left, toSend, { ...ends, rejected: readTo });
  return { complete: readTo === ends.rejected, unknown: [...unknown] };
}

/** Effects first, checkpoint last: once the log is processed to its end, all that was rejected before that end is in the topic. */
async function fixEnds({ log, processed }: RedriveOptions): Promise<Ends> {
  const end = await log.endOffset(TOPICS.events, PARTITION);
  await processed(end);
  const start = await log.startOffset(TOPICS.rejected, PARTITION);
  return { log: end, start, rejected: await log.endOffset(TOPICS.rejected, PARTITION) };
}

async function* rejectedIn(log: LogReader, from: number, to: number) {
  for await (const records of recordsOf(log, TOPICS.rejected, PARTITION, { from, to })) {
    for (const { value, offset } of records) yield { rejected: readRejected(value.toString('utf8')), at: offset };
  }
}

async function sendAll(
  options: RedriveOptions,
  left: ReadonlyMap<number, Choice>,
  toSend: number,
  ends: Ends,
): Promise<void> {
  const { log, door, onEvent, onFate, progress, tally } = options;
  if (left.size === 0) return;
  const interrupted = options.interruption();
  let doubtful = options.doubtful;
  let batch: SentEvent[] = [];
  let chars = 0;
  let sent = 0;
  const flush = async (): Promise<void> => {
    if (door === undefined || batch.length === 0) return;
    const fates = await resend(door, batch, interrupted, doubtful ? log : undefined);
    for (const [index, fate] of fates.entries()) {
      const event = batch[index];
      tally.settle(fate);
      if (event !== undefined) onFate(event, fate);
      if (fate.kind !== 'rejected' || fate.by === 'rater') doubtful = false;
    }
    sent += batch.length;
    progress.sent(sent, toSend);
    batch = [];
    chars = 0;
  };
  for await (const { rejected, at } of rejectedIn(log, ends.start, ends.rejected)) {
    const choice = left.get(at);
    if (rejected.kind !== 'event' || choice === undefined) continue;
    onEvent(rejected, choice);
    if (choice !== 'send') continue;
    tally.send(rejected.reason);
    if (door === undefined) continue;
    const full = batch.length >= (doubtful ? 1 : BATCH_EVENTS_MAX);
    if (full || chars + rejected.event.text.length > BATCH_CHARS_MAX) await flush();
    batch.push(rejected.event);
    chars += rejected.event.text.length;
  }
  await flush();
}
