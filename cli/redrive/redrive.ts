import { TOPICS } from '../../services/shared/topics.ts';
import type { Access } from '../access/port.ts';
import { textsOf } from '../access/records.ts';
import type { Door } from '../door/door.ts';
import { Candidates, type Chosen } from './candidates.ts';
import { OffsetSet } from './offset-set.ts';
import {
  type LostEvent,
  type RecordPlace,
  type RejectedEvent,
  readRejected,
  type SentEvent,
} from './rejected-event.ts';
import { type Fate, resend } from './resend.ts';
import { type Choice, choose, type Selection } from './selection.ts';
import type { Tally } from './tally.ts';

export interface RedriveOptions {
  readonly access: Pick<Access, 'log' | 'wire' | 'partitions' | 'processed'>;
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

/** What stands fixed while it runs, of each partition: rejections that it brings about itself are not read. */
interface Ends {
  /** Of the log of events. */
  readonly events: readonly number[];
  readonly rejected: readonly { readonly from: number; readonly to: number }[];
}

const BATCH_EVENTS_MAX = 1000;
const BATCH_CHARS_MAX = 1 << 20;

/**
 * E4: sends rejected events in again, each once, by partition and in the order in which they were first rejected. What was
 * applied since is left out: what the log holds again without its being rejected again. So a repeat sends only what was
 * rejected again.
 * @throws CommandFailed if the door cannot be reached, refuses, or is another's, and when interrupted
 */
export async function redrive(options: RedriveOptions): Promise<Redriven> {
  const { access, selection, eventsMax, progress, tally } = options;
  const ends = await fixEnds(options);
  const rejectedOffsets = ends.events.map(() => new OffsetSet());
  for await (const { rejected } of rejectedIn(options, ends)) {
    if (rejected.inLog !== undefined) rejectedOffsets[rejected.inLog.partition]?.add(rejected.inLog.offset);
  }
  const candidates = new Candidates(access.partitions);
  const dropApplied = () => candidates.dropApplied(access, rejectedOffsets, ends.events, progress.read);
  const unknown = new Set(selection.names);
  const all = ends.rejected.reduce((sum, { from, to }) => sum + to - from, 0);
  let read = 0;
  for await (const { rejected, at } of rejectedIn(options, ends)) {
    read += 1;
    const choice = choose(rejected, selection);
    if (choice === 'other') continue;
    if (rejected.kind !== 'event') candidates.skip(rejected.kind);
    else {
      candidates.add(rejected, choice, at);
      unknown.delete(rejected.event.name);
    }
    if (candidates.size < eventsMax) continue;
    await dropApplied();
    if (candidates.size > eventsMax / 2) break;
  }
  await dropApplied();
  const left = candidates.take();
  const choices = [...left.values()].flatMap((chosen) => [...chosen.values()]);
  const toSend = choices.filter((choice) => choice === 'send').length;
  tally.found(toSend, candidates.skipped);
  await sendAll(options, left, toSend, ends);
  return { complete: read === all, unknown: [...unknown] };
}

/** Effects first, checkpoint last: once the log is processed to its end, all that was rejected before that end is in the topic. */
async function fixEnds({ access }: RedriveOptions): Promise<Ends> {
  const { log, partitions } = access;
  const events: number[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    events.push(await log.endOffset(TOPICS.events, partition));
  }
  for (const [partition, end] of events.entries()) await access.processed(partition, end);
  const rejected: { from: number; to: number }[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = await log.startOffset(TOPICS.rejected, partition);
    rejected.push({ from, to: await log.endOffset(TOPICS.rejected, partition) });
  }
  return { events, rejected };
}

async function* rejectedIn(
  { access }: RedriveOptions,
  ends: Ends,
): AsyncGenerator<{ readonly rejected: RejectedEvent | LostEvent; readonly at: RecordPlace }> {
  for (const [partition, range] of ends.rejected.entries()) {
    for await (const records of textsOf(access, TOPICS.rejected, partition, range)) {
      for (const { text, offset } of records) yield { rejected: readRejected(text), at: { partition, offset } };
    }
  }
}

async function sendAll(options: RedriveOptions, left: Chosen, toSend: number, ends: Ends): Promise<void> {
  const { access, door, onEvent, onFate, progress, tally } = options;
  if (left.size === 0) return;
  const interrupted = options.interruption();
  let doubtful = options.doubtful;
  let batch: SentEvent[] = [];
  let chars = 0;
  let sent = 0;
  let toSee = [...left.values()].reduce((sum, chosen) => sum + chosen.size, 0);
  const flush = async (): Promise<void> => {
    if (door === undefined || batch.length === 0) return;
    const fates = await resend(door, batch, interrupted, doubtful ? access : undefined);
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
  for await (const { rejected, at } of rejectedIn(options, ends)) {
    if (toSee === 0) break;
    const choice = left.get(at.partition)?.get(at.offset);
    if (rejected.kind !== 'event' || choice === undefined) continue;
    toSee -= 1;
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
