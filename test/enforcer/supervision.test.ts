import { describe, expect, test } from 'vitest';
import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { commandLine } from '../../services/shared/contracts/command-line.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../services/shared/time.ts';
import { inShort } from './support/run.ts';
import { T0, usd, World } from './support/world.ts';

const EIGHT = new Map([['H100', 8]]);
const LONG = 1_000 * HOUR_MS;

/** A live partition. Alerts are published at once, unless told otherwise; state is stored and read back all the time. */
class LiveBench {
  enforcement = new Enforcement(3, { live: true });
  readonly world: World;
  readonly commands: Command[] = [];
  publishes = true;
  wallAt: Instant = T0;

  constructor() {
    this.wall(T0);
    this.world = new World((input) => {
      this.enforcement.apply(input, (command) => this.#sent(command));
      this.#inputs += 1;
      if (this.#inputs % 5 === 0) this.#restart();
      else this.#settle();
    });
  }

  #sent(command: Command): void {
    this.commands.push(command);
    const { accountId, commandId } = command;
    if (this.publishes) this.#later.push(() => this.enforcement.notePublished(accountId, commandId, this.wallAt));
  }
  #inputs = 0;
  #later: (() => void)[] = [];

  #settle(): void {
    for (const act of this.#later.splice(0)) act();
  }

  /** What is stored is all there is: only the wall clock has to be read again. */
  #restart(): void {
    this.#settle();
    const next = new Enforcement(3, { live: true });
    next.putPartition(this.enforcement.encodePartition());
    for (const id of this.enforcement.accountIds()) next.putAccount(this.enforcement.encodeAccount(id));
    this.enforcement = next;
    next.observeWallClock(this.wallAt, (command) => this.#sent(command));
  }

  wall(at: Instant): void {
    this.wallAt = at;
    this.enforcement.observeWallClock(at, (command) => this.#sent(command));
    this.#settle();
  }

  /** Log and wall clock go on together, minute by minute. */
  live(until: Instant): void {
    for (let at = this.world.clock + MINUTE_MS; at <= until; at += MINUTE_MS) {
      this.wall(at);
      this.world.advance(at);
      this.world.watermark();
    }
  }

  release(target: 'all' | { readonly accountId: string }): void {
    this.enforcement.release(target, (command) => this.#sent(command));
  }

  story(): readonly string[] {
    return this.commands.map((command) => inShort(command, T0)).filter((line) => !line.includes('overdue'));
  }

  exhaust(id: string): void {
    const customer = this.world.customer(id);
    customer.runCluster(this.world.clock, 'c1', EIGHT, LONG);
    customer.charge(this.world.clock, usd(1));
  }
}

const HOLD = { by: 'ann', why: 'migration', at: T0 };

describe('N9: fail safe', () => {
  test('N9: live and with everything in time it is as in replay', () => {
    const bench = new LiveBench();
    bench.exhaust('acme');
    bench.live(T0 + 2 * HOUR_MS);
    expect(bench.story()).toEqual([
      '+0:00 credits_exhausted account/acme',
      '+1:00 pause cluster/c1 credits_exhausted #1',
      '+1:30 pause cluster/c1 credits_exhausted #2',
    ]);
  });

  test.each([
    [15 * MINUTE_MS, false],
    [15 * MINUTE_MS + 1, true],
  ])('N9: input %d ms old when a pause is due: held %s', (ageMs, held) => {
    const bench = new LiveBench();
    bench.exhaust('acme');
    bench.live(T0 + 59 * MINUTE_MS);
    bench.wall(T0 + HOUR_MS + ageMs);
    bench.world.advance(T0 + HOUR_MS);
    bench.world.watermark();
    expect(bench.story().some((line) => line.includes('pause'))).toBe(!held);
    const alerts = bench.commands.filter((one) => one.alert === 'enforcement_suspended');
    expect(alerts.length).toBe(1);
  });

  test('N9: one alert for the partition; fresh again for stale_after, what was held is due anew and what follows moves', () => {
    const bench = new LiveBench();
    bench.exhaust('acme');
    bench.live(T0 + 50 * MINUTE_MS);
    // The rater is down from 0:50 to 3:00, then catches up.
    for (const minutes of [60, 66, 90, 179]) bench.wall(T0 + minutes * MINUTE_MS);
    bench.wall(T0 + 3 * HOUR_MS);
    bench.world.advance(T0 + 2 * HOUR_MS);
    bench.world.watermark();
    bench.live(T0 + 4 * HOUR_MS);
    const suspended = bench.commands.filter((one) => one.alert === 'enforcement_suspended');
    expect(suspended.map((one) => [one.resource, one.accountId, one.audience, one.detail])).toEqual([
      [{ kind: 'pipeline', id: '3' }, '', 'operator', { why: 'input_stale' }],
    ]);
    expect(JSON.parse(commandLine(suspended[0] as Command))).toMatchObject({ alert: 'enforcement_suspended' });
    const pauses = bench.commands.filter((one) => one.command === 'pause');
    expect(pauses[0]?.issuedAt).toBeGreaterThanOrEqual(T0 + 2 * HOUR_MS + 15 * MINUTE_MS);
    const late = (pauses[0]?.issuedAt ?? 0) - (T0 + HOUR_MS);
    const coming = bench.enforcement.comingActions('acme');
    expect(coming.map((one) => [one.command, one.at])).toEqual([['decommission', T0 + 73 * HOUR_MS + late]]);
    expect(bench.enforcement.holds().suspended).toBe(false);
  });

  test('N9: what is held is checked again: restored meanwhile, it is not carried out', () => {
    const bench = new LiveBench();
    bench.exhaust('acme');
    bench.live(T0 + 50 * MINUTE_MS);
    bench.wall(T0 + 3 * HOUR_MS);
    bench.world.advance(T0 + 2 * HOUR_MS);
    bench.world.customer('acme').grant(T0 + 2 * HOUR_MS, 'g1', usd(100_000));
    bench.live(T0 + 5 * HOUR_MS);
    expect(bench.story().filter((line) => line.includes('c1'))).toEqual([]);
  });

  test('N9: before the wall clock was read nothing is sent', () => {
    const commands: Command[] = [];
    const enforcement = new Enforcement(0, { live: true });
    const world = new World((input) => enforcement.apply(input, (command) => commands.push(command)));
    world.customer('acme').runCluster(T0, 'c1', EIGHT, LONG);
    world.customer('acme').charge(T0, usd(1));
    world.advance(T0 + 2 * HOUR_MS);
    world.watermark();
    expect(commands.map((one) => one.alert)).toEqual(['credits_exhausted']);
    const said = (at: Instant) => {
      enforcement.noteUnwitnessed(T0);
      enforcement.observeWallClock(at, (command) => commands.push(command));
      return commands.map((one) => one.alert ?? one.command);
    };
    expect(said(T0 + 3 * HOUR_MS)).toEqual(['credits_exhausted', 'enforcement_suspended']);
    const clock = T0 + 3 * HOUR_MS;
    enforcement.apply({ kind: 'watermark', partition: 0, clock, nextOffset: 0 }, (command) => commands.push(command));
    expect(said(clock).length).toBe(2);
    expect(said(clock + 15 * MINUTE_MS)).toEqual(['credits_exhausted', 'enforcement_suspended', 'pause']);
  });

  test('N9: an action waits until its alert has been out for its notice', () => {
    const bench = new LiveBench();
    bench.publishes = false;
    bench.exhaust('acme');
    bench.live(T0 + 30 * MINUTE_MS);
    const alert = bench.commands[0];
    bench.enforcement.notePublished('acme', alert?.commandId ?? '', T0 + 30 * MINUTE_MS);
    bench.enforcement.notePublished('acme', alert?.commandId ?? '', T0);
    bench.enforcement.notePublished('acme', 'another', T0);
    bench.live(T0 + 89 * MINUTE_MS);
    expect(bench.story().length).toBe(1);
    bench.live(T0 + 100 * MINUTE_MS);
    expect(bench.story()[1]).toBe('+1:29 pause cluster/c1 credits_exhausted #1');
  });

  test('N9: the end of a reservation is held like the rest, and checked again', () => {
    const bench = new LiveBench();
    const acme = bench.world.customer('acme');
    const reservation = { clusterId: 'c1', gpuType: 'H100', gpus: 8, startsAt: T0, charged: true };
    acme.provision(T0, 'c1');
    acme.reserve(T0, { ...reservation, reservationId: 'r1', endsAt: T0 + 2 * HOUR_MS });
    acme.provision(T0, 'c2');
    acme.reserve(T0, { ...reservation, reservationId: 'r2', clusterId: 'c2', endsAt: T0 + 2 * HOUR_MS });
    bench.live(T0 + HOUR_MS);
    bench.enforcement.hold('all', HOLD);
    bench.live(T0 + 3 * HOUR_MS);
    acme.reserve(T0 + 3 * HOUR_MS, { ...reservation, reservationId: 'r3', clusterId: 'c2', endsAt: T0 + 9 * HOUR_MS });
    expect(bench.commands.filter((one) => one.command !== 'alert')).toEqual([]);
    bench.release('all');
    expect(bench.story().at(-1)).toBe('+3:00 decommission cluster/c1 reservation_ended #1');
    bench.live(T0 + 4 * HOUR_MS);
    expect(bench.commands.filter((one) => one.command !== 'alert').length).toBe(1);
  });
});

describe('N11: the brake', () => {
  test('N11: an operator holds one account and releases it', () => {
    const bench = new LiveBench();
    bench.exhaust('acme');
    bench.exhaust('beta');
    bench.enforcement.hold({ accountId: 'acme' }, HOLD);
    bench.live(T0 + 2 * HOUR_MS);
    expect(bench.commands.filter((one) => one.command === 'pause').map((one) => one.accountId)).toEqual([
      'beta',
      'beta',
    ]);
    bench.release({ accountId: 'acme' });
    expect(bench.story().at(-1)).toBe('+2:00 pause cluster/c1 credits_exhausted #1');
    expect(bench.enforcement.comingActions('acme')[0]?.at).toBe(T0 + 74 * HOUR_MS);
  });

  test.each([
    [10, 0, false],
    [11, 0, true],
    [15, 285, false],
    [16, 284, true],
  ])('N11: %d accounts due and %d others: the brake holds %s', (due, others, brakes) => {
    const bench = new LiveBench();
    for (let n = 0; n < others; n += 1) bench.world.customer(`other-${n}`).grant(T0, 'g', usd(1));
    for (let n = 0; n < due; n += 1) bench.exhaust(`acct-${n}`);
    bench.live(T0 + 61 * MINUTE_MS);
    expect(bench.commands.filter((one) => one.command === 'pause').length).toBe(brakes ? 0 : due);
    const alerts = bench.commands.filter((one) => one.alert === 'enforcement_suspended');
    expect(alerts.map((one) => one.detail?.why)).toEqual(brakes ? ['brake'] : []);
    expect(bench.enforcement.holds().brake?.by).toBe(brakes ? 'brake' : undefined);
  });

  test('N11: one after the other within the hour the brake counts what was done', () => {
    const bench = new LiveBench();
    const due = new Map(Array.from({ length: 12 }, (_, n) => [n, T0 + n * 15 * MINUTE_MS]));
    for (const [n, at] of due) {
      bench.live(at);
      bench.exhaust(`acct-${String(n).padStart(2, '0')}`);
    }
    bench.live(T0 + 6 * HOUR_MS);
    // Never more than four or five within one hour.
    expect(bench.enforcement.holds().brake).toBeUndefined();
    expect(new Set(bench.commands.filter((one) => one.command === 'pause').map((one) => one.accountId)).size).toBe(12);
  });

  test('N11: released, it lets what is in sight pass, and holds again an hour later', () => {
    const bench = new LiveBench();
    for (let n = 0; n < 11; n += 1) bench.exhaust(`acct-${String(n).padStart(2, '0')}`);
    bench.live(T0 + 90 * MINUTE_MS);
    expect(bench.commands.filter((one) => one.command === 'pause')).toEqual([]);
    bench.release('all');
    expect(bench.commands.filter((one) => one.command === 'pause').length).toBe(11);
    for (let n = 0; n < 11; n += 1) bench.exhaust(`more-${String(n).padStart(2, '0')}`);
    bench.live(T0 + 4 * HOUR_MS);
    expect(bench.enforcement.holds().brake).toBeDefined();
    expect(bench.commands.filter((one) => one.alert === 'enforcement_suspended').length).toBe(2);
  });

  test('N9 N11: in replay both are idle', () => {
    const enforcement = new Enforcement(0);
    const commands: Command[] = [];
    const world = new World((input) => enforcement.apply(input, (command) => commands.push(command)));
    for (let n = 0; n < 30; n += 1) {
      world.customer(`acct-${n}`).runCluster(T0, 'c1', EIGHT, LONG);
      world.customer(`acct-${n}`).charge(T0, usd(1));
    }
    enforcement.observeWallClock(T0 + LONG, (command) => commands.push(command));
    world.advance(T0 + HOUR_MS);
    world.watermark();
    expect(commands.filter((one) => one.command === 'pause').length).toBe(30);
    expect(commands.filter((one) => one.alert === 'enforcement_suspended')).toEqual([]);
  });
});
