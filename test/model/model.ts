import { act } from './act.ts';
import { reckon } from './activity.ts';
import { formatAmount } from './amounts.ts';
import { day, formatTime, hour, minute, parseTime } from './calendar.ts';
import { totals } from './credits.ts';
import { advance } from './instants.ts';
import { invoicesOf } from './invoices.ts';
import { sameJson } from './json.ts';
import type { ModelOutput } from './output.ts';
import { type ModelEvent, readEvent } from './read-event.ts';
import { emptyWorld, type Verdict, type World } from './world.ts';

/**
 * The independent model of rating and credits (sections U, E, R, C, F and the files of X but the commands): slow, naive
 * and written from the rules alone, to compare the core with. Nothing is kept that can be found by looking through
 * what happened so far.
 */
export function runModel(lines: readonly string[], until?: string): ModelOutput {
  const world = emptyWorld();
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const { value, isJson } = parseJson(text);
    const event = isJson ? readEvent(value) : 'malformed';
    const verdict = typeof event === 'string' ? event : take(world, event);
    if (verdict === 'applied') world.applied++;
    else if (verdict === 'duplicate') world.duplicates++;
    else world.rejected.push({ line: index + 1, reason: verdict, detail: verdict, event: isJson ? value : text });
  }
  const end = until === undefined ? undefined : parseTime(until);
  if (end !== undefined && world.clock !== undefined) advance(world, Math.max(end, world.clock));
  return report(world);
}

function parseJson(text: string): { value: unknown; isJson: boolean } {
  try {
    return { value: JSON.parse(text), isJson: true };
  } catch {
    return { value: undefined, isJson: false };
  }
}

/** E2, E3, E4: moves the clock, then judges the event: the first reason in E4's order, or what it does. */
function take(world: World, event: ModelEvent): Verdict {
  const clock = Math.max(world.clock ?? 0, event.time);
  advance(world, clock);
  const { body } = event;
  if (body.type === 'usage.gpu' || body.type === 'usage.storage') {
    if (body.end <= body.start) return 'interval_invalid';
    if (body.end - body.start > 24 * hour) return 'interval_too_long';
    if (body.end > clock + 5 * minute) return 'in_future';
    if (body.start < clock - 35 * day) return 'too_late';
  }
  const account = world.accounts.get(event.subject ?? '');
  if (event.subject !== undefined && account === undefined && body.type !== 'account.opened') return 'unknown_account';
  const key = businessId(event);
  const earlier = key === undefined ? undefined : world.known.get(key);
  if (earlier !== undefined) {
    const same = earlier.type === event.type && earlier.subject === event.subject && sameJson(earlier.data, event.data);
    return same ? 'duplicate' : 'conflict';
  }
  const verdict = act(world, account, event, clock);
  if (verdict !== 'applied') return verdict;
  if (key !== undefined) world.known.set(key, event);
  const touched = world.accounts.get(event.subject ?? '');
  if (touched !== undefined) reckon(touched, world.prices, clock);
  return 'applied';
}

/** E3: what an event is a repeat of; undefined for usage (R2) and ticks. */
function businessId({ body, subject, source, id }: ModelEvent): string | undefined {
  switch (body.type) {
    case 'usage.gpu':
    case 'usage.storage':
    case 'clock.tick':
      return undefined;
    case 'account.opened':
      return JSON.stringify(['account', subject]);
    case 'credits.granted':
      return JSON.stringify(['grant', subject, body.grantId]);
    case 'reservation.purchased':
      return JSON.stringify(['reservation', subject, body.reservationId]);
    default:
      return JSON.stringify(['event', subject, source, id]);
  }
}

function report(world: World): ModelOutput {
  const { rated, entries, rejected, applied, duplicates, clock } = world;
  const lines = [...world.lines.values()].flat();
  const accounts = [...world.accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const balances = accounts.map((account) => {
    const { balance, granted, refunded, charged, expired } = totals(account);
    return {
      account_id: account.id,
      balance: formatAmount(balance),
      granted: formatAmount(granted),
      refunded: formatAmount(refunded),
      charged: formatAmount(charged),
      expired: formatAmount(expired),
      burn_rate: formatAmount(account.burnRate),
      level: account.exhausted
        ? ('exhausted' as const)
        : account.passed.length > 0
          ? ('low' as const)
          : ('active' as const),
    };
  });
  return {
    rated,
    ledger: entries.map((e) => e.written),
    balances,
    rejected,
    invoices: accounts.flatMap((account) => invoicesOf(account, lines, entries, clock ?? 0)),
    summary: {
      events: applied + duplicates + rejected.length,
      applied,
      duplicates,
      rejected: rejected.length,
      clock: clock === undefined ? null : formatTime(clock),
    },
  };
}
