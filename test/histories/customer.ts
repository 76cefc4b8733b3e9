import { type Data, type Draft, day, hour, instant, minute, second, writeUsd } from './draft.ts';
import type { Act, Profile } from './profiles.ts';
import type { Random } from './random.ts';

/** What all customers of a history share. Prices are in millionths of a USD. */
export interface Market {
  readonly openingAt: number;
  readonly gpuPrices: Map<string, number>;
  gibPrice: number;
}

/** One simulated customer. It estimates its own balance, roughly, so that it runs dry and is topped up at the edges. */
interface Customer {
  readonly id: string;
  readonly profile: Profile;
  readonly market: Market;
  readonly random: Random;
  readonly drafts: Draft[];
  readonly clusters: Cluster[];
  readonly volumes: Meter[];
  readonly reservations: Reservation[];
  readonly expiries: number[];
  readonly stepMs: number;
  now: number;
  estimate: bigint;
  brokeSteps: number;
  count: number;
}

interface Cluster {
  readonly id: string;
  readonly nodes: Meter[];
}

/** A node or volume: what it reports next begins where its last report ended. */
interface Meter {
  readonly id: string;
  readonly gpuType: string | undefined;
  size: number;
  reportedTo: number;
  running: boolean;
}

interface Reservation {
  readonly id: string;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly startsAt: number;
  endsAt: number;
  readonly cost: bigint;
}

/** The events of one customer of this profile over `steps` steps, in order of time. */
export function liveCustomer(id: string, profile: Profile, market: Market, steps: number, random: Random): Draft[] {
  const now = market.openingAt + random.pick([0, 0, minute, hour]);
  const stepMs = random.pick(profile.steps);
  const fresh = {
    clusters: [],
    volumes: [],
    reservations: [],
    expiries: [],
    drafts: [],
    estimate: 0n,
    brokeSteps: 0,
    count: 0,
  };
  const customer: Customer = { id, profile, market, random, now, stepMs, ...fresh };
  settle(customer);
  for (let step = 0; step < steps; step++) {
    customer.now += customer.stepMs + (random.chance(0.08) ? random.int(-Math.min(500, customer.stepMs - 1), 500) : 0);
    if (random.chance(0.5)) act(customer);
    report(customer);
    if (random.chance(0.5)) act(customer);
    customer.brokeSteps = customer.estimate <= 0n ? customer.brokeSteps + 1 : 0;
    if (customer.brokeSteps > 3 && random.chance(profile.obeys)) stopAll(customer);
  }
  return customer.drafts;
}

function send(customer: Customer, type: string, data: Data, source?: string): void {
  const { id: subject, now: at, drafts } = customer;
  customer.count++;
  drafts.push({
    at,
    type,
    subject,
    data,
    id: `${subject.slice(0, 3)}-${customer.count}`,
    ...(source === undefined ? {} : { source }),
  });
}

/** Opens the account, gives it its first credits and sets up what it runs. */
function settle(customer: Customer): void {
  const { random, profile, market, clusters, volumes, now } = customer;
  send(customer, 'account.opened', {
    ...(random.chance(0.3) ? { name: random.pick(['Acme', 'ü', '']) } : {}),
    ...(random.chance(0.75) ? { policy: drawPolicy(random, customer.stepMs) } : {}),
  });
  const types = [...market.gpuPrices.keys()];
  for (let c = random.int(...profile.clusters); c > 0; c--) {
    const nodes: Meter[] = [];
    for (let n = random.int(1, 3); n > 0; n--) {
      const gpuType = random.any(random.chance(0.8) ? types.slice(0, 1) : types) ?? 'H100';
      nodes.push({
        id: random.chance(0.05) ? 'constructor' : `n${n}`,
        gpuType,
        size: random.pick([1, 2, 4, 8]),
        reportedTo: now,
        running: nodes.length === 0 || random.chance(0.8),
      });
    }
    clusters.push({ id: random.chance(0.06) ? '__proto__' : `c${c}`, nodes });
  }
  for (let v = random.int(...profile.volumes); v > 0; v--) {
    const id = random.chance(0.06) ? 'toString' : `v${v}`;
    volumes.push({
      id,
      gpuType: undefined,
      size: random.pick([1, 100, 1000, 50_000]),
      reportedTo: now,
      running: volumes.length === 0 || random.chance(0.8),
    });
  }
  const hours = random.int(...profile.funds);
  const needed = customer.profile.reservations[1] > 0 ? 3n * hourlyCost(customer) : 0n;
  if (hours > 0 || random.chance(0.4))
    grant(customer, BigInt(Math.max(1, hours)) * hourlyCost(customer) + needed, undefined);
  for (let r = random.int(...profile.reservations); r > 0; r--) purchase(customer, random.chance(0.35));
}

