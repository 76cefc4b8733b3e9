import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../services/shared/contracts/policy.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../services/shared/time.ts';
import { Bench } from './support/run.ts';
import { type Customer, T0, usd } from './support/world.ts';

const EIGHT = new Map([['H100', 8]]);
const LONG = 1_000 * HOUR_MS;

/** A bench with one customer whose cluster c1 runs 8 GPUs on demand, exhausted at T0. */
function exhausted(): { readonly bench: Bench; readonly acme: Customer } {
  const bench = new Bench();
  const acme = bench.world.customer('acme');
  acme.runCluster(T0, 'c1', EIGHT, LONG);
  acme.charge(T0, usd(14));
  return { bench, acme };
}

function reserve(acme: Customer, at: number, id: string, clusterId: string, startsAt: number, endsAt: number): void {
  acme.reserve(at, { reservationId: id, clusterId, gpuType: 'H100', gpus: 8, startsAt, endsAt, charged: true });
}

describe('N3: exhausted', () => {
  test('N3: balance 0 before anything was charged is not exhausted, after that it is', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runCluster(T0, 'c1', EIGHT, HOUR_MS);
    expect(bench.story(T0)).toEqual([]);
    acme.grant(T0, 'g1', 1n);
    acme.charge(T0, 1n);
    expect(bench.story(T0)).toEqual(['+0:00 credits_low account/acme', '+0:00 credits_exhausted account/acme']);
  });

  test('N3: the alert lists every coming action with its time, by kind and id', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    reserve(acme, T0, 'r1', 'c2', T0, T0 + 200 * HOUR_MS);
    acme.runVolume(T0, 'v1', LONG);
    acme.runCluster(T0, 'c2', new Map([['H100', 11]]), LONG);
    acme.runCluster(T0, 'c10', EIGHT, LONG);
    acme.runCluster(T0, 'c3', EIGHT, 15 * MINUTE_MS);
    bench.world.advance(T0 + HOUR_MS);
    bench.take();
    acme.charge(T0 + HOUR_MS, usd(1));
    const [alert] = bench.take();
    expect(
      alert?.detail?.actions?.map((one) => [one.resource.id, one.command, one.scope, one.gpus, one.at - T0]),
    ).toEqual([
      ['c10', 'pause', 'cluster', undefined, 2 * HOUR_MS],
      ['c10', 'decommission', 'cluster', undefined, 74 * HOUR_MS],
      ['c2', 'decommission', 'burst', 3, 2 * HOUR_MS],
      ['v1', 'revoke', 'volume', undefined, 25 * HOUR_MS],
      ['v1', 'decommission', 'volume', undefined, 25 * HOUR_MS + 14 * DAY_MS],
    ]);
  });

  test('N3: a later policy.set moves no announced time; what is announced after it takes its times', () => {
    const { bench, acme } = exhausted();
    bench.world.advance(T0 + 10 * MINUTE_MS);
    acme.setPolicy(T0 + 10 * MINUTE_MS, { ...DEFAULT_POLICY, pauseAfterMs: 5 * MINUTE_MS });
    acme.runCluster(T0 + 10 * MINUTE_MS, 'c2', EIGHT, LONG);
    bench.until(T0 + HOUR_MS);
    expect(bench.story(T0)).toEqual([
      '+0:00 credits_exhausted account/acme',
      '+0:10 resource_unfunded cluster/c2',
      '+0:15 pause cluster/c2 credits_exhausted #1',
      '+0:45 enforcement_overdue cluster/c2',
      '+0:45 pause cluster/c2 credits_exhausted #2',
      '+1:00 pause cluster/c1 credits_exhausted #1',
    ]);
  });

  test('N3: a pause that a reservation overtook is dropped at its time, and the burst above it announced then', () => {
    const { bench, acme } = exhausted();
    bench.world.advance(T0 + 10 * MINUTE_MS);
    reserve(acme, bench.world.clock, 'r1', 'c1', T0, T0 + 500 * HOUR_MS);
    acme.runCluster(bench.world.clock, 'c1', new Map([['H100', 10]]), LONG);
    bench.until(T0 + 2 * HOUR_MS);
    expect(bench.story(T0).slice(1)).toEqual([
      '+1:00 resource_unfunded cluster/c1',
      '+2:00 shrink(2) cluster/c1 credits_exhausted #1',
    ]);
    expect(bench.commands.at(-1)?.keep).toEqual(new Map([['H100', 8]]));
    expect(bench.drops.map(({ command, why }) => [command, why])).toEqual([
      ['pause', 'reserved'],
      ['decommission', 'reserved'],
    ]);
  });

  test('N3 N7: who shrank and bursts again is looked at by N7, without a second notice', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    reserve(acme, T0, 'r1', 'c1', T0, T0 + 500 * HOUR_MS);
    acme.runCluster(T0, 'c1', new Map([['H100', 10]]), LONG);
    acme.charge(T0, usd(1));
    bench.world.advance(T0 + 65 * MINUTE_MS);
    acme.runCluster(bench.world.clock, 'c1', EIGHT, LONG);
    bench.world.advance(T0 + 200 * MINUTE_MS);
    acme.runCluster(bench.world.clock, 'c1', new Map([['H100', 9]]), LONG);
    bench.until(T0 + 4 * HOUR_MS);
    expect(bench.story(T0)).toEqual([
      '+0:00 credits_exhausted account/acme',
      '+1:00 shrink(2) cluster/c1 credits_exhausted #1',
      '+3:30 enforcement_overdue cluster/c1',
      '+3:30 shrink(1) cluster/c1 credits_exhausted #2',
    ]);
  });

  test('L2 L3: an order to shrink ends with the reservation: the cluster is announced as an unreserved one', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    reserve(acme, T0, 'r1', 'c1', T0, T0 + 500 * HOUR_MS);
    acme.runCluster(T0, 'c1', new Map([['H100', 10]]), LONG);
    acme.charge(T0, usd(1));
    bench.world.advance(T0 + 70 * MINUTE_MS);
    acme.cancel(bench.world.clock, 'r1', T0 + 70 * MINUTE_MS, false);
    bench.until(T0 + 131 * MINUTE_MS);
    expect(bench.story(T0).slice(1)).toEqual([
      '+1:00 shrink(2) cluster/c1 credits_exhausted #1',
      '+1:10 resource_unfunded cluster/c1',
      '+2:10 pause cluster/c1 credits_exhausted #1',
    ]);
  });
});

