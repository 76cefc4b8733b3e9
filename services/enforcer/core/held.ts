import type { Instant } from '../../shared/time.ts';

/** N11: the brake lets this many accounts pass, however few the partition has. */
const BRAKE_ACCOUNTS = 10;
/** N11: or one in so many of them: 5 %. */
const BRAKE_ONE_IN = 20;

/** Why an action is held: N9 `clock_unread`, `stale`, `unpublished`; N11 `operator`, `brake`. */
export type HeldBecause = 'clock_unread' | 'stale' | 'unpublished' | 'operator' | 'brake';

/** N9: whether the enforcer's input, at `clock`, is older than `stale_after` by the wall clock. */
export function isStale(wallAt: Instant, clock: Instant, staleAfterMs: number): boolean {
  return wallAt - clock > staleAfterMs;
}

/** N9: whether an alert was really published at least its notice ago. One not published yet never was. */
export function noticeIsRipe(publishedAt: Instant | undefined, noticeMs: number, wallAt: Instant): boolean {
  return publishedAt !== undefined && wallAt - publishedAt >= noticeMs;
}

/** N11: whether so many accounts within one hour are more than the larger of 10 and 5 % of all. */
export function brakeEngages(accountsActedOn: number, accounts: number): boolean {
  return accountsActedOn > BRAKE_ACCOUNTS && accountsActedOn * BRAKE_ONE_IN > accounts;
}
