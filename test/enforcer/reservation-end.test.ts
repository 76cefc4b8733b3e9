import { describe, expect, test } from 'vitest';
import type { ReservationFacts } from '../../services/shared/contracts/balance-update.ts';
import { DEFAULT_POLICY } from '../../services/shared/contracts/policy.ts';
import { HOUR_MS, MINUTE_MS } from '../../services/shared/time.ts';
import { Bench } from './support/run.ts';
import { type Customer, T0, usd } from './support/world.ts';

const END = T0 + 100 * HOUR_MS;
const EIGHT = new Map([['H100', 8]]);

function bench(): { readonly bench: Bench; readonly acme: Customer } {
  const made = new Bench();
  const acme = made.world.customer('acme');
  acme.grant(T0, 'g1', usd(100_000));
  acme.provision(T0, 'c1');
  return { bench: made, acme };
}

function reserve(acme: Customer, at: number, id: string, given: Partial<ReservationFacts> = {}): void {
  acme.reserve(at, {
    reservationId: id,
    clusterId: 'c1',
    gpuType: 'H100',
    gpus: 8,
    startsAt: T0,
    endsAt: END,
    charged: true,
    ...given,
  });
}

const ALERTS = ['+28:00', '+76:00', '+99:00'].map((at) => `${at} reservation_ending reservation/r1`);
const END_ORDER = '+100:00 decommission cluster/c1 reservation_ended #1';

