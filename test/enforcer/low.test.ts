import { describe, expect, test } from 'vitest';
import { decideLow, type LowInput } from '../../services/enforcer/core/low.ts';
import { DAY_MS, HOUR_MS } from '../../services/shared/time.ts';
import { T0 } from './support/world.ts';

const H4 = 4 * HOUR_MS;
const H24 = 24 * HOUR_MS;
const H72 = 72 * HOUR_MS;

function input(given: Partial<LowInput>): LowInput {
  return {
    before: [],
    passed: [],
    alerts: new Map(),
    balanceNanos: 100n,
    burnRateNanos: 10n,
    thresholdsMs: [H72, H24, H4],
    realertAfterMs: DAY_MS,
    at: T0,
    ...given,
  };
}

describe('N2: low', () => {
  test('N2: the shortest of those newly passed alerts, once', () => {
    expect(decideLow(input({ passed: [H72, H24] })).alertMs).toBe(H24);
    expect(decideLow(input({ passed: [H72, H24, H4] })).alertMs).toBe(H4);
    expect(decideLow(input({ before: [H72, H24], passed: [H72, H24] })).alertMs).toBeUndefined();
    expect(decideLow(input({ before: [H72], passed: [H72, H24] })).alertMs).toBe(H24);
    expect(decideLow(input({ before: [H72, H24] })).alertMs).toBeUndefined();
  });

  test('N2: again realert_after later, not a millisecond earlier', () => {
    const alerts = new Map([[H24, { at: T0, above: false }]]);
    expect(decideLow(input({ passed: [H24], alerts, at: T0 + DAY_MS - 1 })).alertMs).toBeUndefined();
    expect(decideLow(input({ passed: [H24], alerts, at: T0 + DAY_MS })).alertMs).toBe(H24);
  });

  test('N2: if the shortest may not alert, no longer one does instead', () => {
    const alerts = new Map([[H4, { at: T0, above: false }]]);
    expect(decideLow(input({ passed: [H72, H24, H4], alerts, balanceNanos: 1n, at: T0 + 1 })).alertMs).toBeUndefined();
  });

  // 1.10 x 4 h x 10 nanos an hour = 44 nanos.
  test.each([
    [43n, 10n, false],
    [44n, 10n, false],
    [45n, 10n, true],
    [45n, 0n, false],
    [1_000_000n, 0n, false],
    // 1.10 x 4 h x 7 = 30.8: compared by multiplication, no remainder lost.
    [30n, 7n, false],
    [31n, 7n, true],
  ])('N2: a balance of %d at a burn rate of %d: above since is %s', (balanceNanos, burnRateNanos, above) => {
    const alerts = new Map([[H4, { at: T0, above: false }]]);
    const seen = decideLow(input({ alerts, balanceNanos, burnRateNanos, at: T0 + 1 }));
    expect(seen.alerts.get(H4)?.above).toBe(above);
    const again = decideLow(input({ passed: [H4], alerts: seen.alerts, balanceNanos: 1n, at: T0 + 2 }));
    expect(again.alertMs).toBe(above ? H4 : undefined);
  });

  test('N2: an alert begins anew what was above since; one that left the policy is forgotten once it was above', () => {
    const alerts = new Map([[H4, { at: T0, above: true }]]);
    const alerted = decideLow(input({ passed: [H4], alerts, balanceNanos: 1n, at: T0 + 5 }));
    expect(alerted.alerts.get(H4)).toEqual({ at: T0 + 5, above: false });
    const left = { alerts: alerted.alerts, thresholdsMs: [H72], at: T0 + 6 };
    expect(decideLow(input({ ...left, balanceNanos: 44n })).alerts).toEqual(alerted.alerts);
    expect(decideLow(input({ ...left, balanceNanos: 45n })).alerts.size).toBe(0);
  });
});
