import {
  bookAt,
  CONTRACT,
  centsText,
  DATA_VOLUME,
  HABITS,
  PRICE_BOOK,
  PRICE_NOTICE_MS,
  PROMOTIONS,
  priceText,
} from './catalog.ts';
import type { LogEvent } from './log-event.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, rfc3339, WEEK_MS, type Window } from './time.ts';
import type { Volume } from './volumes.ts';
import type { Workload } from './workloads.ts';

const SOURCE = 'openb/finance';
const DUE_BEFORE_MS = 12 * HOUR_MS;
const STEP_CENTS = 100;
const POLICY_SET = { account: 'ls-4', afterMs: 3 * DAY_MS, lowRunway: ['48h', '12h'] } as const;

/**
 * The price book, published as far ahead as it may be: what holds at the window's start then (E5: a first price may
 * start earlier), each later change a week before.
 */
export function priceEvents(window: Window): LogEvent[] {
  const inForce = bookAt(window.startAt);
  return PRICE_BOOK.filter((prices) => prices === inForce || inWindow(prices.effectiveAt, window)).map((prices) => ({
    id: `prices:${rfc3339(prices.effectiveAt).slice(0, 10)}`,
    source: SOURCE,
    type: 'prices.published',
    at: Math.max(window.startAt, prices.effectiveAt - PRICE_NOTICE_MS),
    data: {
      effective_from: rfc3339(prices.effectiveAt),
      gpu_hour: Object.fromEntries(
        Object.entries(prices.gpuHourMicros).map(([gpuType, micros]) => [gpuType, priceText(micros)]),
      ),
      gib_month: priceText(prices.gibMonthMicros),
    },
  }));
}

/** Accounts are opened at the window's start, with an `activity_window` of two samples. */
export function openingEvents(accounts: readonly string[], sampleMs: number, window: Window): LogEvent[] {
  const activityWindow = `${(2 * sampleMs) / MINUTE_MS}m`;
  const events: LogEvent[] = accounts.map((account) => ({
    id: `opened:${account}`,
    source: SOURCE,
    type: 'account.opened',
    subject: account,
    at: window.startAt,
    data: { name: `openb ${account}`, policy: { activity_window: activityWindow } },
  }));
  if (accounts.includes(CONTRACT.account)) events.push(...contractEvents(window));
  if (accounts.includes(POLICY_SET.account) && inWindow(window.startAt + POLICY_SET.afterMs, window)) {
    events.push({
      id: `policy:${POLICY_SET.account}`,
      source: SOURCE,
      type: 'policy.set',
      subject: POLICY_SET.account,
      at: window.startAt + POLICY_SET.afterMs,
      data: { policy: { activity_window: activityWindow, low_runway: POLICY_SET.lowRunway } },
    });
  }
  return events;
}

/** The rate in force at the window's start holds from there, since no contract may start in the past (E5). */
function contractEvents(window: Window): LogEvent[] {
  const inForce = CONTRACT.rates.findLast((rate) => rate.effectiveAt <= window.startAt);
  return CONTRACT.rates
    .filter((rate) => rate === inForce || inWindow(rate.effectiveAt, window))
    .map((rate) => {
      const effectiveAt = Math.max(window.startAt, rate.effectiveAt);
      return {
        id: `contract:${CONTRACT.account}:${rfc3339(effectiveAt).slice(0, 10)}`,
        source: SOURCE,
        type: 'contract.priced',
        subject: CONTRACT.account,
        at: window.startAt,
        data: {
          effective_from: rfc3339(effectiveAt),
          gpu_hour: { [CONTRACT.gpuType]: priceText(rate.gpuMicros) },
          gib_month: priceText(rate.gibMicros),
        },
      };
    });
}

/**
 * Each account pays week by week, as its habit is, a share of what the week costs at list prices; the first week with
 * pods brings promotional grants besides, which expire.
 */
export function grantEvents(workloads: readonly Workload[], volumes: readonly Volume[], window: Window): LogEvent[] {
  const events: LogEvent[] = [];
  const dataVolumes = new Map(volumes.filter(({ kind }) => kind === 'data').map((v) => [v.account, v]));
  for (const [account, { pays }] of HABITS) {
    const pods = workloads.filter((workload) => workload.account === account);
    let missingCents = 0;
    let promoted = false;
    for (let week = 0; window.startAt + week * WEEK_MS < window.endAt; week += 1) {
      const weekAt = window.startAt + week * WEEK_MS;
      const gpuCents = weekCents(pods, weekAt);
      const cents = gpuCents + storageCents(dataVolumes.get(account), weekAt);
      const paidCents = roundUp((cents * pays.percent) / 100);
      const dueAt = Math.max(window.startAt, weekAt - DUE_BEFORE_MS) + pays.delayMs;
      missingCents += cents - paidCents;
      if (paidCents > 0) events.push(grant(account, `${account}:week-${week}`, dueAt, 'paid', paidCents));
      if (pays.catchUp && week % 3 === 2 && missingCents > 0) {
        events.push(grant(account, `${account}:catch-up-${week}`, dueAt + DAY_MS, 'adjustment', roundUp(missingCents)));
        missingCents = 0;
      }
      if (gpuCents > 0 && !promoted) {
        promoted = true;
        events.push(...promotions(account, weekAt));
      }
    }
  }
  return events.filter(({ at }) => at < window.endAt);
}

function promotions(account: string, weekAt: number): LogEvent[] {
  return PROMOTIONS.filter(({ accounts }) => accounts === 'all' || accounts.includes(account)).map((promotion) => {
    const at = weekAt + promotion.afterMs;
    const expires = { expires_at: rfc3339(at + promotion.lifeMs) };
    return grant(account, `${account}:${promotion.name}`, at, 'promotional', promotion.cents, expires);
  });
}

function grant(account: string, grantId: string, at: number, kind: string, cents: number, more = {}): LogEvent {
  const data = { grant_id: grantId, amount: centsText(cents), kind, ...more };
  return { id: `granted:${grantId}`, source: SOURCE, type: 'credits.granted', subject: account, at, data };
}

/** What the pods' GPUs of a week cost at the book's prices at its start, in cents, rounded up. */
function weekCents(pods: readonly Workload[], weekAt: number): number {
  const prices = bookAt(weekAt).gpuHourMicros;
  let micros = 0;
  for (const { startAt, endAt, gpus, gpuType } of pods) {
    const ms = Math.min(endAt, weekAt + WEEK_MS) - Math.max(startAt, weekAt);
    if (ms > 0) micros += Math.floor((gpus * ms * (prices[gpuType] ?? 0)) / HOUR_MS);
  }
  return Math.ceil(micros / 10_000);
}

function storageCents(volume: Volume | undefined, weekAt: number): number {
  if (volume === undefined || volume.startAt >= weekAt + WEEK_MS) return 0;
  const gib = DATA_VOLUME.baseGib + DATA_VOLUME.perPodGib * volume.podsBegunBy(weekAt + WEEK_MS);
  return Math.ceil((gib * bookAt(weekAt).gibMonthMicros * (WEEK_MS / HOUR_MS)) / 730 / 10_000);
}

function roundUp(cents: number): number {
  return Math.ceil(cents / STEP_CENTS) * STEP_CENTS;
}

function inWindow(at: number, window: Window): boolean {
  return at > window.startAt && at < window.endAt;
}
