import { day, hour, minute } from './calendar.ts';
import { members } from './json.ts';

/** The part of N1 that rating and credits depend on, in ms. */
export interface Policy {
  readonly lowRunway: readonly number[];
  readonly shortestEndNotice: number;
  readonly activityWindow: number;
}

export const defaultPolicy: Policy = {
  lowRunway: [72 * hour, 24 * hour, 4 * hour],
  shortestEndNotice: hour,
  activityWindow: 15 * minute,
};

const unit = new Map([
  ['s', 1000],
  ['m', minute],
  ['h', hour],
  ['d', day],
]);

const lists = ['low_runway', 'reservation_end_notices', 'credit_expiry_notices'];
const leastOf = new Map([
  ['low_runway', minute],
  ['realert_after', minute],
  ['burst_decommission_after', 5 * minute],
  ['pause_after', 5 * minute],
  ['decommission_paused_after', hour],
  ['revoke_after', hour],
  ['decommission_revoked_after', hour],
  ['reservation_end_notices', minute],
  ['credit_expiry_notices', minute],
  ['resume_runway', minute],
  ['activity_window', minute],
  ['overdue_after', minute],
  ['stale_after', minute],
]);

/** N1: overrides laid over the defaults, or undefined where one of them is not allowed. */
export function parsePolicy(value: unknown): Policy | undefined {
  const given = members(value);
  if (given === undefined) return undefined;
  const durations = new Map<string, number[]>();
  for (const [name, setting] of given) {
    const least = leastOf.get(name);
    if (least === undefined || lists.includes(name) !== Array.isArray(setting)) return undefined;
    if (Array.isArray(setting) && setting.length > 32) return undefined;
    const parsed = (Array.isArray(setting) ? setting : [setting]).map(parseDuration);
    const kept = parsed.filter((ms) => ms !== undefined && ms >= least && ms <= 36500 * day).map(Number);
    if (kept.length < parsed.length) return undefined;
    if (name === 'reservation_end_notices' && kept.length === 0) return undefined;
    durations.set(name, kept);
  }
  return {
    lowRunway: durations.get('low_runway') ?? defaultPolicy.lowRunway,
    shortestEndNotice: Math.min(...(durations.get('reservation_end_notices') ?? [defaultPolicy.shortestEndNotice])),
    activityWindow: durations.get('activity_window')?.[0] ?? defaultPolicy.activityWindow,
  };
}

function parseDuration(value: unknown): number | undefined {
  const parts = typeof value === 'string' ? /^([0-9]{1,6})([smhd])$/.exec(value) : null;
  const factor = unit.get(parts?.[2] ?? '');
  return parts === null || factor === undefined ? undefined : Number(parts[1]) * factor;
}
