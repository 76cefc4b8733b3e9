import type { Nanos } from '../../services/shared/money.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../services/shared/time.ts';

const NANOS_PER_CENT = 10_000_000n;
const CENTS_PER_USD = 100n;
/** Nobody plans further ahead. */
const RUNWAY_MS_MAX = 999n * BigInt(DAY_MS);

/** An amount as people read it: `$1,234.56`, cut to cents towards zero. */
export function usd(amount: Nanos): string {
  const cents = amount / NANOS_PER_CENT;
  const magnitude = cents < 0n ? -cents : cents;
  const whole = (magnitude / CENTS_PER_USD).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  const sign = amount < 0n && magnitude > 0n ? '-' : '';
  return `${sign}$${whole}.${(magnitude % CENTS_PER_USD).toString().padStart(2, '0')}`;
}

/** How long the balance lasts at this burn rate (nanos an hour), to show: N2 never divides. */
export function runway(balance: Nanos, burnRate: Nanos): string {
  if (burnRate <= 0n) return '-';
  if (balance <= 0n) return 'none';
  const ms = (balance * BigInt(HOUR_MS)) / burnRate;
  return ms > RUNWAY_MS_MAX ? '> 999 d' : span(Number(ms));
}

/** A time span in its two largest units: `3d 4h`, `2h 05m`, `7m 30s`, `12s`. */
export function span(ms: number): string {
  const of = (unitMs: number): number => Math.floor(ms / unitMs);
  const pad = (value: number): string => `${value}`.padStart(2, '0');
  if (ms >= DAY_MS) return `${of(DAY_MS)}d ${pad(of(HOUR_MS) % 24)}h`;
  if (ms >= HOUR_MS) return `${of(HOUR_MS)}h ${pad(of(MINUTE_MS) % 60)}m`;
  if (ms >= MINUTE_MS) return `${of(MINUTE_MS)}m ${pad(of(SECOND_MS) % 60)}s`;
  return `${Math.max(0, of(SECOND_MS))}s`;
}

export function ago(at: Instant, now: Instant): string {
  return `${span(Math.max(0, now - at))} ago`;
}