/** Reports what ran since the last step, mostly; a report may come late, be torn in two, or be missed and made up for. */
function report(customer: Customer): void {
  const { random, clusters, volumes, now } = customer;
  for (const cluster of clusters) {
    for (const node of cluster.nodes) if (node.running && random.chance(0.85)) reportMeter(customer, cluster, node);
  }
  for (const volume of volumes) if (volume.running && random.chance(0.85)) reportMeter(customer, undefined, volume);
  for (const meter of [...volumes, ...clusters.flatMap((c) => c.nodes)]) if (!meter.running) meter.reportedTo = now;
}

function reportMeter(customer: Customer, cluster: Cluster | undefined, meter: Meter): void {
  const { random, now } = customer;
  const start = Math.max(meter.reportedTo, now - day);
  const end =
    now +
    random.weighted([
      [20, 0],
      [1, -1],
      [1, 1],
      [1, 4 * minute],
    ] as const);
  if (end <= start) return;
  usage(customer, cluster, meter, start, end);
  meter.reportedTo = end;
}

function usage(customer: Customer, cluster: Cluster | undefined, meter: Meter, start: number, end: number): void {
  const { random, market } = customer;
  const tags = random.chance(0.08)
    ? { tags: random.pick([{ team: 'a' }, {}, JSON.parse('{"__proto__":"x","constructor":""}')]) }
    : {};
  const span = { start: instant(start), end: instant(end), ...tags };
  const { gpuType, size } = meter;
  if (cluster !== undefined && gpuType !== undefined) {
    send(
      customer,
      'usage.gpu',
      { cluster_id: cluster.id, node_id: meter.id, gpu_type: gpuType, gpus: size, ...span },
      'agent',
    );
    const covered = customer.reservations
      .filter((r) => r.clusterId === cluster.id && r.gpuType === gpuType && r.startsAt <= start && start < r.endsAt)
      .reduce((sum, r) => sum + r.gpus, 0);
    const running = cluster.nodes.filter((n) => n.running && n.gpuType === gpuType).reduce((sum, n) => sum + n.size, 0);
    const uncovered = Math.min(size, Math.max(0, running - covered));
    customer.estimate -= (BigInt(uncovered) * BigInt(end - start) * BigInt(market.gpuPrices.get(gpuType) ?? 0)) / 3600n;
  } else {
    send(customer, 'usage.storage', { volume_id: meter.id, size_gib: size, ...span }, 'agent');
    customer.estimate -= (BigInt(size) * BigInt(end - start) * BigInt(market.gibPrice)) / 2_628_000n;
  }
}

/** What all that runs costs in an hour, in nanos; at least one nano. */
function hourlyCost(customer: Customer): bigint {
  const { clusters, volumes, market } = customer;
  let nanos = 1n;
  for (const { gpuType, size, running } of clusters.flatMap((c) => c.nodes)) {
    if (running) nanos += BigInt(size) * BigInt(market.gpuPrices.get(gpuType ?? '') ?? 0) * 1000n;
  }
  for (const { size, running } of volumes)
    if (running) nanos += (BigInt(size) * BigInt(market.gibPrice) * 1000n) / 730n;
  return nanos > 1n ? nanos - 1n : nanos;
}

