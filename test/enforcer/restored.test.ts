import { describe, expect, test } from 'vitest';
import { burnedByPaused, coversResumption, resumesAt } from '../../services/enforcer/core/restore.ts';
import { HOUR_MS, MINUTE_MS } from '../../services/shared/time.ts';
import { Bench } from './support/run.ts';
import { type Customer, T0, usd } from './support/world.ts';

const EIGHT = new Map([['H100', 8]]);

/** c1 burned 24 and c2 12 an hour when they were paused at 1:00; the balance is -14. */
function paused(): { readonly bench: Bench; readonly acme: Customer } {
  const bench = new Bench();
  const acme = bench.world.customer('acme');
  acme.runCluster(T0, 'c1', EIGHT, 65 * MINUTE_MS);
  acme.runCluster(T0, 'c2', new Map([['H100', 4]]), 65 * MINUTE_MS);
  acme.charge(T0, usd(14));
  bench.until(T0 + 2 * HOUR_MS);
  bench.take();
  return { bench, acme };
}

describe('N5: restored', () => {
  // resume_runway 1 h of 24 + 12 = 36 USD.
  test.each([
    [usd(50), true],
    [usd(50) - 1n, false],
    [usd(14) + 1n, false],
  ])('N5: a grant of %d on -14: all paused clusters are resumed together or none', (amount, resumed) => {
    const { bench, acme } = paused();
    acme.grant(T0 + 2 * HOUR_MS, 'g1', amount);
    const story = bench.story(T0).filter((line) => !line.includes('low'));
    const resumes = ['+2:00 resume cluster/c1 credits_restored #1', '+2:00 resume cluster/c2 credits_restored #1'];
    expect(story).toEqual(['+2:00 credits_restored account/acme', ...(resumed ? resumes : [])]);
    const detail = bench.commands[0]?.detail;
    expect(detail).toEqual(resumed ? undefined : { paused: ['c1', 'c2'], resumesAtNanos: usd(36) });
    const standing = bench.enforcement.standingOrders('acme').map((one) => [one.command, one.resource.id]);
    expect(standing).toEqual(
      resumed
        ? []
        : [
            ['pause', 'c1'],
            ['pause', 'c2'],
          ],
    );
  });

  test('N5: later than the restoration, as soon as the balance covers it', () => {
    const { bench, acme } = paused();
    acme.grant(T0 + 2 * HOUR_MS, 'g1', usd(30));
    bench.take();
    acme.grant(T0 + 3 * HOUR_MS, 'g2', usd(20) - 1n);
    expect(bench.story(T0)).toEqual([]);
    acme.grant(T0 + 3 * HOUR_MS, 'g3', 1n);
    expect(bench.story(T0)).toEqual([
      '+3:00 resume cluster/c1 credits_restored #1',
      '+3:00 resume cluster/c2 credits_restored #1',
    ]);
  });

  test('N5: one that gets a reservation is resumed at once, and the others need less', () => {
    const { bench, acme } = paused();
    acme.grant(T0 + 2 * HOUR_MS, 'g1', usd(26));
    bench.take();
    acme.reserve(T0 + 2 * HOUR_MS, {
      reservationId: 'r1',
      clusterId: 'c1',
      gpuType: 'H100',
      gpus: 8,
      startsAt: T0 + 2 * HOUR_MS,
      endsAt: T0 + 900 * HOUR_MS,
      charged: true,
    });
    expect(bench.story(T0)).toEqual([
      '+2:00 resume cluster/c1 reserved #1',
      '+2:00 resume cluster/c2 credits_restored #1',
    ]);
  });

  test('N3 N5: not resumed and exhausted again: its decommission is announced, counted from the new notice', () => {
    const { bench, acme } = paused();
    acme.grant(T0 + 2 * HOUR_MS, 'g1', usd(20));
    acme.confirm(T0 + 2 * HOUR_MS, 'cluster', 'c2');
    acme.charge(T0 + 2 * HOUR_MS, usd(10));
    bench.until(T0 + 80 * HOUR_MS);
    expect(bench.story(T0).slice(1)).toEqual([
      '+2:00 credits_exhausted account/acme',
      '+50:00 action_reminder cluster/c1',
      '+74:00 decommission cluster/c1 credits_exhausted #1',
    ]);
    expect(bench.commands.at(-1)).toMatchObject({ episode: 2, noticeId: bench.commands[1]?.commandId });
  });

  test('N5: a decommission that was not confirmed is taken back: the cluster counts as paused, a volume is restored', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runCluster(T0, 'c1', EIGHT, 65 * MINUTE_MS);
    acme.runVolume(T0, 'v1', 25 * HOUR_MS);
    acme.charge(T0, usd(14));
    bench.until(T0 + 400 * HOUR_MS);
    const orders = bench.enforcement.standingOrders('acme').map((one) => [one.command, one.resource.id]);
    expect(orders).toEqual([
      ['decommission', 'c1'],
      ['decommission', 'v1'],
    ]);
    bench.take();
    acme.grant(T0 + 400 * HOUR_MS, 'g1', usd(38) - 1n);
    expect(bench.story(T0)).toEqual([
      '+400:00 credits_restored account/acme',
      '+400:00 restore volume/v1 credits_restored #1',
    ]);
    expect(bench.enforcement.standingOrders('acme').map((one) => [one.command, one.resource.id])).toEqual([
      ['pause', 'c1'],
    ]);
    acme.grant(T0 + 400 * HOUR_MS, 'g2', 1n);
    expect(bench.story(T0).at(-1)).toBe('+400:00 resume cluster/c1 credits_restored #1');
  });

  test('N5: confirmed before the restoration: nothing to take back', () => {
    const { bench, acme } = paused();
    acme.confirm(T0 + 3 * HOUR_MS, 'cluster', 'c1');
    acme.confirm(T0 + 3 * HOUR_MS, 'cluster', 'c2');
    acme.grant(T0 + 3 * HOUR_MS, 'g1', usd(500));
    expect(bench.story(T0)).toEqual(['+3:00 credits_restored account/acme']);
  });

  test('N5: what runs on after it was ordered for want of credits is not sent again once they are restored', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runCluster(T0, 'c1', EIGHT, 900 * HOUR_MS);
    acme.charge(T0, usd(14));
    bench.until(T0 + HOUR_MS);
    bench.take();
    acme.grant(T0 + HOUR_MS, 'g1', usd(15));
    bench.until(T0 + 200 * HOUR_MS);
    expect(bench.story(T0)).toEqual(['+1:00 credits_restored account/acme', '+1:00 credits_low account/acme']);
  });
});

describe('N5: coverage is exact', () => {
  test.each([
    [36n, 36n, HOUR_MS, true],
    [35n, 36n, HOUR_MS, false],
    [1n, 1n, HOUR_MS / 2, true],
    [0n, 0n, HOUR_MS, false],
    [1n, 0n, HOUR_MS, true],
    [10n, 7n, 100 * MINUTE_MS, false],
    [12n, 7n, 100 * MINUTE_MS, true],
  ])('%d covers what burned %d an hour for %d ms: %s', (balance, burned, runwayMs, covered) => {
    expect(coversResumption(balance, burned, runwayMs)).toBe(covered);
    const least = resumesAt(burned, runwayMs);
    expect(coversResumption(least, burned, runwayMs)).toBe(true);
    expect(coversResumption(least - 1n, burned, runwayMs)).toBe(false);
  });

  test('of nothing paused nothing burned', () => {
    expect(burnedByPaused([])).toBe(0n);
  });
});
