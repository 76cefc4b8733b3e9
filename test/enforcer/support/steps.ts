import fc from 'fast-check';
import { DEFAULT_POLICY, type Policy } from '../../../services/shared/contracts/policy.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../services/shared/time.ts';
import { usd, type World } from './world.ts';

const QUARTER_MS = 15 * MINUTE_MS;

/** One thing that happens in a world, after some quarters of an hour. */
export type Step =
  | { readonly act: 'tick' | 'charge' | 'grant' | 'volume' | 'confirm' | 'provision' | 'policy'; readonly n: number }
  | { readonly act: 'cluster' | 'reserve' | 'charge_reservation' | 'extend' | 'cancel'; readonly n: number };

export interface TimedStep {
  readonly who: number;
  readonly quarters: number;
  readonly step: Step;
}

/** Times are multiples of a quarter, so that what is due and what happens often fall on one instant. */
const quarters = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 1, arbitrary: fc.constantFrom(4, 96, 288, 292, 384) },
);

const acts: readonly [Step['act'], number][] = [
  ['cluster', 10],
  ['volume', 5],
  ['charge', 6],
  ['grant', 4],
  ['reserve', 4],
  ['charge_reservation', 1],
  ['extend', 1],
  ['cancel', 2],
  ['confirm', 2],
  ['provision', 1],
  ['policy', 1],
  ['tick', 3],
];

const step: fc.Arbitrary<TimedStep> = fc.record({
  who: fc.nat({ max: 1 }),
  quarters,
  step: fc.oneof(
    ...acts.map(([act, weight]) => ({
      weight,
      arbitrary: fc.record({ act: fc.constant(act), n: fc.nat({ max: 0x3fff_ffff }) }),
    })),
  ),
});

/** Histories of two customers, up to so many steps. */
export function histories(steps: number): fc.Arbitrary<readonly TimedStep[]> {
  return fc.array(step, { minLength: 5, maxLength: steps, size: 'max' });
}

const POLICIES: readonly Policy[] = [
  DEFAULT_POLICY,
  {
    ...DEFAULT_POLICY,
    pauseAfterMs: QUARTER_MS,
    decommissionPausedAfterMs: DAY_MS,
    reservationEndNoticesMs: [2 * HOUR_MS],
  },
  {
    ...DEFAULT_POLICY,
    revokeAfterMs: HOUR_MS,
    decommissionRevokedAfterMs: 2 * DAY_MS,
    resumeRunwayMs: 10 * HOUR_MS,
    overdueAfterMs: HOUR_MS,
  },
  { ...DEFAULT_POLICY, lowRunwayMs: [HOUR_MS], reservationEndNoticesMs: [48 * HOUR_MS, 30 * MINUTE_MS] },
];

/** Plays one step in a world: `n` picks who and how much, always the same. */
export function play(world: World, { who, quarters: q, step: { act, n } }: TimedStep): void {
  world.advance(world.clock + q * QUARTER_MS);
  const at = world.clock;
  const customer = world.customer(`acct-${who}`);
  const pick = (count: number, salt: number): number => ((n >>> (salt * 4)) ^ (n * 31 + salt)) % count;
  const clusterId = `c${1 + Math.abs(pick(3, 1))}`;
  const amount = usd(1 + Math.abs(pick(60, 2)));
  const reservationId = `r${Math.abs(pick(12, 1))}`;
  switch (act) {
    case 'tick':
      world.watermark();
      return;
    case 'charge':
      customer.charge(at, amount * BigInt(1 + Math.abs(pick(3, 4))));
      return;
    case 'grant':
      customer.grant(
        at,
        `g${n}`,
        amount * 2n,
        n % 3 === 0 ? at + (1 + Math.abs(pick(40, 3))) * 6 * HOUR_MS : undefined,
      );
      return;
    case 'cluster': {
      const gpus = new Map([['H100', 4 * (1 + Math.abs(pick(4, 3)))]]);
      if (n % 11 === 0) gpus.set('A100', 2);
      customer.runCluster(at, clusterId, gpus, Math.abs(pick(20, 4)) * QUARTER_MS);
      return;
    }
    case 'volume':
      customer.runVolume(at, `v${1 + Math.abs(pick(2, 1))}`, Math.abs(pick(150, 2)) * QUARTER_MS);
      return;
    case 'confirm':
      if (n % 3 === 0) customer.confirm(at, 'volume', `v${1 + Math.abs(pick(2, 1))}`);
      else customer.confirm(at, 'cluster', clusterId);
      return;
    case 'provision':
      customer.provision(at, clusterId);
      return;
    case 'policy': {
      const policy = POLICIES[Math.abs(pick(POLICIES.length, 1))];
      if (policy !== undefined) customer.setPolicy(at, policy);
      return;
    }
    case 'reserve': {
      // Often after another of the cluster, by N6's 72 h or a quarter more.
      const before = n % 3 === 0 ? [...customer.reservations.values()].at(-1) : undefined;
      const gapMs = 72 * HOUR_MS + (n % 2) * QUARTER_MS;
      const startsAt = before === undefined ? at + Math.abs(pick(5, 2)) * 12 * HOUR_MS : before.endsAt + gapMs;
      const endsAt = startsAt + (1 + Math.abs(pick(16, 3))) * 6 * HOUR_MS;
      customer.reserve(at, {
        reservationId,
        clusterId: before?.clusterId ?? `c${1 + Math.abs(pick(3, 5))}`,
        gpuType: 'H100',
        gpus: 8,
        startsAt,
        endsAt,
        charged: n % 4 !== 0,
      });
      return;
    }
    case 'charge_reservation':
      customer.chargeReservation(at, reservationId);
      return;
    case 'extend':
      customer.extend(at, reservationId, (1 + Math.abs(pick(8, 2))) * 6 * HOUR_MS);
      return;
    case 'cancel':
      customer.cancel(at, reservationId, at + Math.abs(pick(4, 2)) * 6 * HOUR_MS, n % 2 === 0);
      return;
  }
}
