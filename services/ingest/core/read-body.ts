import { elementsOf, measure } from './measure.ts';

/** How a body holds its events: one, a JSON array of them, or one a line. */
export type BodyForm = 'single' | 'batch' | 'lines';

export interface BodyLimits {
  readonly eventsMax: number;
  /** Nesting of one event. */
  readonly depthMax: number;
  /** Values (scalars, arrays, objects) in one body. */
  readonly valuesMax: number;
}

/** One event of a body: a JSON value, or what kept it from being one. */
export type Item =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly detail: string };

export interface EventsRead {
  readonly kind: 'events';
  readonly items: readonly Item[];
  /** The text of an event exactly as it was sent. */
  sent(index: number): string;
}

/** `not_json`: nothing of it can be read. The others name the limit that was reached; nothing is let in. */
export interface BodyFault {
  readonly kind: 'not_json' | 'too_many_events' | 'too_many_values';
  readonly detail: string;
}

/**
 * Reads a body's text into its events. In a batch and among lines one that is nested too deeply, and a line that is no
 * JSON, is that event's own fault; a batch that is no JSON is the whole body's.
 */
export function readBody(form: BodyForm, text: string, limits: BodyLimits): EventsRead | BodyFault {
  switch (form) {
    case 'single':
      return readOne(text, limits);
    case 'batch':
      return readBatch(text, limits);
    case 'lines':
      return readTexts(linesOf(text, limits.eventsMax), limits);
  }
}

function readOne(text: string, limits: BodyLimits): EventsRead | BodyFault {
  const read = readTexts([text], limits);
  const first = read.kind === 'events' ? read.items[0] : undefined;
  return first?.kind === 'fault' ? { kind: 'not_json', detail: first.detail } : read;
}

function readBatch(text: string, limits: BodyLimits): EventsRead | BodyFault {
  const measured = measure(text, limits.depthMax + 1, limits.valuesMax);
  // How deep it may be for the parser to see that it is JSON at all does not matter: V8's does not recurse.
  const counted = measured.kind === 'too_deep' ? measure(text, Number.POSITIVE_INFINITY, limits.valuesMax) : measured;
  if (counted.kind === 'too_many') return tooManyValues(limits);
  const body = parsed(text);
  if (body.kind === 'fault') return { kind: 'not_json', detail: body.detail };
  if (!Array.isArray(body.value)) return { kind: 'not_json', detail: 'body: a batch must be a JSON array of events' };
  if (body.value.length > limits.eventsMax) return tooManyEvents(limits);
  let texts: readonly string[] | undefined;
  const sent = (index: number): string => {
    texts ??= elementsOf(text, limits.eventsMax) ?? [];
    return texts[index] ?? '';
  };
  const items = body.value.map((value: unknown, index): Item => {
    const deep =
      measured.kind === 'too_deep' && measure(sent(index), limits.depthMax, limits.valuesMax).kind === 'too_deep';
    return deep ? { kind: 'fault', detail: tooDeep(limits) } : { kind: 'value', value };
  });
  return { kind: 'events', items, sent };
}

/** Each text by itself; undefined stands for bytes that are no UTF-8. */
export function readTexts(texts: readonly (string | undefined)[], limits: BodyLimits): EventsRead | BodyFault {
  if (texts.length > limits.eventsMax) return tooManyEvents(limits);
  const items: Item[] = [];
  let valuesLeft = limits.valuesMax;
  for (const text of texts) {
    if (text === undefined) {
      items.push({ kind: 'fault', detail: 'event: not UTF-8' });
      continue;
    }
    const measured = measure(text, limits.depthMax, valuesLeft);
    if (measured.kind === 'too_many') return tooManyValues(limits);
    if (measured.kind === 'measured') valuesLeft -= measured.values;
    items.push(measured.kind === 'too_deep' ? { kind: 'fault', detail: tooDeep(limits) } : parsed(text));
  }
  return { kind: 'events', items, sent: (index) => texts[index] ?? '' };
}

/** The one place where bytes from outside become a value; V8's parser does not recurse, and `measure` bounds what it makes. */
function parsed(text: string): Item {
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch (fault) {
    if (fault instanceof SyntaxError) return { kind: 'fault', detail: `not JSON: ${fault.message}` };
    throw fault;
  }
}

/** The lines that are not blank, up to one more than `most`: a body of nothing but line breaks must not cost an array. */
function linesOf(text: string, most: number): readonly string[] {
  const lines: string[] = [];
  for (let from = 0; from <= text.length && lines.length <= most; ) {
    const at = text.indexOf('\n', from);
    const to = at === -1 ? text.length : at;
    const line = text.slice(from, to);
    if (isFilled(line)) lines.push(line);
    from = to + 1;
  }
  return lines;
}

/** False for a blank line, which is no event. */
export function isFilled(line: string): boolean {
  return line.length > 0 && line.trim().length > 0;
}

function tooDeep(limits: BodyLimits): string {
  return `event: nested more than ${limits.depthMax} deep (json_depth_max)`;
}

function tooManyEvents(limits: BodyLimits): BodyFault {
  return { kind: 'too_many_events', detail: `body: more than ${limits.eventsMax} events (batch_events_max)` };
}

function tooManyValues(limits: BodyLimits): BodyFault {
  return { kind: 'too_many_values', detail: `body: more than ${limits.valuesMax} JSON values (json_values_max)` };
}
