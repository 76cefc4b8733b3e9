import { runModel } from '../model/model.ts';
import {
  type Data,
  type Draft,
  day,
  hour,
  instant,
  isoTime,
  minute,
  monthStart,
  writeLine,
  writeUsd,
} from './draft.ts';
import { type Random, randomFrom } from './random.ts';

/**
 * One or two accounts on a coarse grid of time, with few things and round numbers, so that instants fall together and
 * balances meet their thresholds exactly: grants that expire at once, samples that end together, prices and reservations
 * that begin at an end, decommissions in the middle of a report, all of it at the edge of a month.
 */
export function cornerDrafts(random: Random): Draft[] {
  const grid = random.pick([5 * minute, 15 * minute, hour]);
  const begin = monthStart(random.int(1, 14)) + random.pick([-4 * grid, 72 * hour - 6 * grid, 10 * day]);
  const log: Log = { drafts: [], random, grid, now: begin, grants: [], reservations: [], count: 0, accounts: ['acme'] };
  put(log, 'account.opened', random.chance(0.8) ? { policy: drawPolicy(log) } : {}, 'acme');
  const gib_month = random.pick(['0.73', '7.3', '0.000001']);
  put(log, 'prices.published', {
    effective_from: instant(begin - random.pick([0, day])),
    gpu_hour: { H100: '1' },
    gib_month,
  });
  if (random.chance(0.2)) {
    put(log, 'account.opened', {}, 'beta');
    log.accounts.push('beta');
  }
  const lean = random.chance(0.4);
  if (lean) put(log, 'credits.granted', { grant_id: 'first', amount: `${random.int(1, 9)}`, kind: 'paid' }, 'acme');
  for (let events = random.int(25, 60); events > 0; events--) {
    log.now += random.weighted([
      [5, 0],
      [6, grid],
      [2, 2 * grid],
      [1, 4 * grid],
      [1, 1],
      [1, 24 * hour],
      [1, random.pick([2 * day, 34 * day, 36 * day])],
    ] as const);
    random.weighted(lean ? leanActs : acts)(log);
  }
  if (lean && random.chance(0.7)) grantToThreshold(log);
  return log.drafts;
}

interface Log {
  readonly drafts: Draft[];
  readonly random: Random;
  readonly grid: number;
  readonly accounts: string[];
  readonly grants: number[];
  readonly reservations: { id: string; endsAt: number; subject: string; cost: bigint }[];
  now: number;
  count: number;
}

function put(log: Log, type: string, data: Data, subject?: string, extra?: Data): void {
  const id = `k${log.count++}`;
  const more = { ...(subject === undefined ? {} : { subject }), ...(extra === undefined ? {} : { extra }) };
  log.drafts.push({ at: log.now, type, id, data, ...more });
}

const acts: readonly (readonly [number, (log: Log) => void])[] = [
  [34, gpuUsage],
  [9, storageUsage],
  [14, grant],
  [10, purchase],
  [7, extend],
  [8, cancel],
  [2, shortenBeforeStart],
  [4, (log) => put(log, 'cluster.provisioned', { cluster_id: cluster(log) }, account(log))],
  [5, (log) => put(log, 'cluster.decommissioned', { cluster_id: cluster(log) }, account(log))],
  [2, (log) => put(log, 'volume.created', { volume_id: log.random.pick(['v1', 'v3']) }, account(log))],
  [2, (log) => put(log, 'volume.decommissioned', { volume_id: 'v1' }, account(log))],
  [
    4,
    (log) =>
      put(log, 'prices.published', drawPrices(log), undefined, log.random.chance(0.4) ? { forwarded: true } : {}),
  ],
  [4, (log) => put(log, 'contract.priced', drawPrices(log), account(log))],
  [6, (log) => put(log, 'policy.set', { policy: drawPolicy(log) }, account(log))],
  [8, (log) => put(log, 'clock.tick', {})],
  [6, redeliver],
];

/** Nothing but usage and grants around the thresholds of N2: what the levels hang on. */
const leanActs: typeof acts = [
  [34, gpuUsage],
  [5, storageUsage],
  [14, grantToThreshold],
  [3, grant],
  [1, purchase],
  [3, (log) => put(log, 'cluster.decommissioned', { cluster_id: cluster(log) }, account(log))],
  [2, (log) => put(log, 'contract.priced', drawPrices(log), account(log))],
  [4, (log) => put(log, 'policy.set', { policy: drawPolicy(log) }, account(log))],
  [8, (log) => put(log, 'clock.tick', {})],
  [3, redeliver],
];

