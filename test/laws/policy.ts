const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** N1, in milliseconds, as far as the laws hang on it. */
export interface Policy {
  readonly lowRunway: readonly number[];
  readonly realertAfter: number;
  readonly burstDecommissionAfter: number;
  readonly pauseAfter: number;
  readonly decommissionPausedAfter: number;
  readonly revokeAfter: number;
  readonly decommissionRevokedAfter: number;
  readonly reservationEndNotices: readonly number[];
  readonly creditExpiryNotices: readonly number[];
  readonly resumeRunway: number;
  readonly activityWindow: number;
  readonly overdueAfter: number;
}

const units = new Map([
  ['s', 1000],
  ['m', minute],
  ['h', hour],
  ['d', day],
]);

/** The policy of an event that was let in: what it overrides, and N1's defaults for the rest. */
export function readPolicy(value: unknown): Policy {
  const given = new Map(Object.entries(Object(value)));
  const one = (name: string, otherwise: string) => duration(given.get(name) ?? otherwise);
  const list = (name: string, otherwise: readonly string[]) => {
    const items = given.get(name) ?? otherwise;
    return Array.isArray(items) ? [...new Set(items.map(duration))] : [];
  };
  return {
    lowRunway: list('low_runway', ['72h', '24h', '4h']),
    realertAfter: one('realert_after', '24h'),
    burstDecommissionAfter: one('burst_decommission_after', '1h'),
    pauseAfter: one('pause_after', '1h'),
    decommissionPausedAfter: one('decommission_paused_after', '72h'),
    revokeAfter: one('revoke_after', '24h'),
    decommissionRevokedAfter: one('decommission_revoked_after', '14d'),
    reservationEndNotices: list('reservation_end_notices', ['72h', '24h', '1h']),
    creditExpiryNotices: list('credit_expiry_notices', ['7d', '1d']),
    resumeRunway: one('resume_runway', '1h'),
    activityWindow: one('activity_window', '15m'),
    overdueAfter: one('overdue_after', '30m'),
  };
}

function duration(value: unknown): number {
  const text = String(value);
  const unit = units.get(text.slice(-1));
  if (unit === undefined) throw new Error(`no duration: ${text}`);
  return Number(text.slice(0, -1)) * unit;
}