describe('N4: checked again at its time', () => {
  test.each([
    [24 * HOUR_MS - 1, ['+24:59.99 pause']],
    [24 * HOUR_MS, ['+25:00 resource_unfunded']],
  ])('N4: idle at its pause, active again %d ms later', (lateMs, expected) => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runCluster(T0, 'c1', EIGHT, 15 * MINUTE_MS);
    acme.charge(T0, usd(14));
    bench.world.advance(T0 + HOUR_MS + lateMs);
    acme.runCluster(bench.world.clock, 'c1', EIGHT, LONG);
    const story = bench.story(T0).slice(1);
    expect(
      story.map((line) =>
        line
          .replace(/(\.\d\d)\d*/, '$1')
          .split(' ')
          .slice(0, 2)
          .join(' '),
      ),
    ).toEqual(expected);
  });

  test('N4: what follows a late pause moves by as long, with its reminder', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runCluster(T0, 'c1', EIGHT, 15 * MINUTE_MS);
    acme.charge(T0, usd(14));
    bench.world.advance(T0 + 11 * HOUR_MS);
    acme.runCluster(bench.world.clock, 'c1', EIGHT, 15 * MINUTE_MS);
    bench.until(T0 + 100 * HOUR_MS);
    expect(bench.story(T0)).toEqual([
      '+0:00 credits_exhausted account/acme',
      '+11:00 pause cluster/c1 credits_exhausted #1',
      '+59:00 action_reminder cluster/c1',
      '+83:00 decommission cluster/c1 credits_exhausted #1',
    ]);
  });

  test('N4: with a reservation to begin it may be paused; no decommission is announced, and it is resumed at the start', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    reserve(acme, T0, 'r1', 'c1', T0 + 200 * HOUR_MS, T0 + 900 * HOUR_MS);
    acme.runCluster(T0, 'c1', EIGHT, 2 * HOUR_MS);
    acme.charge(T0, usd(14));
    bench.until(T0 + 201 * HOUR_MS);
    expect(bench.commands[0]?.detail?.actions?.map((one) => one.command)).toEqual(['pause']);
    expect(bench.story(T0).filter((line) => !line.includes('overdue') && !line.includes('#2'))).toEqual([
      '+0:00 credits_exhausted account/acme',
      '+1:00 pause cluster/c1 credits_exhausted #1',
      '+200:00 resume cluster/c1 reserved #1',
    ]);
  });

  test('N4: a reservation bought after the notice: no reminder, no decommission', () => {
    const { bench, acme } = exhausted();
    bench.world.advance(T0 + 30 * HOUR_MS);
    acme.runCluster(bench.world.clock, 'c1', EIGHT, 15 * MINUTE_MS);
    reserve(acme, bench.world.clock, 'r1', 'c1', T0 + 200 * HOUR_MS, T0 + 900 * HOUR_MS);
    bench.take();
    bench.until(T0 + 100 * HOUR_MS);
    expect(bench.story(T0)).toEqual([]);
    expect(bench.drops.map(({ command, why }) => [command, why])).toEqual([['decommission', 'reservation_to_begin']]);
  });

  test.each([
    // Notice at 0:00, pause at 1:00; the reminder would come 24 h before the decommission.
    [24 * HOUR_MS - HOUR_MS, []],
    [24 * HOUR_MS - HOUR_MS + 1, [1]],
    [24 * HOUR_MS, [HOUR_MS]],
  ])('N4: decommissioned %d ms after the pause: reminded only after the notice', (afterMs, expected) => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.setPolicy(T0, { ...DEFAULT_POLICY, decommissionPausedAfterMs: afterMs });
    acme.runCluster(T0, 'c1', EIGHT, 65 * MINUTE_MS);
    acme.charge(T0, usd(14));
    bench.until(T0 + 60 * HOUR_MS);
    const reminders = bench.commands.filter((one) => one.alert === 'action_reminder');
    expect(reminders.map((one) => one.issuedAt - T0)).toEqual(expected);
  });

  test('N1: a volume is reminded 1 h before its revoke, and 7 d, 72 h and 24 h before its decommission', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runVolume(T0, 'v1', 30 * HOUR_MS);
    acme.charge(T0, usd(14));
    bench.until(T0 + 400 * HOUR_MS);
    expect(bench.story(T0)).toEqual([
      '+0:00 credits_exhausted account/acme',
      '+23:00 action_reminder volume/v1',
      '+24:00 revoke volume/v1 credits_exhausted #1',
      '+192:00 action_reminder volume/v1',
      '+288:00 action_reminder volume/v1',
      '+336:00 action_reminder volume/v1',
      '+360:00 decommission volume/v1 credits_exhausted #1',
    ]);
    const [first, second] = bench.commands.filter((one) => one.alert === 'action_reminder');
    expect(first?.detail?.actions?.map((one) => one.command)).toEqual(['revoke', 'decommission']);
    expect(second?.detail?.actions?.map((one) => one.command)).toEqual(['decommission']);
  });
});

