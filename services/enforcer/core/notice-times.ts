import type { Instant } from '../../shared/time.ts';
import type { Notices } from './state.ts';

export interface NoticePlan {
  readonly notices: Notices;
  /** One is to be sent at once. */
  readonly now: boolean;
}

/**
 * N6, N10: the alerts before `until`, planned at `at`: those whose time has come become one, sent at once.
 * @param beforeMs how long before, in milliseconds
 */
export function planNotices(until: Instant, beforeMs: readonly number[], at: Instant): NoticePlan {
  const times = beforeMs.map((ms) => until - ms);
  const coming = times.filter((time) => time > at).sort((left, right) => left - right);
  return { notices: { times: coming, sent: 0 }, now: coming.length < times.length };
}

/**
 * N1: new notice times hold for what is not yet sent. One whose time is past is left out, unless nothing was sent before
 * `until` at all: then one is sent at once, so that nothing happens unannounced (L1).
 */
export function replanNotices(notices: Notices, until: Instant, beforeMs: readonly number[], at: Instant): NoticePlan {
  const plan = planNotices(until, beforeMs, at);
  return { notices: { times: plan.notices.times, sent: notices.sent }, now: plan.now && notices.sent === 0 };
}

/** N6: several at one instant become one: what is left once time has come to `at`. */
export function takeNotice(notices: Notices, at: Instant): Notices {
  return { times: notices.times.filter((time) => time > at), sent: notices.sent + 1 };
}
