import { parseDuration } from '../duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

/** N1: an account's policy in force, all durations in milliseconds. */
export interface Policy {
  readonly lowRunwayMs: readonly number[];
  readonly realertAfterMs: number;
  readonly burstDecommissionAfterMs: number;
  readonly pauseAfterMs: number;
  readonly decommissionPausedAfterMs: number;
  readonly revokeAfterMs: number;
  readonly decommissionRevokedAfterMs: number;
  readonly reservationEndNoticesMs: readonly number[];
  readonly creditExpiryNoticesMs: readonly number[];
  readonly resumeRunwayMs: number;
  readonly activityWindowMs: number;
  readonly overdueAfterMs: number;
  readonly staleAfterMs: number;
}

/** N1: what an event's `policy` may hold: any of the members, on the wire as durations like `72h`. */
export type PolicyOverrides = { readonly [name in keyof Policy]?: Policy[name] };

/** N1: the policy of an account that overrides nothing. */
export const DEFAULT_POLICY: Policy = Object.freeze({
  lowRunwayMs: Object.freeze([72 * HOUR_MS, 24 * HOUR_MS, 4 * HOUR_MS]),
  realertAfterMs: 24 * HOUR_MS,
  burstDecommissionAfterMs: HOUR_MS,
  pauseAfterMs: HOUR_MS,
  decommissionPausedAfterMs: 72 * HOUR_MS,
  revokeAfterMs: 24 * HOUR_MS,
  decommissionRevokedAfterMs: 14 * DAY_MS,
  reservationEndNoticesMs: Object.freeze([72 * HOUR_MS, 24 * HOUR_MS, HOUR_MS]),
  creditExpiryNoticesMs: Object.freeze([7 * DAY_MS, DAY_MS]),
  resumeRunwayMs: HOUR_MS,
  activityWindowMs: 15 * MINUTE_MS,
  overdueAfterMs: 30 * MINUTE_MS,
  staleAfterMs: 15 * MINUTE_MS,
});

interface Member {
  readonly key: keyof Policy;
  readonly list: boolean;
  readonly leastMs: number;
  readonly emptyAllowed?: boolean;
}

/** N1: less than 5 m before a burst's decommission or a pause, 1 h before a revoke or decommission, 1 m elsewhere, is invalid. */
const MEMBERS: ReadonlyMap<string, Member> = new Map<string, Member>([
  ['low_runway', { key: 'lowRunwayMs', list: true, leastMs: MINUTE_MS, emptyAllowed: true }],
  ['realert_after', { key: 'realertAfterMs', list: false, leastMs: MINUTE_MS }],
  ['burst_decommission_after', { key: 'burstDecommissionAfterMs', list: false, leastMs: 5 * MINUTE_MS }],
  ['pause_after', { key: 'pauseAfterMs', list: false, leastMs: 5 * MINUTE_MS }],
  ['decommission_paused_after', { key: 'decommissionPausedAfterMs', list: false, leastMs: HOUR_MS }],
  ['revoke_after', { key: 'revokeAfterMs', list: false, leastMs: HOUR_MS }],
  ['decommission_revoked_after', { key: 'decommissionRevokedAfterMs', list: false, leastMs: HOUR_MS }],
  ['reservation_end_notices', { key: 'reservationEndNoticesMs', list: true, leastMs: MINUTE_MS }],
  ['credit_expiry_notices', { key: 'creditExpiryNoticesMs', list: true, leastMs: MINUTE_MS, emptyAllowed: true }],
  ['resume_runway', { key: 'resumeRunwayMs', list: false, leastMs: MINUTE_MS }],
  ['activity_window', { key: 'activityWindowMs', list: false, leastMs: MINUTE_MS }],
  ['overdue_after', { key: 'overdueAfterMs', list: false, leastMs: MINUTE_MS }],
  ['stale_after', { key: 'staleAfterMs', list: false, leastMs: MINUTE_MS }],
]);
/** A list of durations is bounded, as every list from outside is. */
const LIST_MAX = 32;

/** N1: reads the `policy` of an event; a string says what is wrong with it (`policy.pause_after: ...`). */
export function parsePolicy(value: unknown): PolicyOverrides | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'policy: must be an object';
  const overrides: { -readonly [name in keyof Policy]?: Policy[name] } = {};
  for (const [name, given] of Object.entries(value)) {
    const member = MEMBERS.get(name);
    if (member === undefined) return `policy.${name}: no such member`;
    const problem = member.list ? readList(overrides, member, given) : readOne(overrides, member, given);
    if (problem !== undefined) return `policy.${name}: ${problem}`;
  }
  return overrides;
}

/** N1: the policy in force: the defaults with the account's overrides. */
export function policyOf(overrides: PolicyOverrides): Policy {
  return { ...DEFAULT_POLICY, ...overrides };
}

type Draft = { -readonly [name in keyof Policy]?: Policy[name] };

function readOne(draft: Draft, member: Member, given: unknown): string | undefined {
  const durationMs = parseDuration(given);
  if (durationMs === undefined) return 'must be a duration like 30s, 15m, 72h or 14d, at most 36500d';
  if (durationMs < member.leastMs) return `must be at least ${member.leastMs / MINUTE_MS}m`;
  Object.assign(draft, { [member.key]: durationMs });
  return undefined;
}

function readList(draft: Draft, member: Member, given: unknown): string | undefined {
  if (!Array.isArray(given) || given.length > LIST_MAX) return `must be a list of at most ${LIST_MAX} durations`;
  if (given.length === 0 && member.emptyAllowed !== true) return 'must not be empty';
  const durationsMs: number[] = [];
  for (const item of given) {
    const durationMs = parseDuration(item);
    if (durationMs === undefined) return 'must be a list of durations like 30s, 15m, 72h or 14d, at most 36500d';
    if (durationMs < member.leastMs) return `each must be at least ${member.leastMs / MINUTE_MS}m`;
    durationsMs.push(durationMs);
  }
  const distinct = [...new Set(durationsMs)].sort((a, b) => b - a);
  Object.assign(draft, { [member.key]: distinct });
  return undefined;
}