describe('N6: the end of a reservation', () => {
  test('N6: alerts at each notice, then the decommission, with the id of the last', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    b.until(END);
    expect(b.story(T0)).toEqual([...ALERTS, END_ORDER]);
    expect(b.commands.slice(0, 3).map((one) => one.detail)).toEqual(
      Array.from({ length: 3 }, () => ({ endsAt: END, follows: 'decommission' })),
    );
    expect(b.commands[3]?.noticeId).toBe(b.commands[2]?.commandId);
    expect(b.commands[3]?.episode).toBeUndefined();
  });

  test.each([
    [72 * HOUR_MS, false],
    [72 * HOUR_MS + 1, true],
    [0, false],
  ])('N6: a successor that begins %d ms after the end: decommissioned %s', (afterMs, gone) => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    reserve(acme, T0, 'r2', { startsAt: END + afterMs, endsAt: END + 500 * HOUR_MS });
    b.until(END);
    expect(b.story(T0).includes(END_ORDER)).toBe(gone);
    expect(b.commands[0]?.detail?.follows).toBe(gone ? 'decommission' : 'nothing');
  });

  test('N6: a successor that was not charged, or was cancelled before it begins, keeps nothing', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    reserve(acme, T0, 'r2', { startsAt: END, endsAt: END + 500 * HOUR_MS, charged: false });
    reserve(acme, T0, 'r3', { startsAt: END, endsAt: END + 500 * HOUR_MS });
    b.world.advance(T0 + HOUR_MS);
    acme.cancel(T0 + HOUR_MS, 'r3', T0, false);
    b.until(END);
    expect(b.story(T0)).toEqual([...ALERTS, END_ORDER]);
  });

  test('N6: several that end together decommission once, by the lowest id that may', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r3');
    reserve(acme, T0, 'r2');
    reserve(acme, T0, 'r1', { endsAt: END + HOUR_MS });
    b.world.advance(T0 + HOUR_MS);
    acme.cancel(T0 + HOUR_MS, 'r1', END, false);
    b.until(END);
    const ends = b.commands.filter((one) => one.command === 'decommission');
    expect(ends.map((one) => one.commandId)).toEqual(['acme/r1:r2/cluster/c1/decommission/cluster/1']);
  });

  test('N6: a plain cancellation decommissions nothing, and its alerts say what the burst will cost', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    reserve(acme, T0, 'r2', { gpus: 3, endsAt: END + 500 * HOUR_MS });
    acme.runCluster(T0, 'c1', new Map([['H100', 10]]), 300 * HOUR_MS);
    acme.cancel(T0, 'r1', T0 + 50 * HOUR_MS, false);
    b.until(T0 + 51 * HOUR_MS);
    expect(b.story(T0)).toEqual([
      '+0:00 reservation_ending reservation/r1',
      '+26:00 reservation_ending reservation/r1',
      '+49:00 reservation_ending reservation/r1',
    ]);
    expect(b.commands[0]?.detail).toEqual({
      endsAt: T0 + 50 * HOUR_MS,
      follows: 'burst',
      burstGpus: 7,
      burstCostNanos: usd(21),
    });
  });

  test('N6: cancelled with decommission: one alert at once, the end an hour later', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    b.world.advance(T0 + HOUR_MS);
    acme.cancel(T0 + HOUR_MS, 'r1', T0, true);
    b.until(END);
    expect(b.story(T0)).toEqual([
      '+1:00 reservation_ending reservation/r1',
      '+2:00 decommission cluster/c1 reservation_ended #1',
    ]);
  });

  test('N6: cancelled to now, or before it starts: it will not hold, and sends none', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    reserve(acme, T0, 'r2', { clusterId: 'c2', startsAt: T0 + 20 * HOUR_MS });
    b.world.advance(T0 + HOUR_MS);
    acme.cancel(T0 + HOUR_MS, 'r1', T0, false);
    acme.cancel(T0 + HOUR_MS, 'r2', T0 + 2 * HOUR_MS, false);
    b.until(END);
    expect(b.story(T0)).toEqual([]);
  });

  test('N6: one not charged sends none; charged late, what is past becomes one, at the charge', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1', { charged: false });
    b.world.advance(T0 + 80 * HOUR_MS);
    acme.chargeReservation(T0 + 80 * HOUR_MS, 'r1');
    b.until(END);
    expect(b.story(T0)).toEqual(['+80:00 reservation_ending reservation/r1', ALERTS[2], END_ORDER]);
  });

  test('N6: never charged: nothing at its end', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1', { charged: false });
    b.until(END + HOUR_MS);
    expect(b.story(T0)).toEqual([]);
  });

  test('N6: a cluster that was never provisioned, or is gone, is not decommissioned', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    reserve(acme, T0, 'r2', { clusterId: 'c2' });
    b.world.advance(T0 + 50 * HOUR_MS);
    acme.confirm(T0 + 50 * HOUR_MS, 'cluster', 'c1');
    b.until(END + HOUR_MS);
    expect(b.commands.filter((one) => one.command !== 'alert')).toEqual([]);
  });

  test('N6: an extension plans it anew, with notices of the new end', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    b.world.advance(T0 + 99.5 * HOUR_MS);
    acme.extend(T0 + 99.5 * HOUR_MS, 'r1', 48 * HOUR_MS);
    b.until(END + 48 * HOUR_MS);
    expect(b.story(T0)).toEqual([
      ...ALERTS,
      '+99:30 reservation_ending reservation/r1',
      '+124:00 reservation_ending reservation/r1',
      '+147:00 reservation_ending reservation/r1',
      '+148:00 decommission cluster/c1 reservation_ended #1',
    ]);
    expect(b.commands.at(-1)?.noticeId).toBe('acme/r2:r1/reservation/r1/alert/reservation_ending/3');
  });

  test('N6 N3: the end ends what else was coming, is N7 after it, and a restoration changes nothing', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    acme.runCluster(T0, 'c1', new Map([['H100', 12]]), 300 * HOUR_MS);
    b.world.advance(END - 30 * MINUTE_MS);
    b.take();
    acme.charge(END - 30 * MINUTE_MS, usd(200_000));
    b.until(END);
    acme.grant(END, 'g2', usd(500_000));
    b.until(END + 30 * MINUTE_MS);
    expect(b.story(END).filter((line) => !/low|ending/.test(line))).toEqual([
      '+-1:-30 credits_exhausted account/acme',
      '+0:00 decommission cluster/c1 reservation_ended #1',
      '+0:00 credits_restored account/acme',
      '+0:30 enforcement_overdue cluster/c1',
      '+0:30 decommission cluster/c1 reservation_ended #2',
    ]);
    expect(b.drops.map(({ scope, why }) => [scope, why])).toEqual([['burst', 'reservation_ended']]);
  });

  test('N3 N6: exhausted at the very instant of the end: the cluster is decommissioned, not announced', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    acme.runCluster(T0, 'c1', EIGHT, 300 * HOUR_MS);
    b.world.advance(END - 1);
    acme.charge(END - 1, usd(200_000));
    b.until(END + 10);
    const last = b.commands.slice(-2);
    expect(last.map((one) => one.alert ?? one.reason)).toEqual(['credits_exhausted', 'reservation_ended']);
    expect(last[0]?.detail?.actions).toEqual([]);
  });

  test('N5 N6: a cluster decommissioned at an end is resumed when another reservation of it comes to hold', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    reserve(acme, T0, 'r2', { startsAt: END + 80 * HOUR_MS, endsAt: END + 300 * HOUR_MS });
    b.until(END + 80 * HOUR_MS);
    expect(b.story(T0).slice(-2)).toEqual([END_ORDER, '+180:00 resume cluster/c1 reserved #1']);
    expect(b.enforcement.standingOrders('acme')).toEqual([]);
  });
});

