import { isUtf8 } from 'node:buffer';
import {
  type BodyFault,
  type BodyForm,
  type BodyLimits,
  type EventsRead,
  isFilled,
  readBody,
  readTexts,
} from './core/read-body.ts';
import type { Delivery, SentEvent } from './submit.ts';

const NEWLINE = 0x0a;
const LINE_BREAKS = /[\r\n]+/g;

export type BodyRead =
  | { readonly kind: 'delivery'; readonly delivery: Delivery }
  | { readonly kind: 'fault'; readonly fault: BodyFault; readonly sent: SentEvent };

/** Reads a body's bytes (unpacked already) into its events; among lines, one that is no UTF-8 is that event's own fault. */
export function readDelivery(form: BodyForm, bytes: Buffer, limits: BodyLimits): BodyRead {
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8');
    const read = readBody(form, text, limits);
    if (read.kind !== 'events') return { kind: 'fault', fault: read, sent: { encoding: 'text', text } };
    return { kind: 'delivery', delivery: deliveryOf(read, (index) => read.sent(index)) };
  }
  if (form !== 'lines') {
    return { kind: 'fault', fault: { kind: 'not_json', detail: 'body: not UTF-8' }, sent: base64(bytes) };
  }
  const lines = linesOf(bytes, limits.eventsMax);
  const read = readTexts(
    lines.map((line) => line.text),
    limits,
  );
  if (read.kind !== 'events') return { kind: 'fault', fault: read, sent: base64(bytes) };
  return { kind: 'delivery', delivery: deliveryOf(read, (index) => lines[index]?.text ?? lines[index]?.bytes ?? '') };
}

interface Line {
  readonly bytes: Buffer;
  readonly text: string | undefined;
}

function deliveryOf(read: EventsRead, sent: (index: number) => string | Buffer): Delivery {
  return {
    events: read.items,
    sent: (index) => {
      const given = sent(index);
      if (typeof given !== 'string') return base64(given);
      return read.items[index]?.kind === 'value' ? oneLine(given) : { encoding: 'text', text: given };
    },
  };
}

/** In JSON a line break stands between tokens only, so that a space in its place says the same. */
function oneLine(json: string): SentEvent {
  return { encoding: 'json', text: json.trim().replace(LINE_BREAKS, ' ') };
}

function base64(bytes: Buffer): SentEvent {
  return { encoding: 'base64', text: bytes.toString('base64') };
}

/** The lines that are not blank, up to one more than `most`. */
function linesOf(bytes: Buffer, most: number): readonly Line[] {
  const lines: Line[] = [];
  for (let from = 0; from <= bytes.length && lines.length <= most; ) {
    const at = bytes.indexOf(NEWLINE, from);
    const to = at === -1 ? bytes.length : at;
    const line = bytes.subarray(from, to);
    const text = isUtf8(line) ? line.toString('utf8') : undefined;
    if (text === undefined || isFilled(text)) lines.push({ bytes: line, text });
    from = to + 1;
  }
  return lines;
}