/** A grant that brings the balance to a threshold, to where it is cleared, to 0, or a nano beside one of these. */
function grantToThreshold(log: Log): void {
  const { random, drafts } = log;
  const subject = account(log);
  const plain = randomFrom(1);
  const { balances } = runModel(
    drafts.map((draft) => writeLine(draft, plain)),
    isoTime(log.now),
  );
  const own = balances.find((b) => b.account_id === subject);
  const nanos = (text: string) => BigInt(text.replace('.', ''));
  const [balance, burn] = [nanos(own?.balance ?? '0'), nanos(own?.burn_rate ?? '0')];
  const hours = random.pick([1n, 2n, 2n, 4n]);
  const target = random.weighted([
    [2, burn * hours],
    [3, (burn * hours * 105n) / 100n],
    [2, (burn * hours * 110n) / 100n],
    [1, 0n],
  ] as const);
  const amount = target - balance + BigInt(random.int(-1, 1));
  if (amount <= 0n) return;
  const kind = random.pick(['promotional', 'adjustment', 'paid']);
  put(log, 'credits.granted', { grant_id: `t${log.count}`, amount: writeUsd(amount, random), kind }, subject);
}

/** What was sent before, perhaps long ago, once more. */
function redeliver({ random, drafts, now }: Log): void {
  const draft = random.any(drafts);
  if (draft !== undefined) drafts.push({ ...structuredClone(draft), at: now });
}

function account({ random, accounts }: Log): string {
  return random.any(accounts) ?? 'acme';
}

function cluster({ random }: Log): string {
  return random.weighted([
    [5, 'c1'],
    [1, 'c2'],
  ] as const);
}

/** The end of a report: now, some steps or hours ago, or a little ahead. */
function span({ random, grid, now }: Log): Data {
  const ago = random.weighted([
    [8, 0],
    [3, grid],
    [2, 2 * hour],
    [1, 2 * hour + 1],
    [1, 3 * hour],
    [1, day],
    [1, 73 * hour],
    [2, -5 * minute],
    [1, -1],
  ] as const);
  const end = now - ago;
  const lasts = random.weighted([
    [5, grid],
    [3, 2 * grid],
    [2, hour],
    [1, 1],
    [1, 5 * grid],
  ] as const);
  return { start: instant(end - lasts), end: instant(end) };
}

function gpuUsage(log: Log): void {
  const { random } = log;
  const gpu_type = random.weighted([
    [9, 'H100'],
    [1, 'A100'],
  ] as const);
  const node_id = random.pick(['n1', 'n2', 'n3']);
  put(
    log,
    'usage.gpu',
    { cluster_id: cluster(log), node_id, gpu_type, gpus: random.int(1, 3), ...span(log) },
    account(log),
  );
}

function storageUsage(log: Log): void {
  put(
    log,
    'usage.storage',
    { volume_id: log.random.pick(['v1', 'v2']), size_gib: log.random.pick([1000, 1, 333]), ...span(log) },
    account(log),
  );
}

function grant(log: Log): void {
  const { random, grid, grants, now } = log;
  const known = random.any(grants.filter((at) => at > now));
  const expiresAt = random.chance(0.5)
    ? undefined
    : random.chance(0.5) && known !== undefined
      ? known
      : now + random.int(1, 6) * grid;
  if (expiresAt !== undefined) grants.push(expiresAt);
  const expiry = expiresAt === undefined ? {} : { expires_at: instant(expiresAt) };
  const amount = random.pick(['0.25', '0.5', '1', '2', '3', '4', '6', '2.000000001', '10']);
  const kind = random.pick(['promotional', 'adjustment', 'paid']);
  const grant_id = `${random.pick(['b', 'a', 'Z', '0'])}${log.count}`;
  put(log, 'credits.granted', { grant_id, amount, kind, ...expiry }, account(log));
}

function purchase(log: Log): void {
  const { random, grid, now } = log;
  const startsAt = now + random.pick([-2, -1, 0, 0, 1, 3, 6]) * grid;
  const endsAt = startsAt + random.pick([1, 2, 3, 4, 8]) * grid + random.pick([0, 0, 0, 1]);
  const subject = account(log);
  const gpus = random.int(1, 3);
  const id = `${random.pick(['r', 'R', '9'])}${log.count}`;
  put(
    log,
    'reservation.purchased',
    {
      reservation_id: id,
      cluster_id: cluster(log),
      gpu_type: 'H100',
      gpus,
      starts_at: instant(startsAt),
      ends_at: instant(endsAt),
      price_per_gpu_hour: random.pick(['0.5', '0.5', '0', '0.000001', '0.333333']),
      payment: random.pick(['upfront', 'on_provision', 'on_provision']),
      ...(random.chance(0.5) ? { overdraft: random.chance(0.7) } : {}),
    },
    subject,
  );
  const cost = (BigInt(gpus) * BigInt(endsAt - startsAt) * 500_000n) / 3600n;
  log.reservations.push({ id, endsAt, subject, cost });
}

