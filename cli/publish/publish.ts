import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { askDoor, type Door, problemText, readAnswer } from '../door/door.ts';
import { CommandFailed } from '../failure.ts';
import { type Line, linesOf } from './batches.ts';
import { paceOf } from './pace.ts';

export interface PublishOptions {
  readonly door: Door;
  readonly stream: Readable;
  /** What the stream is called in messages. */
  readonly name: string;
  /** So many times as fast as the events' own times; undefined: as fast as the door takes them. */
  readonly speed: number | undefined;
  /** A clock that only goes forward, ms. */
  readonly monotonic: () => number;
  readonly interrupted: AbortSignal;
  readonly onRejected: (rejection: Rejection) => void;
  readonly onSent: (counts: Published) => void;
}

export interface Rejection {
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
}

export interface Published {
  accepted: number;
  rejected: number;
}

const BATCH_EVENTS_MAX = 1000;
const BATCH_BYTES_MAX = 1 << 20;
/** A timer of Node takes no more than 2^31 ms. */
const WAIT_MS_MAX = 3_600_000;

const answer = z.object({
  accepted: z.number(),
  rejected: z.number(),
  results: z.array(z.object({ index: z.number(), reason: z.string(), detail: z.string() })),
});
const packed = promisify(gzip);

/**
 * Sends the events of a stream by a door, in their order, one batch at a time: a batch that was cut off is sent again, which
 * does no harm (E3, R2).
 * @param counts what the door has taken and refused so far; true also when this throws
 * @throws CommandFailed if the door cannot be reached or refuses a batch whole, and when interrupted; BadCall for a stream
 * that cannot be read
 */
export async function publish(options: PublishOptions, counts: Published): Promise<void> {
  const { speed, monotonic, interrupted } = options;
  const pace = speed === undefined ? undefined : paceOf(speed);
  const begunAt = monotonic();
  let batch: Line[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await send(options, batch, counts);
    batch = [];
    bytes = 0;
  };
  for await (const line of linesOf(options.stream, options.name)) {
    if (interrupted.aborted) break;
    const dueAt = pace === undefined ? 0 : begunAt + pace.dueAfterMs(line);
    if (dueAt > monotonic()) await flush();
    while (dueAt > monotonic() && !interrupted.aborted) {
      const waitMs = Math.min(dueAt - monotonic(), WAIT_MS_MAX);
      await delay(waitMs, undefined, { signal: interrupted }).catch(() => undefined);
    }
    if (interrupted.aborted) break;
    if (batch.length >= BATCH_EVENTS_MAX || bytes + line.bytes.length > BATCH_BYTES_MAX) await flush();
    batch.push(line);
    bytes += line.bytes.length + 1;
  }
  if (interrupted.aborted) throw new CommandFailed(`interrupted: ${options.name} was not sent to its end`);
  await flush();
}

async function send(options: PublishOptions, batch: readonly Line[], counts: Published): Promise<void> {
  const body = Buffer.concat(batch.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
  const reply = await askDoor(
    options.door,
    '/v1/events',
    {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', prefer: 'return=minimal' },
      body: new Uint8Array(await packed(body)),
      patient: counts.accepted + counts.rejected > 0,
    },
    options.interrupted,
  );
  const first = batch[0]?.number ?? 0;
  if (reply.status !== 202) {
    throw new CommandFailed(`${options.name}: the door refused the batch from line ${first} on: ${problemText(reply)}`);
  }
  const { accepted, rejected, results } = readAnswer(options.door, reply, answer);
  counts.accepted += accepted;
  counts.rejected += rejected;
  for (const { index, reason, detail } of results) {
    options.onRejected({ line: batch[index]?.number ?? first, reason, detail });
  }
  options.onSent(counts);
}
