import { gunzipSync } from 'node:zlib';
import type { EnforcementControl } from '../../services/ingest/ports.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { type Harness, harness, type Json, MemorySink, NO_ENFORCEMENT, NOW } from '../ingest/harness.ts';
import { BOUNDS, doorInput } from './door-input.ts';
import type { DoorInput } from './door-request.ts';
import { Random } from './random.ts';

export const PARTITIONS = 3;
const MEMBERS = /^\{"specversion":"1\.0","id":"[^"]+","source":"/;

/** How many inputs ended in what. */
export interface FuzzReport {
  readonly statuses: ReadonlyMap<string, number>;
  readonly accepted: number;
  readonly rejected: number;
}

/** Every act is done, for everybody that there is. */
const ENFORCEMENT: EnforcementControl = {
  ...NO_ENFORCEMENT,
  act: async ({ target }) =>
    target === 'all' || target.accountId === 'acme' ? { kind: 'done', at: NOW } : { kind: 'unknown_account' },
};

interface Results {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: readonly {
    readonly id?: string;
    readonly status: string;
    readonly position?: { readonly partition: number; readonly offset: number };
  }[];
}

/**
 * Sends that many mutated requests to a door with its log in memory, and checks after each that nothing crashed (no 5xx,
 * no unhandled rejection), that accepted + rejected = sent, and that the log holds exactly what was said to be accepted.
 * @throws Error that names the seed, the input and the request
 */
export async function fuzzDoor(
  seed: number,
  inputs: number,
  sink: MemorySink = new MemorySink(PARTITIONS),
): Promise<FuzzReport> {
  const random = new Random(seed);
  const door = harness(BOUNDS, { sink, enforcement: ENFORCEMENT });
  const unhandled: unknown[] = [];
  const note = (fault: unknown): void => void unhandled.push(fault);
  process.on('unhandledRejection', note);
  const statuses = new Map<string, number>();
  let accepted = 0;
  let rejected = 0;
  try {
    for (let at = 0; at < inputs; at += 1) {
      const input = doorInput(random);
      try {
        const answer = await sendAndCheck(door, sink, input);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        accepted += answer.accepted;
        rejected += answer.rejected;
        if (unhandled.length > 0) throw new Error('an unhandled rejection', { cause: unhandled[0] });
      } catch (cause) {
        const request = JSON.stringify({ ...input, payload: input.payload.toString('base64') });
        throw new Error(
          `seed ${seed}, input ${at}: ${cause instanceof Error ? cause.message : String(cause)}\n${request}`,
          { cause },
        );
      }
    }
  } finally {
    process.off('unhandledRejection', note);
    await door.door.close();
  }
  return { statuses, accepted, rejected };
}

interface Outcome {
  readonly status: string;
  readonly accepted: number;
  readonly rejected: number;
}

async function sendAndCheck({ door }: Harness, sink: MemorySink, input: DoorInput): Promise<Outcome> {
  for (const log of sink.logs) log.length = 0;
  sink.rejected.length = 0;
  const { method, url, headers, payload } = input;
  const answer = await door.inject({ method, url, headers, payload });
  const kept = sink.rejected.length;
  const logged = sink.texts;
  if (answer.statusCode >= 500) throw new Error(`answered ${answer.statusCode}: ${answer.body}`);
  for (const text of logged) checkRecord(text);
  if (answer.statusCode === 200 && logged.length === 0 && kept === 0) {
    answer.json();
    return { status: '200', accepted: 0, rejected: 0 };
  }
  if (answer.statusCode !== 202) {
    const code = answer.json<{ code: string }>().code;
    if (typeof code !== 'string') throw new Error(`a problem without a code: ${answer.body}`);
    if (logged.length > 0) throw new Error(`answered ${answer.statusCode}, but ${logged.length} are in the log`);
    if (kept > 1) throw new Error(`answered ${answer.statusCode}, but kept ${kept}`);
    return { status: `${answer.statusCode} ${code}`, accepted: 0, rejected: kept };
  }
  const said = answer.json<Results>();
  const sent = sentEvents(input);
  if (said.accepted + said.rejected !== sent)
    throw new Error(`${said.accepted} + ${said.rejected} is not ${sent}: ${answer.body}`);
  if (kept !== said.rejected) throw new Error(`said that ${said.rejected} are rejected, but kept ${kept}`);
  checkLog(
    sink.logs.map((log) => log.map(({ text }) => text)),
    said,
    headers.prefer !== undefined,
  );
  return { status: '202', accepted: said.accepted, rejected: said.rejected };
}

/** E: what is in the log is an event that the rater can read, without `time` and without `forwarded`. */
function checkRecord(text: string): void {
  const value: unknown = JSON.parse(text);
  const event = parseEvent(value, 0);
  if ('reason' in event) throw new Error(`in the log is what the rater refuses: ${event.detail}: ${text}`);
  if (text.includes('\n') || !MEMBERS.test(text)) throw new Error(`not a record: ${text}`);
  const members = Object.keys(value as Json);
  if (members.includes('time') || members.includes('forwarded'))
    throw new Error(`a record with ${members.join()}: ${text}`);
}

/** Each accepted event is at its position, and nothing else is in the log but a tick's copies. */
function checkLog(logs: readonly (readonly string[])[], said: Results, minimal: boolean): void {
  const ticks = logs.map((log) => log.filter((text) => text.includes('"type":"clock.tick"')).length);
  const all = logs.reduce((sum, log) => sum + log.length, 0);
  const copies = (PARTITIONS - 1) * (ticks[0] ?? 0);
  if (all - copies !== said.accepted)
    throw new Error(`${all} records (${copies} copies of ticks) for ${said.accepted} accepted`);
  if (minimal) return;
  const lasts = new Map<number, number>();
  for (const { id, position, status } of said.results) {
    if (status !== 'accepted') continue;
    if (position === undefined) throw new Error('accepted, but nowhere');
    const text = logs[position.partition]?.[position.offset];
    if (text === undefined || (JSON.parse(text) as Json).id !== id)
      throw new Error(`${id} is not at ${JSON.stringify(position)}`);
    if (position.offset <= (lasts.get(position.partition) ?? -1)) throw new Error('out of order');
    lasts.set(position.partition, position.offset);
  }
}

/** How many events a body holds that could be read, counted by other means than the door's. */
function sentEvents(input: DoorInput): number {
  const encoding = (input.headers['content-encoding'] ?? '').trim().toLowerCase();
  const bytes = encoding === 'gzip' || encoding === 'x-gzip' ? gunzipSync(input.payload) : input.payload;
  const type = input.headers['content-type'] ?? '';
  if (type.includes('ndjson'))
    return bytes
      .toString('latin1')
      .split('\n')
      .filter((line) => !isBlank(line)).length;
  if (!type.includes('batch')) return 1;
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (!Array.isArray(value)) throw new Error('a batch that is no array was let in');
  return value.length;
}

/** Blank as the door sees it: white space only, once it is read as UTF-8; what is no UTF-8 is never blank. */
function isBlank(line: string): boolean {
  const bytes = Buffer.from(line, 'latin1');
  const text = bytes.toString('utf8');
  return !text.includes('\ufffd') && text.trim() === '';
}
