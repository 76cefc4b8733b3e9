import { z } from 'zod';
import { fingerprint } from '../../services/shared/canonical-json.ts';

/** A record of a topic. */
export interface RecordPlace {
  readonly partition: number;
  readonly offset: number;
}

/** An event that was rejected, whole. */
export interface RejectedEvent {
  readonly kind: 'event';
  readonly reason: string;
  /** Where it stands in the log; undefined if the door refused it, so that it never entered. */
  readonly inLog: RecordPlace | undefined;
  readonly event: SentEvent;
}

/** What can never be sent again: of it only the beginning was kept, or it is no JSON object. */
export interface LostEvent {
  readonly kind: 'truncated' | 'not_json';
  readonly reason: string;
  readonly inLog: RecordPlace | undefined;
}

/** An event as it was sent, and what it is told apart by. */
export interface SentEvent {
  /** One line of JSON, to the letter. */
  readonly text: string;
  readonly type: unknown;
  readonly id: unknown;
  /** `<source>/<id>`. */
  readonly name: string;
  readonly account: unknown;
  /** E3, R2: the same for events of the same envelope and data, and for no others. */
  readonly content: string;
}

const record = z.object({
  reason: z.string(),
  origin: z.union([z.object({ partition: z.number(), offset: z.number() }), z.object({ sent_by: z.string() })]),
  truncated: z.boolean().default(false),
  event: z.object({ encoding: z.enum(['json', 'text', 'base64']), text: z.string() }),
});

/** Reads a record of `metering.rejected`, the rater's or the door's. */
export function readRejected(json: string): RejectedEvent | LostEvent {
  const { reason, origin, truncated, event } = record.parse(JSON.parse(json));
  const inLog = 'offset' in origin ? origin : undefined;
  if (truncated) return { kind: 'truncated', reason, inLog };
  const sent = event.encoding === 'json' ? sentEvent(event.text) : undefined;
  return sent === undefined ? { kind: 'not_json', reason, inLog } : { kind: 'event', reason, inLog, event: sent };
}

/** Undefined for JSON that is no object. `time` and what else the envelope may hold say nothing about which event it is. */
export function sentEvent(text: string): SentEvent | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { id, source, type, subject, data = {} } = { ...EMPTY, ...value };
  const content = fingerprint([id ?? null, source ?? null, type ?? null, subject ?? null, data]);
  return { text, type, id, name: `${textOf(source)}/${textOf(id)}`, account: subject, content };
}

const EMPTY: Readonly<Record<'id' | 'source' | 'type' | 'subject' | 'data', unknown>> = {
  ...{ id: undefined, source: undefined, type: undefined, subject: undefined, data: undefined },
};

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
