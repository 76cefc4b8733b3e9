import { gzipSync } from 'node:zlib';
import { bearer, usage } from '../ingest/harness.ts';
import type { Random } from './random.ts';
import { BROKEN_HEADS, JUNK_LINES, NO_REQUESTS } from './wire-lists.ts';

/** What a client writes on a connection of its own, and how it leaves. */
export interface WireInput {
  /** Written one after the other, so that they come as segments of their own. */
  readonly pieces: readonly Buffer[];
  /** Waits until the server has closed; ends its own side; or goes away at once, without waiting for anything. */
  readonly leaves: 'after the answer' | 'its side' | 'at once';
  /** Ids of the events in it, all of them in order. */
  readonly ids: readonly string[];
  /** What must become of those: they are in the log and answered so; they are not there; or nobody can say, but not twice. */
  readonly fate: 'answered' | 'never' | 'maybe';
  /** What may be kept as a refusal, once. */
  readonly refused?: string;
}

/** A connection to the door: honest ones among all the ways in which a client may break off, lie or babble. */
export function wireInput(random: Random, name: string): WireInput {
  const one = random.pick([
    honest,
    honest,
    honest,
    pipelined,
    gone,
    cut,
    cut,
    wrongLength,
    brokenHead,
    junkHeader,
    babble,
  ]);
  return one(random, name);
}

function honest(random: Random, name: string): WireInput {
  const ids = idsOf(random, name);
  const pieces = split(random, requestOf(random, ids, 'close'));
  return { pieces, leaves: 'after the answer', ids, fate: 'answered' };
}

function pipelined(random: Random, name: string): WireInput {
  const requests = Array.from({ length: 2 + random.below(3) }, (_, index) => idsOf(random, `${name}-${index}`));
  const bytes = requests.map((ids, index) =>
    requestOf(random, ids, index < requests.length - 1 ? 'keep-alive' : 'close'),
  );
  return {
    pieces: split(random, Buffer.concat(bytes)),
    leaves: 'after the answer',
    ids: requests.flat(),
    fate: 'answered',
  };
}

/** Goes away as soon as all is sent: the log may have it, and nobody was told. */
function gone(random: Random, name: string): WireInput {
  const ids = idsOf(random, name);
  const leaves = random.pick(['its side', 'at once'] as const);
  return { pieces: split(random, requestOf(random, ids, 'close')), leaves, ids, fate: 'maybe' };
}

/** Breaks off before the last byte. */
function cut(random: Random, name: string): WireInput {
  const ids = idsOf(random, name);
  const whole = requestOf(random, ids, 'close');
  const pieces = split(random, whole.subarray(0, 1 + random.below(whole.length - 1)));
  return { pieces, leaves: random.pick(['its side', 'at once'] as const), ids, fate: 'never' };
}

/** Says that its one event is longer or shorter than it is: a part of it is no JSON. */
function wrongLength(random: Random, name: string): WireInput {
  const ids = [name];
  const body = bodyOf(ids);
  const long = random.chance(0.5);
  const length = long ? body.length + 1 + random.below(100) : 1 + random.below(body.length - 1);
  const head = headOf(['Content-Type: application/json', 'Connection: close', `Content-Length: ${length}`]);
  const pieces = split(random, Buffer.concat([head, body]));
  if (long) return { pieces, leaves: 'its side', ids, fate: 'never' };
  return { pieces, leaves: 'after the answer', ids, fate: 'never', refused: body.toString('utf8', 0, length) };
}

/** Contradicts itself about its length, or about what HTTP is; no such request reaches the log. */
function brokenHead(random: Random, name: string): WireInput {
  const ids = [name];
  const body = bodyOf(ids);
  const lines = random.pick(BROKEN_HEADS).map((line) => line.replace('LENGTH', String(body.length)));
  const head = headOf(['Content-Type: application/json', ...lines]);
  const leaves = random.pick(['its side', 'at once'] as const);
  return { pieces: split(random, Buffer.concat([head, body])), leaves, ids, fate: 'never' };
}

/** A request in order but for a header that says nothing, or is none. */
function junkHeader(random: Random, name: string): WireInput {
  const ids = [name];
  const body = bodyOf(ids);
  const own = ['Content-Type: application/json', 'Connection: close', `Content-Length: ${body.length}`];
  const head = headOf(own.toSpliced(random.below(4), 0, random.pick(JUNK_LINES)));
  return { pieces: split(random, Buffer.concat([head, body])), leaves: 'its side', ids, fate: 'maybe' };
}

function babble(random: Random): WireInput {
  const bytes = random.chance(0.4)
    ? random.bytes(1 + random.below(300))
    : Buffer.from(random.pick(NO_REQUESTS), 'latin1');
  return {
    pieces: split(random, bytes),
    leaves: random.pick(['its side', 'at once'] as const),
    ids: [],
    fate: 'never',
  };
}

function idsOf(random: Random, name: string): readonly string[] {
  return Array.from({ length: 1 + random.below(3) }, (_, index) => `${name}.${index}`);
}

function bodyOf(ids: readonly string[]): Buffer {
  return Buffer.from(ids.map((id) => JSON.stringify(usage(id))).join('\n'));
}

function headOf(lines: readonly string[]): Buffer {
  const own = ['POST /v1/events HTTP/1.1', 'Host: x', `Authorization: ${bearer('operator').authorization}`];
  return Buffer.from(`${[...own, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}

function requestOf(random: Random, ids: readonly string[], connection: string): Buffer {
  const plain = bodyOf(ids);
  const packs = random.chance(0.3);
  const body = packs ? gzipSync(plain) : plain;
  const lines = ['Content-Type: application/x-ndjson', `Connection: ${connection}`];
  if (packs) lines.push('Content-Encoding: gzip');
  if (random.chance(0.6)) return Buffer.concat([headOf([...lines, `Content-Length: ${body.length}`]), body]);
  return Buffer.concat([headOf([...lines, 'Transfer-Encoding: chunked']), chunked(random, body)]);
}

function chunked(random: Random, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0; from < body.length; ) {
    const part = body.subarray(from, from + 1 + random.below(400));
    parts.push(Buffer.from(`${part.length.toString(16)}${random.pick(['', ';a=b'])}\r\n`), part, Buffer.from('\r\n'));
    from += part.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

function split(random: Random, bytes: Buffer): readonly Buffer[] {
  const cuts = Array.from({ length: random.pick([0, 0, 1, 2]) }, () => random.below(bytes.length));
  const bounds = [0, ...cuts.sort((left, right) => left - right), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}