function act(customer: Customer): void {
  const { random, profile } = customer;
  const acts = Object.entries(profile.acts).map(([name, weight]) => [weight, name as Act] as const);
  doAct[random.weighted(acts)](customer);
}

const doAct: Record<Act, (customer: Customer) => void> = {
  grant: (c) => grant(c, hourlyCost(c) * BigInt(c.random.int(1, 10)), undefined),
  topUp,
  expiringGrant: (c) => {
    const inMs = c.random.pick([c.stepMs, 2 * c.stepMs + 1, 5 * c.stepMs, hour, day, day + hour, 8 * day]);
    const twin = c.random.chance(0.3) ? c.random.any(c.expiries.filter((at) => at > c.now)) : undefined;
    grant(c, (hourlyCost(c) * BigInt(c.random.int(1, 12))) / 2n, twin ?? c.now + inMs);
  },
  purchase: (c) => purchase(c, false),
  overdraftPurchase: (c) => purchase(c, true),
  extend,
  cancel,
  contract: (c) => {
    const gpuHour = c.random.chance(0.8) ? { gpu_hour: pricesFor(c, [...c.market.gpuPrices.keys(), 'B200']) } : {};
    const gibMonth = c.random.chance(0.5) ? { gib_month: drawPrice(c.random, c.market.gibPrice) } : {};
    send(c, 'contract.priced', {
      effective_from: instant(c.now + c.random.pick([0, 0, 1, c.stepMs, hour + 1])),
      ...gpuHour,
      ...gibMonth,
    });
  },
  book: (c) => {
    const gpu_hour = c.random.chance(0.8) ? pricesFor(c, [...c.market.gpuPrices.keys()]) : {};
    const gibMonth =
      c.random.chance(0.5) || Object.keys(gpu_hour).length === 0
        ? { gib_month: drawPrice(c.random, c.market.gibPrice) }
        : {};
    const from = c.now + c.random.pick([0, 1, 3 * minute, c.stepMs, 2 * c.stepMs]);
    send(c, 'prices.published', { effective_from: instant(from), gpu_hour, ...gibMonth });
    const draft = c.drafts.at(-1);
    if (draft !== undefined) {
      delete draft.subject;
      draft.id = `p-${c.id.slice(0, 3)}-${c.count}`;
      if (c.random.chance(0.2)) draft.extra = { forwarded: true };
    }
  },
  policy: (c) => send(c, 'policy.set', { policy: c.random.chance(0.2) ? {} : drawPolicy(c.random, c.stepMs) }),
  provision: (c) => onCluster(c, 'cluster.provisioned', () => undefined),
  decommissionCluster: (c) =>
    onCluster(c, 'cluster.decommissioned', (cluster) => {
      const stops = c.random.chance(0.6);
      for (const node of cluster.nodes) {
        if (stops) node.running = false;
        else if (c.random.chance(0.5)) node.reportedTo = c.now;
      }
    }),
  createVolume: (c) => {
    const volume: Meter = {
      id: `v${c.random.int(1, 4)}`,
      gpuType: undefined,
      size: 10,
      reportedTo: c.now,
      running: true,
    };
    if (!c.volumes.some((v) => v.id === volume.id)) c.volumes.push(volume);
    send(c, 'volume.created', { volume_id: volume.id }, 'plane');
  },
  decommissionVolume: (c) => {
    const volume = c.random.any(c.volumes);
    if (volume === undefined) return;
    send(c, 'volume.decommissioned', { volume_id: volume.id }, 'plane');
    if (c.random.chance(0.6)) volume.running = false;
  },
  startStop: (c) => {
    const meter = anyMeter(c);
    if (meter !== undefined) meter.running = !meter.running;
  },
  scale: (c) => {
    const meter = anyMeter(c);
    if (meter === undefined) return;
    meter.size =
      meter.gpuType === undefined ? c.random.pick([1, 10, 200, 5000, 2 ** 40]) : c.random.pick([1, 3, 8, 16, 1024]);
    if (meter.size > 5000 || meter.size === 1024) meter.size = c.random.chance(0.1) ? meter.size : 5;
  },
  late,
  overlap,
  jump: (c) => {
    c.now += c.random.weighted([
      [3, 2 * hour],
      [3, 12 * hour],
      [3, day],
      [3, 3 * day + minute],
      [2, 8 * day],
      [2, 15 * day],
    ] as const);
    const gap = c.random.chance(0.85);
    for (const meter of [...c.volumes, ...c.clusters.flatMap((cluster) => cluster.nodes)])
      if (gap) meter.reportedTo = c.now;
    tick(c, c.now);
  },
  edgeTick: (c) => {
    const edges = [
      ...c.expiries,
      ...c.reservations.flatMap((r) => [r.startsAt, r.endsAt]),
      c.now + 15 * minute,
      c.now + hour,
    ];
    const edge = c.random.any(edges.filter((at) => at > c.now && at < c.now + 20 * day));
    c.now = Math.max(c.now, (edge ?? c.now) + c.random.int(-1, 1));
    tick(c, c.now);
  },
  redeliver: (c) => {
    const draft = c.random.any(c.drafts);
    if (draft !== undefined) c.drafts.push({ ...structuredClone(draft), at: c.now });
  },
  nothing: () => undefined,
};

