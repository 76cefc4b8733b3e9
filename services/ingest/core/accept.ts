import type { EventType, RejectionReason } from '../../shared/contracts/event.ts';
import { jsonText } from '../../shared/contracts/json-text.ts';
import { isId, parseEvent } from '../../shared/contracts/parse-event.ts';
import type { Instant } from '../../shared/time.ts';
import { type Sender, sendingFault } from './permissions.ts';

/**
 * E4: what is found without any state. `forbidden` is the door's own: under a reason of E4 a redrive would send in what
 * this key had no right to send.
 */
export type RefusalReason = 'malformed' | 'unknown_type' | 'invalid_field' | 'forbidden';

export interface Accepted {
  readonly kind: 'accepted';
  readonly type: EventType;
  readonly id: string;
  readonly source: string;
  /** Undefined for what concerns all accounts. */
  readonly account: string | undefined;
  /** The event's own time where the log takes that (`event`); undefined where the log stamps it. */
  readonly at: Instant | undefined;
  /** The log's record: see `recordText`. */
  readonly text: string;
}

export interface Refused {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  readonly detail: string;
  /** As far as they could be read. */
  readonly id: string | undefined;
  readonly source: string | undefined;
  readonly account: string | undefined;
}

export interface AcceptRules {
  /** Whose time an event has: the log's append time, or its own (imports and tests). */
  readonly logTime: 'append' | 'event';
  /** The longest record, in UTF-16 units. */
  readonly recordCharsMax: number;
}

/** Stands in for the time that the log will stamp; nothing that is decided here looks at it. */
const TO_BE_STAMPED: Instant = 0;
const SOURCE_CHARS_MAX = 256;
/** A detail quotes what was sent, and that may be long. */
const DETAIL_CHARS_MAX = 500;

/**
 * E4: what can be said of an event without any state: `malformed`, `unknown_type`, `invalid_field`, in that order, and
 * whether its sender may send it. Everything else is for the rater to judge, by the order of the log.
 * @param value the event, as `JSON.parse` gave it
 */
export function accept(value: unknown, sender: Sender, rules: AcceptRules): Accepted | Refused {
  const event = parseEvent(value, rules.logTime === 'append' ? TO_BE_STAMPED : undefined);
  if ('reason' in event) return refused(value, sender, event.reason, event.detail);
  const { id, source, subject: account, time, data } = event.envelope;
  const { type } = event.body;
  const forbidden = sendingFault(sender, type, account);
  if (forbidden !== undefined) return refuse(value, 'forbidden', forbidden);
  const text = recordText(id, source, type, account, data);
  if (text.length > rules.recordCharsMax) {
    return refuse(
      value,
      'malformed',
      `event: ${text.length} characters, at most ${rules.recordCharsMax} (record_chars_max)`,
    );
  }
  return { kind: 'accepted', type, id, source, account, at: rules.logTime === 'event' ? time : undefined, text };
}

/** A refusal of something that never came to be a JSON value, or whose value must not be looked into. */
export function refuseUnread(detail: string): Refused {
  return { kind: 'refused', reason: 'malformed', detail, id: undefined, source: undefined, account: undefined };
}

/** Who may not send a type is told so, and not what would be wrong with its data. */
function refused(value: unknown, sender: Sender, reason: RejectionReason, detail: string): Refused {
  if (reason === 'malformed' || reason === 'unknown_type') return refuse(value, reason, detail);
  if (reason !== 'invalid_field') throw new Error(`${reason} is for the rater to find`);
  const { type, subject } = members(value);
  const account = isId(subject) ? subject : undefined;
  const forbidden = typeof type === 'string' ? sendingFault(sender, type, account) : undefined;
  return forbidden === undefined ? refuse(value, reason, detail) : refuse(value, 'forbidden', forbidden);
}

function refuse(value: unknown, reason: RefusalReason, detail: string): Refused {
  const { id, source, subject } = members(value);
  return {
    kind: 'refused',
    reason,
    detail: detail.length <= DETAIL_CHARS_MAX ? detail : `${detail.slice(0, DETAIL_CHARS_MAX)}...`,
    id: isId(id) ? id : undefined,
    source: typeof source === 'string' && source.length <= SOURCE_CHARS_MAX ? source : undefined,
    account: isId(subject) ? subject : undefined,
  };
}

const NO_MEMBERS: Readonly<Record<string, unknown>> = Object.freeze({});

function members(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : NO_MEMBERS;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * A record of `metering.events`: these members of the envelope in this order, and no others. So `time` is the log's to
 * add, and `forwarded` cannot come from outside (E1). `data` is what was sent, since E3 compares it as a JSON value.
 */
function recordText(id: string, source: string, type: string, account: string | undefined, data: unknown): string {
  const subject = account === undefined ? '' : `"subject":"${account}",`;
  return `{"specversion":"1.0","id":"${id}","source":${jsonText(source)},"type":"${type}",${subject}"data":${JSON.stringify(data)}}`;
}
