import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Reading } from '../access/port.ts';
import { textsOf } from '../access/records.ts';
import { askDoor, type Door, problemText, readAnswer } from '../door/door.ts';
import { CommandFailed } from '../failure.ts';
import { type SentEvent, sentEvent } from './rejected-event.ts';

type HeldIn = Pick<Reading, 'log' | 'wire' | 'partitions'>;

/** What became of an event that was sent again. `pending`: it is in the log, and the rater has not come to it yet. */
export type Fate =
  | { readonly kind: 'applied' | 'duplicate' | 'pending' }
  | { readonly kind: 'rejected'; readonly by: 'door' | 'rater'; readonly reason: string; readonly detail: string };

const WAIT_MS = 60_000;
const PATH = `/v1/events?wait=applied&timeout_ms=${WAIT_MS}`;

const refusal = { reason: z.string(), detail: z.string() };
const position = z.object({ partition: z.number(), offset: z.number() });
const result = z.discriminatedUnion('status', [
  z.object({ status: z.literal('rejected'), index: z.number(), ...refusal }),
  z.object({
    status: z.literal('accepted'),
    index: z.number(),
    position,
    verdict: z.discriminatedUnion('status', [
      z.object({ status: z.enum(['applied', 'duplicate', 'pending']) }),
      z.object({ status: z.literal('rejected'), ...refusal }),
    ]),
  }),
]);
const answer = z.object({ results: z.array(result) });
const packed = promisify(gzip);

/**
 * Sends events as they were sent at first, in one request, and waits for what becomes of each. A request that was cut off is
 * sent again, which does no harm (E3, R2).
 * @param reading if given, its log must hold the first of them at the place that the door tells: else that is the door of another instance
 * @throws CommandFailed if the door cannot be reached, refuses the request whole, or is another's
 */
export async function resend(
  door: Door,
  events: readonly SentEvent[],
  interrupted: AbortSignal,
  reading: HeldIn | undefined,
): Promise<readonly Fate[]> {
  const body = events.map(({ text }) => `${text}\n`).join('');
  const headers = { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' };
  const request = { method: 'POST', headers, body: new Uint8Array(await packed(body)) } as const;
  const reply = await askDoor(door, PATH, request, interrupted);
  if (reply.status !== 202) throw new CommandFailed(`the door refused to take them: ${problemText(reply)}`);
  const { results } = readAnswer(door, reply, answer);
  if (reading !== undefined) await requireHeld(reading, results[0], events[0], door);
  if (results.length !== events.length) {
    throw new CommandFailed(
      `${door.url} told of ${results.length} events, ${events.length} were sent: is it a door of Tollgate?`,
    );
  }
  return results.map((told): Fate => {
    const verdict = told.status === 'accepted' ? told.verdict : told;
    if (verdict.status !== 'rejected') return { kind: verdict.status };
    const by = told.status === 'accepted' ? 'rater' : 'door';
    return { kind: 'rejected', by, reason: verdict.reason, detail: verdict.detail };
  });
}

async function requireHeld(
  reading: HeldIn,
  told: z.infer<typeof result> | undefined,
  event: SentEvent | undefined,
  door: Door,
): Promise<void> {
  if (told?.status !== 'accepted' || event === undefined) return;
  const { partition, offset } = told.position;
  if (await holds(reading, partition, offset, event)) return;
  throw new CommandFailed(
    `${door.url} is the door of another instance than --data: the rejected event ${event.name} was sent there, and no other`,
  );
}

async function holds(reading: HeldIn, partition: number, offset: number, event: SentEvent): Promise<boolean> {
  if (partition >= reading.partitions) return false;
  const end = await reading.log.endOffset(TOPICS.events, partition);
  const range = { from: offset, to: Math.min(offset + 1, end) };
  for await (const [held] of textsOf(reading, TOPICS.events, partition, range)) {
    return held !== undefined && sentEvent(held.text)?.content === event.content;
  }
  return false;
}