function tick(customer: Customer, at: number): void {
  const extra = customer.random.chance(0.5) ? { data: {} } : {};
  customer.drafts.push({ at, type: 'clock.tick', id: 'tick', source: 'ingest', data: {}, extra });
}

function grant(customer: Customer, nanos: bigint, expiresAt: number | undefined): void {
  const { random, expiries } = customer;
  const amount = nanos > 0n ? nanos : 1n;
  const kind = random.weighted([
    [4, 'paid'],
    [3, 'promotional'],
    [2, 'adjustment'],
  ] as const);
  const expiry = expiresAt === undefined ? {} : { expires_at: instant(expiresAt) };
  const grantId = random.chance(0.04) ? 'constructor' : `g${customer.count}`;
  send(customer, 'credits.granted', { grant_id: grantId, amount: writeUsd(amount, random), kind, ...expiry });
  customer.estimate += amount;
  if (expiresAt !== undefined) expiries.push(expiresAt);
}

/** A grant around what is owed: short of it, exactly it, just above it, or enough for some time. */
function topUp(customer: Customer): void {
  const { random } = customer;
  const debt = customer.estimate < 0n ? -customer.estimate : 0n;
  const burn = hourlyCost(customer);
  const more = random.weighted([
    [2, 0n],
    [1, -1n],
    [2, 1n],
    [2, burn / 2n],
    [2, burn],
    [4, burn * 3n],
    [3, burn * 30n],
  ] as const);
  grant(customer, debt + more, random.chance(0.15) ? customer.now + 4 * customer.stepMs + hour : undefined);
}

