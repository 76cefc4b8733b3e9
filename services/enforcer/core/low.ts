import type { Nanos } from '../../shared/money.ts';
import { HOUR_MS, type Instant } from '../../shared/time.ts';
import type { LowAlert } from './state.ts';

export interface LowInput {
  /** The thresholds passed before this update, and now, in milliseconds. */
  readonly before: readonly number[];
  readonly passed: readonly number[];
  readonly alerts: ReadonlyMap<number, LowAlert>;
  readonly balanceNanos: Nanos;
  readonly burnRateNanos: Nanos;
  /** The policy's thresholds: of others, alerts are forgotten once the balance was above them. */
  readonly thresholdsMs: readonly number[];
  readonly realertAfterMs: number;
  readonly at: Instant;
}

export interface LowDecision {
  /** The threshold to alert of; undefined: no alert. */
  readonly alertMs: number | undefined;
  readonly alerts: ReadonlyMap<number, LowAlert>;
}

/**
 * N2: when thresholds are newly passed, one alert for the shortest of them, unless that one alerted less than
 * `realert_after` ago and the balance was not above 1.10 x h x burn rate since: whether or not the policy had that
 * threshold all the while. With a burn rate of 0 no balance is above.
 */
export function decideLow(input: LowInput): LowDecision {
  const alerts = new Map<number, LowAlert>();
  for (const [thresholdMs, alert] of input.alerts) {
    const above = alert.above || isAbove(input, thresholdMs);
    if (!above) alerts.set(thresholdMs, alert);
    else if (input.thresholdsMs.includes(thresholdMs)) alerts.set(thresholdMs, { ...alert, above });
  }
  const fresh = input.passed.filter((thresholdMs) => !input.before.includes(thresholdMs));
  if (fresh.length === 0) return { alertMs: undefined, alerts };
  const shortestMs = Math.min(...fresh);
  const last = alerts.get(shortestMs);
  if (last !== undefined && input.at - last.at < input.realertAfterMs && !last.above) {
    return { alertMs: undefined, alerts };
  }
  alerts.set(shortestMs, { at: input.at, above: false });
  return { alertMs: shortestMs, alerts };
}

/** N2: multiplied across; balance / burn rate would lose the remainder. */
function isAbove(input: LowInput, thresholdMs: number): boolean {
  if (input.burnRateNanos <= 0n) return false;
  return input.balanceNanos * 100n * BigInt(HOUR_MS) > 110n * BigInt(thresholdMs) * input.burnRateNanos;
}
