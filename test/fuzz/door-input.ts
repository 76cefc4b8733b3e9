import { DATA, eventOf, type Json } from '../ingest/harness.ts';
import { actInput, queryInput } from './door-asks.ts';
import { bombInput, withHeaders } from './door-headers.ts';
import { type DoorInput, MEDIA } from './door-request.ts';
import { changeBytes } from './hostile-bytes.ts';
import { spoilStructure } from './hostile-line.ts';
import { IDS } from './hostile-lists.ts';
import type { Random } from './random.ts';

/** Bounds of the door that is fuzzed: low ones, so that inputs stand on both sides of them. */
export const BOUNDS = { bodyBytesMax: 64 * 1024, inflatedBytesMax: 256 * 1024, batchEventsMax: 6, jsonDepthMax: 16 };

const TYPES = [...DATA.keys()];
const PRINTABLE_CHARS_MAX = 20_000;

/** One request: valid to begin with, then changed none or a few times, in its structure, its bytes or its headers. */
export function doorInput(random: Random): DoorInput {
  if (random.chance(0.05)) return queryInput(random);
  if (random.chance(0.02)) return actInput(random);
  if (random.chance(0.005)) return bombInput(random, BOUNDS.inflatedBytesMax);
  const media = random.pick(MEDIA);
  const body = Buffer.from(bodyText(random, media), 'utf8');
  return withHeaders(random, media, random.chance(0.25) ? changeBytes(random, body) : body);
}

function bodyText(random: Random, media: (typeof MEDIA)[number]): string {
  if (media === 'application/cloudevents+json' || media === 'application/json') return eventText(random);
  const texts = Array.from({ length: random.below(BOUNDS.batchEventsMax + 2) }, () => eventText(random));
  if (media === 'application/cloudevents-batch+json') return `[${texts.join(random.pick([',', ' , ', ',\n']))}]`;
  return texts.map((text) => text + random.pick(['\n', '\r\n', '\n\n', '\n \t\n'])).join('');
}

function eventText(random: Random): string {
  const type = random.pick(TYPES);
  const id = random.chance(0.1) ? random.pick(IDS) : `e${random.below(1000)}`;
  const event: Json = { ...eventOf(type, id), data: { ...DATA.get(type) } };
  if (random.chance(0.1)) event.forwarded = true;
  if (random.chance(0.1)) event.extra = nested(random);
  let text = JSON.stringify(event);
  const changes = random.pick([0, 0, 0, 1, 1, 2, 3]);
  // What is very deep already cannot be printed again.
  for (let change = 0; change < changes && text.length < PRINTABLE_CHARS_MAX; change += 1)
    text = spoilStructure(text, random);
  return text;
}

/** What stands beside the event's own members, just as deep as the door bears, or one deeper. */
function nested(random: Random): unknown {
  let value: unknown = 1;
  const depth = BOUNDS.jsonDepthMax - 1 + random.below(2);
  for (let level = 0; level < depth; level += 1) value = random.chance(0.5) ? [value] : { a: value };
  return value;
}