function purchase(customer: Customer, overdraft: boolean): void {
  const { random, profile, now, stepMs, reservations } = customer;
  const cluster = random.any(customer.clusters);
  if (cluster === undefined) return;
  const gpuType = random.any(cluster.nodes)?.gpuType ?? 'H100';
  const running = cluster.nodes.filter((n) => n.gpuType === gpuType).reduce((sum, n) => sum + n.size, 0);
  const gpus = random.chance(profile.burst)
    ? Math.max(1, Math.floor(running / 2))
    : Math.max(1, running + random.int(-1, 1));
  const startsAt =
    now +
    random.weighted([
      [5, 0],
      [2, stepMs],
      [1, 3 * stepMs + 1],
      [1, -hour],
      [1, -day],
    ] as const);
  const lasts = random.weighted([
    [3, 2 * stepMs],
    [3, 6 * stepMs],
    [2, 25 * hour],
    [2, 4 * day],
    [1, 1],
  ] as const);
  const endsAt = Math.max(startsAt + 1, now + 1, startsAt + lasts);
  const micros = Math.floor((customer.market.gpuPrices.get(gpuType) ?? 1) / random.pick([1, 2, 3]));
  const payment = random.chance(profile.onProvision) ? 'on_provision' : 'upfront';
  const cost = (BigInt(gpus) * BigInt(endsAt - startsAt) * BigInt(micros)) / 3600n;
  const short = cost - customer.estimate;
  if (payment === 'upfront' && !overdraft && short > 0n && random.chance(0.8)) grant(customer, short, undefined);
  const id = random.chance(0.04) ? '__proto__' : `r${customer.count}`;
  send(customer, 'reservation.purchased', {
    reservation_id: id,
    cluster_id: cluster.id,
    gpu_type: gpuType,
    gpus,
    starts_at: instant(startsAt),
    ends_at: instant(endsAt),
    price_per_gpu_hour: priceText(micros),
    payment,
    ...(overdraft || random.chance(0.1) ? { overdraft } : {}),
  });
  if (overdraft || payment === 'on_provision' || cost <= customer.estimate) {
    if (payment === 'upfront') customer.estimate -= cost;
    reservations.push({ id, clusterId: cluster.id, gpuType, gpus, startsAt, endsAt, cost });
  }
}

function extend(customer: Customer): void {
  const { random, now } = customer;
  const reservation = liveReservation(customer);
  if (reservation === undefined) return;
  const endsAt = reservation.endsAt + random.pick([1, customer.stepMs, 5 * customer.stepMs, day, 30 * day]);
  const price = random.chance(0.4) ? { price_per_gpu_hour: random.pick(['0', '0.000001', '1', '2.5']) } : {};
  send(customer, 'reservation.extended', { reservation_id: reservation.id, ends_at: instant(endsAt), ...price });
  if (reservation.endsAt > now) reservation.endsAt = endsAt;
}

function cancel(customer: Customer): void {
  const { random, now } = customer;
  const reservation = liveReservation(customer);
  if (reservation === undefined) return;
  const half = now + Math.floor((reservation.endsAt - now) / 2);
  const endsAt = random.weighted([
    [4, now],
    [2, now - hour],
    [4, half],
    [2, now + hour + 1],
    [1, reservation.endsAt],
  ] as const);
  const refund = random.weighted([
    [4, 0n],
    [2, 1n],
    [3, reservation.cost / 3n],
    [2, reservation.cost],
  ] as const);
  const decommission = random.chance(0.5) ? { decommission: random.chance(0.8) } : {};
  send(customer, 'reservation.cancelled', {
    reservation_id: reservation.id,
    ends_at: instant(endsAt),
    refund: writeUsd(refund, random),
    ...decommission,
  });
  customer.estimate += refund;
  reservation.endsAt = Math.min(reservation.endsAt, Math.max(endsAt, now));
}

function liveReservation({ random, reservations, now }: Customer): Reservation | undefined {
  return random.any(random.chance(0.93) ? reservations.filter((r) => r.endsAt > now) : reservations);
}

/** Usage of days ago, of a node or volume of its own or of a hole in what another reported. */
function late(customer: Customer): void {
  const { random, clusters, volumes, now } = customer;
  const cluster = random.any(clusters);
  const node = random.chance(0.3) ? random.any(cluster?.nodes ?? []) : undefined;
  const gpuType = cluster?.nodes[0]?.gpuType;
  const fresh: Meter = {
    id: `late${random.int(1, 2)}`,
    gpuType,
    size: random.int(1, 4),
    reportedTo: now,
    running: false,
  };
  const age = random.weighted([
    [3, hour],
    [3, 3 * hour],
    [3, day],
    [3, 6 * day],
    [3, 33 * day],
    [1, 35 * day],
  ] as const);
  const start = now - age + random.pick([0, 0, 0, 1]);
  const end = Math.min(now, start + random.pick([hour, 10 * minute, 7 * hour, day]));
  if (end <= start || start <= customer.market.openingAt - 30 * day) return;
  if (cluster !== undefined) usage(customer, cluster, node ?? fresh, start, end);
  else usage(customer, undefined, random.any(volumes) ?? fresh, start, end);
}