function extend(log: Log): void {
  const { random, grid, reservations, now } = log;
  const reservation = random.any(reservations.filter((r) => r.endsAt > now)) ?? random.any(reservations);
  if (reservation === undefined) return;
  const endsAt =
    Math.max(reservation.endsAt, now) + random.pick([1, grid, 2 * grid, 0, 1100 * day - reservation.endsAt + now]);
  const price = random.chance(0.5) ? { price_per_gpu_hour: random.pick(['0.5', '0.000001', '0.25']) } : {};
  put(
    log,
    'reservation.extended',
    { reservation_id: reservation.id, ends_at: instant(endsAt), ...price },
    reservation.subject,
  );
  if (endsAt < now + 1000 * day) reservation.endsAt = Math.max(endsAt, reservation.endsAt);
}

function cancel(log: Log): void {
  const { random, grid, reservations, now } = log;
  const reservation = random.any(reservations.filter((r) => r.endsAt > now)) ?? random.any(reservations);
  if (reservation === undefined) return;
  const endsAt = random.pick([
    now,
    now - grid,
    now + 1,
    now + grid,
    now + 2 * grid,
    reservation.endsAt,
    reservation.endsAt,
  ]);
  const { cost } = reservation;
  const refund = writeUsd(
    random.weighted([
      [4, 0n],
      [1, 1n],
      [3, (cost * 6n) / 10n],
      [2, cost],
      [1, cost + 1n],
    ] as const),
    random,
  );
  const decommission = random.chance(0.5) ? { decommission: random.chance(0.8) } : {};
  put(
    log,
    'reservation.cancelled',
    { reservation_id: reservation.id, ends_at: instant(endsAt), refund, ...decommission },
    reservation.subject,
  );
  reservation.endsAt = Math.min(reservation.endsAt, Math.max(endsAt, now));
}

/** A reservation to come that is cut off before it starts, and then extended to before, at or after its start. */
function shortenBeforeStart(log: Log): void {
  const { random, grid, now } = log;
  const id = `s${log.count}`;
  const subject = account(log);
  const startsAt = now + 3 * grid;
  const span = { starts_at: instant(startsAt), ends_at: instant(startsAt + 2 * grid) };
  const terms = { cluster_id: cluster(log), gpu_type: 'H100', gpus: 2, price_per_gpu_hour: '0.25', ...span };
  const payment = random.pick(['upfront', 'on_provision']);
  put(log, 'reservation.purchased', { reservation_id: id, ...terms, payment, overdraft: true }, subject);
  put(log, 'reservation.cancelled', { reservation_id: id, ends_at: instant(now + grid), refund: '0' }, subject);
  log.reservations.push({ id, endsAt: now + grid, subject, cost: 0n });
  if (random.chance(0.3)) return;
  const endsAt = startsAt + random.pick([-1, 0, 1, grid, 2 * grid]);
  put(log, 'reservation.extended', { reservation_id: id, ends_at: instant(endsAt) }, subject);
}

/** Prices from now on, or a little later: also at an instant at which others begin. */
function drawPrices({ random, grid, now }: Log): Data {
  const effective_from = instant(
    now +
      random.weighted([
        [6, 0],
        [3, grid],
        [2, 2 * grid],
        [2, 3 * minute],
        [1, -1],
        [1, -grid],
      ] as const),
  );
  const type = random.weighted([
    [4, 'H100'],
    [2, 'A100'],
    [1, 'H200'],
  ] as const);
  const gib = random.chance(0.3) ? { gib_month: random.pick(['0.73', '1.46', '0.9']) } : {};
  return { effective_from, gpu_hour: { [type]: random.pick(['1', '2', '0.5', '0']) }, ...gib };
}

function drawPolicy({ random, grid }: Log): Data {
  const steps = (n: number) => `${(n * grid) / minute}m`;
  return {
    ...(random.chance(0.8) ? { activity_window: random.pick([steps(1), steps(2), steps(4), '2h', '24h']) } : {}),
    ...(random.chance(0.7)
      ? { low_runway: random.pick([['1h', '2h'], ['60m', '1h'], ['2h'], ['30m', '4h', '1h'], []]) }
      : {}),
    ...(random.chance(0.5) ? { reservation_end_notices: random.pick([[steps(1)], ['1h', steps(2)], ['1m']]) } : {}),
    ...(random.chance(0.5) ? { pause_after: '5m', burst_decommission_after: '5m', revoke_after: '1h' } : {}),
    ...(random.chance(0.5)
      ? { decommission_paused_after: '1h', decommission_revoked_after: '1h', overdue_after: '1m' }
      : {}),
  };
}
