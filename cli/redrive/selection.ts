import type { LostEvent, RejectedEvent } from './rejected-event.ts';

/** Which rejected events are meant; undefined: whatever it is. */
export interface Selection {
  /** E4's, and the door's `forbidden`. */
  readonly reasons: ReadonlySet<string> | undefined;
  readonly account: string | undefined;
  /** `<source>/<id>`. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Why an event that is meant is not sent. */
export const SKIPPED = [
  'applied_since',
  'act_not_named',
  'act_ambiguous',
  'forbidden_not_named',
  'truncated',
  'not_json',
] as const;
export type Skipped = (typeof SKIPPED)[number];

/** `other`: it is not meant. */
export type Choice = 'send' | 'other' | Skipped;

/** The door's own reason: this key had no right to send that. */
export const FORBIDDEN = 'forbidden';

const USAGE: ReadonlySet<unknown> = new Set(['usage.gpu', 'usage.storage']);

export function isUsage({ event }: RejectedEvent): boolean {
  return USAGE.has(event.type);
}

/**
 * What to do with a rejected event. Usage is sent unless told otherwise. An act of an operator is sent only when it is named:
 * to repeat a grant or a cancellation later than it was meant is a decision. So is letting in what a key had no right to send.
 */
export function choose(rejected: RejectedEvent | LostEvent, { reasons, account, names }: Selection): Choice {
  if (reasons !== undefined && !reasons.has(rejected.reason)) return 'other';
  if (rejected.kind !== 'event') return account === undefined && names === undefined ? rejected.kind : 'other';
  const { event } = rejected;
  if (account !== undefined && event.account !== account) return 'other';
  if (names !== undefined) return names.has(event.name) ? 'send' : 'other';
  if (rejected.reason === FORBIDDEN && reasons === undefined) return 'forbidden_not_named';
  return isUsage(rejected) ? 'send' : 'act_not_named';
}