/** A report over what was reported already, with other edges or another size. */
function overlap(customer: Customer): void {
  const { random, clusters, volumes, now, stepMs } = customer;
  const cluster = random.any(clusters);
  const meter = random.any(cluster === undefined || random.chance(0.3) ? volumes : cluster.nodes);
  if (meter === undefined) return;
  const start = now - random.int(1, 4) * stepMs - random.pick([0, 1, second]);
  const end = Math.min(now, start + random.int(1, 5) * stepMs);
  if (end <= start || end - start > day) return;
  const size = random.chance(0.5) ? meter.size : random.int(1, 9);
  usage(customer, meter.gpuType === undefined ? undefined : cluster, { ...meter, size }, start, end);
}

function onCluster(customer: Customer, type: string, then: (cluster: Cluster) => void): void {
  const cluster = customer.random.any(customer.clusters);
  if (cluster === undefined) return;
  send(customer, type, { cluster_id: cluster.id }, 'plane');
  then(cluster);
}

function anyMeter({ random, clusters, volumes }: Customer): Meter | undefined {
  return random.any([...clusters.flatMap((c) => c.nodes), ...volumes]);
}

function stopAll(customer: Customer): void {
  for (const meter of [...customer.clusters.flatMap((c) => c.nodes), ...customer.volumes]) {
    if (customer.random.chance(0.8)) meter.running = false;
  }
}

function pricesFor({ random, market }: Customer, types: readonly string[]): Data {
  const priced = types.filter(() => random.chance(0.7));
  return Object.fromEntries(priced.map((type) => [type, drawPrice(random, market.gpuPrices.get(type) ?? 1_000_000)]));
}

function drawPrice(random: Random, micros: number): string {
  return random.weighted([
    [4, priceText(micros)],
    [4, priceText(Math.floor(micros / 2))],
    [2, '0.000001'],
    [1, '0'],
    [2, '7.123457'],
  ] as const);
}

/** A price in millionths of a USD as an input string. */
export function priceText(micros: number): string {
  const text = `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, '0')}`;
  return text.replace(/\.?0+$/, '');
}

/** Overrides of N1 that fit the step: ladders short enough to be gone through, windows long enough to stay active. */
function drawPolicy(random: Random, stepMs: number): Data {
  const steps = stepMs <= 30 * minute ? ['1h', '2h'] : stepMs <= hour ? ['90m', '2h', '12h'] : ['12h', '24h', '7d'];
  const choices: Record<string, readonly [unknown, ...unknown[]]> = {
    activity_window: ['1m', ...steps, ...steps, ...steps] as [string, ...string[]],
    low_runway: [['2h', '30m'], ['60m', '1h', '10h'], ['72h'], []],
    realert_after: ['1m', '1h', '24h'],
    burst_decommission_after: ['5m', '30m', '2h'],
    pause_after: ['5m', '10m', '30m', '3h'],
    decommission_paused_after: ['1h', '6h', '26h', '48h'],
    revoke_after: ['1h', '3h', '1d'],
    decommission_revoked_after: ['1h', '2d', '8d'],
    reservation_end_notices: [['1m'], ['2h'], ['1h', '24h'], ['30m', '10m', '1m']],
    credit_expiry_notices: [['1h'], ['2d', '3h'], []],
    resume_runway: ['1m', '1h', '10h'],
    overdue_after: ['1m', '10m', '30m'],
    stale_after: ['15m'],
  };
  return Object.fromEntries(
    Object.entries(choices).flatMap(([name, values]) =>
      random.chance(name === 'activity_window' ? 0.75 : 0.45) ? [[name, random.pick(values)]] : [],
    ),
  );
}
