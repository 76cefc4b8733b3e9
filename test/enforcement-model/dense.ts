import { type Random, randomFrom } from '../histories/random.ts';
import { type Entry, hour, log, minute } from './log.ts';

const grid = 30 * minute;

/** A short log of one account, mostly without credits, whose instants lie on a coarse grid, so that many of them coincide. */
export function denseLog(seed: number): string[] {
  const random = randomFrom(seed);
  const account = new DenseAccount(random);
  const steps = random.int(8, 30);
  for (let step = 0; step < steps; step++) account.step();
  const last = account.now + grid * random.pick([0, 1, 10, 60, 200]);
  return log(drawPolicy(random), ...account.entries, [last, 'clock.tick']);
}

class DenseAccount {
  readonly entries: Entry[] = [];
  now = hour;
  private readonly random: Random;
  private readonly endOf: number[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  step(): void {
    const { random } = this;
    this.now += random.pick([0, 0, 0, 1, -1]) + grid * random.pick([0, 0, 1, 1, 2, 3, 10, 40]);
    this.now = Math.max(this.now, this.entries.at(-1)?.[0] ?? hour);
    const [type, data] = this.draw();
    this.entries.push([this.now, type, data]);
  }

  private draw(): readonly [string, Readonly<Record<string, unknown>>] {
    const { random, now } = this;
    const [cluster_id, volume_id] = [random.pick(['c1', 'c1', 'c2']), random.pick(['v1', 'v1', 'v2'])];
    const gpu_type = random.pick(['H100', 'H100', 'A100']);
    const start = now - random.pick([grid, hour, 1, 10 * minute]);
    const sample = { start, end: now + minute * random.pick([0, 0, 0, 1, 5]) };
    const kind = random.int(1, 20);
    if (kind <= 7) {
      const [node_id, gpus] = [random.pick(['n1', 'n2']), random.pick([1, 2, 4, 8])];
      return ['usage.gpu', { cluster_id, node_id, gpu_type, gpus, ...sample }];
    }
    if (kind <= 10) return ['usage.storage', { volume_id, size_gib: random.pick([1, 1000, 5000]), ...sample }];
    if (kind <= 13) {
      const amount = random.pick(['0.000000001', '1', '3', '3.5', '6', '12', '24', '60']);
      const expires = random.chance(0.35) ? { expires_at: now + grid * random.int(1, 8) } : {};
      return ['credits.granted', { grant_id: `g${this.entries.length}`, amount, kind: 'paid', ...expires }];
    }
    if (kind <= 16) return ['reservation.purchased', { ...this.drawReservation(), cluster_id, gpu_type }];
    if (kind <= 18 && this.endOf.length > 0) return this.drawChange(random.int(0, this.endOf.length - 1));
    if (kind === 19) return ['policy.set', { policy: drawPolicy(random) }];
    const type = random.pick(['cluster.provisioned', 'cluster.decommissioned', 'volume.decommissioned']);
    return [type, type === 'volume.decommissioned' ? { volume_id } : { cluster_id }];
  }

  private drawReservation(): Readonly<Record<string, unknown>> {
    const { random, now } = this;
    const starts_at = now + grid * random.pick([-1, 0, 0, 1, 2, 4, 10]);
    const ends_at = Math.max(now, starts_at) + grid * random.pick([1, 2, 4, 8, 50]);
    const reservation_id = `r${this.endOf.push(ends_at) - 1}`;
    const payment = random.pick(['upfront', 'upfront', 'on_provision']);
    const [gpus, price_per_gpu_hour] = [random.pick([1, 2, 4]), random.pick(['0', '0', '1'])];
    return { reservation_id, starts_at, ends_at, payment, gpus, price_per_gpu_hour, overdraft: true };
  }

  private drawChange(index: number): readonly [string, Readonly<Record<string, unknown>>] {
    const { random, now } = this;
    const reservation_id = `r${index}`;
    if (random.chance(0.4)) {
      const ends_at = (this.endOf[index] ?? now) + grid * random.pick([1, 2, 140, 144]);
      this.endOf[index] = ends_at;
      return ['reservation.extended', { reservation_id, ends_at }];
    }
    const decommission = random.chance(0.4) ? { decommission: true } : {};
    const ends_at = now + grid * random.pick([0, 0, 1, -1]);
    return ['reservation.cancelled', { reservation_id, ends_at, refund: '0', ...decommission }];
  }
}

function drawPolicy(random: Random): Record<string, unknown> {
  const values: Readonly<Record<string, readonly unknown[]>> = {
    activity_window: ['15m', '30m', '1h', '12h', '72h'],
    pause_after: ['5m', '30m', '1h', '2h', '3h'],
    burst_decommission_after: ['5m', '30m', '1h', '2h', '3h'],
    decommission_paused_after: ['1h', '2h', '24h', '25h', '26h'],
    revoke_after: ['1h', '90m', '2h', '3h'],
    decommission_revoked_after: ['1h', '24h', '25h', '73h'],
    overdue_after: ['1m', '30m', '1h'],
    resume_runway: ['1m', '30m', '1h', '2h', '10h'],
    reservation_end_notices: [['30m'], ['1h', '30m'], ['2h', '24h'], ['1m']],
    credit_expiry_notices: [[], ['30m'], ['1h', '2h']],
    low_runway: [[], ['1h'], ['1h', '2h', '4h'], ['30m', '3h']],
    realert_after: ['1m', '1h', '3h'],
  };
  const chosen = Object.entries(values).filter(() => random.chance(0.6));
  return Object.fromEntries(chosen.map(([name, choices]) => [name, random.any(choices)]));
}