describe('N7: overdue', () => {
  test('N7: from overdue_after on every hour, alerts before attempts 2, 3, 24 and 48, until the control plane confirms', () => {
    const { bench, acme } = exhausted();
    bench.world.advance(T0 + 49 * HOUR_MS);
    acme.confirm(bench.world.clock, 'cluster', 'c1');
    bench.until(T0 + 60 * HOUR_MS);
    const pauses = bench.commands.filter((one) => one.command === 'pause');
    expect(pauses.map((one) => one.attempt)).toEqual(Array.from({ length: 49 }, (_, index) => index + 1));
    expect(pauses.map((one) => (one.issuedAt - T0) / HOUR_MS)).toEqual([
      1,
      ...Array.from({ length: 48 }, (_, index) => 1.5 + index),
    ]);
    expect(new Set(pauses.map((one) => one.noticeId)).size).toBe(1);
    const alerts = bench.commands.filter((one) => one.alert === 'enforcement_overdue');
    expect(alerts.map((one) => (one.detail?.overdueAttempt ?? 0) + 1)).toEqual([2, 3, 24, 48]);
    expect(alerts.every((one) => one.audience === 'operator')).toBe(true);
    expect(bench.enforcement.standingOrders('acme')).toEqual([]);
  });

  test('N7: a look that finds it idle passes, and the next attempt does not count it', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runCluster(T0, 'c1', EIGHT, 95 * MINUTE_MS);
    acme.charge(T0, usd(14));
    bench.world.advance(T0 + 4 * HOUR_MS);
    acme.runCluster(bench.world.clock, 'c1', EIGHT, 35 * MINUTE_MS);
    bench.until(T0 + 6 * HOUR_MS);
    expect(bench.story(T0).filter((line) => line.includes('pause'))).toEqual([
      '+1:00 pause cluster/c1 credits_exhausted #1',
      '+1:30 pause cluster/c1 credits_exhausted #2',
      '+4:30 pause cluster/c1 credits_exhausted #3',
    ]);
  });

  test('N7: a revoke is not sent again', () => {
    const bench = new Bench();
    const acme = bench.world.customer('acme');
    acme.runVolume(T0, 'v1', LONG);
    acme.charge(T0, usd(14));
    bench.until(T0 + 48 * HOUR_MS);
    expect(bench.commands.filter((one) => one.command === 'revoke').length).toBe(1);
    expect(bench.commands.filter((one) => one.alert === 'enforcement_overdue')).toEqual([]);
  });
});