describe('N1: new notice times', () => {
  test('N1 N6: they hold for what is not yet sent; what is past by them is left out', () => {
    const { bench: b, acme } = bench();
    reserve(acme, T0, 'r1');
    b.world.advance(T0 + 60 * HOUR_MS);
    acme.setPolicy(b.world.clock, { ...DEFAULT_POLICY, reservationEndNoticesMs: [48 * HOUR_MS, 10 * HOUR_MS] });
    b.until(END);
    expect(b.story(T0)).toEqual([ALERTS[0], '+90:00 reservation_ending reservation/r1', END_ORDER]);
  });

  test('N1 L1: if none was sent of this end, one that is past is sent at once', () => {
    const { bench: b, acme } = bench();
    acme.setPolicy(T0, { ...DEFAULT_POLICY, reservationEndNoticesMs: [HOUR_MS] });
    reserve(acme, T0, 'r1');
    b.world.advance(END - 90 * MINUTE_MS);
    acme.setPolicy(b.world.clock, { ...DEFAULT_POLICY, reservationEndNoticesMs: [72 * HOUR_MS] });
    b.until(END);
    expect(b.story(T0)).toEqual(['+98:30 reservation_ending reservation/r1', END_ORDER]);
  });
});

describe('N10: credits that expire', () => {
  test('N10: at each notice while something is left', () => {
    const { bench: b, acme } = bench();
    acme.grant(T0, 'e1', usd(10), T0 + 200 * HOUR_MS);
    b.until(T0 + 200 * HOUR_MS);
    expect(b.story(T0)).toEqual(['+32:00 credits_expiring grant/e1', '+176:00 credits_expiring grant/e1']);
    expect(b.commands[0]?.detail).toEqual({ expiresAt: T0 + 200 * HOUR_MS });
  });

  test('N10: those whose time is past when it comes become one, sent at once', () => {
    const { bench: b, acme } = bench();
    acme.grant(T0, 'e1', usd(10), T0 + 20 * HOUR_MS);
    acme.grant(T0, 'e2', usd(10), T0 + 24 * HOUR_MS + 1);
    b.until(T0 + 30 * HOUR_MS);
    expect(b.story(T0).map((line) => line.slice(-8))).toEqual(['grant/e1', 'grant/e2', 'grant/e2']);
  });

  test('N10: with nothing left there is nothing to say', () => {
    const { bench: b, acme } = bench();
    acme.grant(T0, 'e1', usd(10), T0 + 200 * HOUR_MS);
    acme.grants.delete('e1');
    acme.charge(T0 + 1, usd(10));
    b.until(T0 + 200 * HOUR_MS);
    expect(b.story(T0)).toEqual([]);
  });
});

test('comingActions: what is coming, by time, with the ends that decommission', () => {
  const { bench: b, acme } = bench();
  reserve(acme, T0, 'r2');
  reserve(acme, T0, 'r1');
  acme.runCluster(T0, 'c9', EIGHT, 300 * HOUR_MS);
  acme.charge(T0, usd(200_000));
  expect(b.enforcement.comingActions('acme').map((one) => [one.resource.id, one.command, one.at - T0])).toEqual([
    ['c9', 'pause', HOUR_MS],
    ['c9', 'decommission', 73 * HOUR_MS],
    ['c1', 'decommission', 100 * HOUR_MS],
  ]);
});
