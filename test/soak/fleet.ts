import type * as Avro from '../../services/shared/wire/avro-types.ts';
import type { Random } from '../histories/random.ts';

/** What a part of the fleet brings about in one step of its time. */
export interface Round {
  /** For the HTTP door, as lines of NDJSON, in their order; some are bad on purpose. */
  readonly lines: readonly string[];
  /** For `telemetry.samples`. */
  readonly samples: readonly Avro.UsageSample[];
  /** The fleet's time, integer ms. */
  readonly now: number;
}

export interface FleetOptions {
  /** What all its ids begin with: no other part or run may have it. */
  readonly name: string;
  readonly accounts: readonly string[];
  /** Whether this part publishes prices. */
  readonly prices: boolean;
  /** Its first step ends then, integer ms. */
  readonly from: number;
  readonly random: Random;
}

export const SOURCE = 'soak/load';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STEP = 10 * MINUTE;
const GPU_TYPES = ['H100', 'A100', 'L40S'] as const;
const REPEATABLE_MAX = 300;

/** Rich never runs dry, tight is exhausted and restored by turns, careless is exhausted for good, reserved reserves. */
const PROFILES = ['rich', 'tight', 'careless', 'reserved'] as const;

interface Node {
  readonly cluster: string;
  readonly node: string;
  readonly type: (typeof GPU_TYPES)[number];
  readonly gpus: number;
  on: boolean;
  lastEnd: number;
}

interface Volume {
  readonly volume: string;
  sizeGib: number;
  lastEnd: number;
}

interface Customer {
  readonly id: string;
  readonly profile: (typeof PROFILES)[number];
  readonly nodes: readonly Node[];
  readonly volumes: readonly Volume[];
  reservations: string[];
}

type Line = readonly [type: string, subject: string | undefined, data: object];

/**
 * Customers with clusters, volumes, reservations and credits, in a time of their own: each call is ten minutes later. Most
 * of it is usage; some is repeated, overlaps, comes late, contradicts what was said or is nonsense.
 */
export function startFleet({ name, accounts, prices, from, random }: FleetOptions): () => Round {
  let now = from - STEP;
  let serial = 0;
  const customers = accounts.map((id, index) => customerOf(id, index, now, random));
  const repeatable: string[] = [];
  let begun = false;

  const eventId = (): string => {
    serial += 1;
    return `${name}.${serial}`;
  };

  const line = ([type, subject, data]: Line): string => {
    const text = JSON.stringify({
      ...{ specversion: '1.0', id: eventId(), source: SOURCE, type },
      ...(subject === undefined ? {} : { subject }),
      ...{ time: now + random.int(0, 1000), data },
    });
    if (repeatable.length < REPEATABLE_MAX) repeatable.push(text);
    else repeatable[random.int(0, REPEATABLE_MAX - 1)] = text;
    return text;
  };

  const grant = (amount: number, more: object = {}): object => ({
    ...{
      grant_id: eventId(),
      amount: `${amount}.5`,
      kind: random.pick(['promotional', 'adjustment', 'paid']),
      ...more,
    },
  });

  function opening(): Line[] {
    return customers.flatMap(({ id, profile }): Line[] => [
      ['account.opened', id, { name: `account ${id}` }],
      ['credits.granted', id, grant(profile === 'rich' || profile === 'reserved' ? 900_000 : random.int(50, 400))],
    ]);
  }

  function pricesOf(round: 'first' | 'later'): Line[] {
    if (!prices) return [];
    const price = (): string => `${random.int(1, 3)}.${random.int(100000, 999999)}`;
    const gpu_hour = Object.fromEntries(GPU_TYPES.map((type) => [type, price()]));
    const book = (effective_from: number): Line => [
      'prices.published',
      undefined,
      { effective_from, gpu_hour, gib_month: `0.${random.int(10, 99)}` },
    ];
    if (round === 'first') return [book(0)];
    if (random.chance(0.02)) return [book(now + HOUR)];
    return random.chance(0.005) ? [book(now - 30 * HOUR)] : [];
  }

  function act(customer: Customer): Line[] {
    const { id, profile } = customer;
    const lines: Line[] = [];
    if (profile === 'tight' && random.chance(0.03)) lines.push(['credits.granted', id, grant(random.int(20, 300))]);
    if (profile === 'tight' && random.chance(0.01)) {
      lines.push(['credits.granted', id, grant(random.int(20, 90), { expires_at: now + random.int(2, 100) * HOUR })]);
    }
    if (profile === 'careless' && random.chance(0.002))
      lines.push(['credits.granted', id, grant(random.int(100, 900))]);
    if ((profile === 'reserved' && random.chance(0.03)) || random.chance(0.003)) lines.push(purchase(customer));
    const reservation = random.any(customer.reservations);
    if (reservation !== undefined && random.chance(0.02)) {
      lines.push([
        'reservation.extended',
        id,
        { reservation_id: reservation, ends_at: now + random.int(10, 90) * HOUR },
      ]);
    }
    if (reservation !== undefined && random.chance(0.01)) {
      const decommission = random.chance(0.5);
      lines.push([
        'reservation.cancelled',
        id,
        { reservation_id: reservation, ends_at: now + random.int(0, 5) * HOUR, refund: '1.25', decommission },
      ]);
    }
    const rarely = random.int(1, 400);
    const cluster = `c${random.int(0, 1)}`;
    if (rarely === 1) lines.push(['cluster.decommissioned', id, { cluster_id: cluster }]);
    if (rarely === 2) lines.push(['cluster.provisioned', id, { cluster_id: cluster }]);
    if (rarely === 3) lines.push(['volume.decommissioned', id, { volume_id: `v${random.int(0, 2)}` }]);
    if (rarely === 4) lines.push(['volume.created', id, { volume_id: `v${random.int(0, 2)}` }]);
    if (rarely === 5) lines.push(['policy.set', id, { policy: { pause_after: `${random.int(1, 6)}h` } }]);
    if (rarely === 6) {
      lines.push(['contract.priced', id, { effective_from: now + HOUR, gpu_hour: { H100: `1.${random.int(1, 9)}` } }]);
    }
    return lines;
  }

  function purchase(customer: Customer): Line {
    const reservation_id = eventId();
    customer.reservations = [...customer.reservations, reservation_id].slice(-4);
    const starts = now + random.int(-2, 4) * HOUR;
    return [
      'reservation.purchased',
      customer.id,
      {
        ...{ reservation_id, cluster_id: `c${random.int(0, 1)}`, gpu_type: random.pick(GPU_TYPES) },
        ...{ gpus: random.int(1, 24), starts_at: starts, ends_at: starts + random.int(5, 80) * HOUR },
        ...{ price_per_gpu_hour: '0.9', payment: random.pick(['upfront', 'on_provision']) },
        overdraft: random.chance(0.5),
      },
    ];
  }

  function usage(customer: Customer): { readonly lines: Line[]; readonly samples: Avro.UsageSample[] } {
    const lines: Line[] = [];
    const samples: Avro.UsageSample[] = [];
    for (const node of customer.nodes) {
      if (random.chance(0.02)) node.on = !node.on;
      // one that was off reports from now on; one that skips a step reports longer the next time
      if (!node.on) node.lastEnd = now;
      if (!node.on || random.chance(0.05)) continue;
      const start = random.chance(0.05) ? node.lastEnd - 2 * MINUTE : node.lastEnd;
      const { cluster, node: node_id, type, gpus } = node;
      const use = { cluster_id: cluster, node_id, gpu_type: type, gpus };
      const tags = random.chance(0.1) ? { team: 'ml', '10': 'ten', '2': 'two' } : undefined;
      if (random.chance(0.12)) {
        samples.push(sampleOf(customer.id, start, { gpu: use, storage: null }));
      } else {
        const data = { ...use, start, end: now, ...(tags === undefined ? {} : { tags }) };
        lines.push(['usage.gpu', customer.id, data]);
      }
      node.lastEnd = now;
    }
    for (const volume of customer.volumes) {
      if (random.chance(0.01)) volume.sizeGib = random.int(1, 5000);
      if (random.chance(0.5)) continue;
      const { volume: volume_id, sizeGib: size_gib, lastEnd: start } = volume;
      if (random.chance(0.12))
        samples.push(sampleOf(customer.id, start, { gpu: null, storage: { volume_id, size_gib } }));
      else lines.push(['usage.storage', customer.id, { volume_id, size_gib, start, end: now }]);
      volume.lastEnd = now;
    }
    return { lines, samples };
  }

  function sampleOf(
    account_id: string,
    start: number,
    use: Pick<Avro.UsageSample, 'gpu' | 'storage'>,
  ): Avro.UsageSample {
    return {
      id: eventId(),
      source: SOURCE,
      account_id,
      start,
      end: now,
      ...use,
      tags: [{ name: 'by', value: 'kafka' }],
    };
  }

  /** Repeats, conflicts and nonsense: one reason of E4 or another. */
  function noise(): string[] {
    const repeats = Array.from({ length: random.int(0, 4) }, () => random.any(repeatable)).filter(isText);
    const { id } = random.any(customers) ?? { id: 'nobody' };
    const gpu = { cluster_id: 'c0', node_id: 'odd', gpu_type: 'H100', gpus: 1, start: now - MINUTE, end: now };
    const odd = random.weighted<() => string | undefined>([
      [20, () => undefined],
      [2, () => line(['usage.gpu', `unknown.${id}`, gpu])],
      [2, () => line(['usage.gpu', id, { ...gpu, gpu_type: 'T4' }])],
      [2, () => line(['usage.gpu', id, { ...gpu, start: now + 7 * HOUR, end: now + 8 * HOUR }])],
      [2, () => line(['usage.gpu', id, { ...gpu, start: now - 900 * HOUR, end: now - 899 * HOUR }])],
      [2, () => line(['usage.gpu', id, { ...gpu, gpus: 0 }])],
      [2, () => line(['account.opened', id, { name: 'another name' }])],
      [1, () => line(['usage.what', id, {}])],
      [1, () => '{"specversion": "1.0", "id": '],
    ])();
    return [...repeats, ...(odd === undefined ? [] : [odd])];
  }

  return () => {
    now += STEP;
    const first = !begun;
    begun = true;
    const lines = pricesOf(first ? 'first' : 'later').map(line);
    if (first) lines.push(...opening().map(line));
    const samples: Avro.UsageSample[] = [];
    for (const customer of customers) {
      const used = usage(customer);
      samples.push(...used.samples);
      lines.push(...[...act(customer), ...used.lines].map(line));
    }
    return { lines: [...lines, ...noise()], samples, now };
  };
}

function customerOf(id: string, index: number, now: number, random: Random): Customer {
  const nodes = Array.from(
    { length: 6 },
    (_, node): Node => ({
      ...{ cluster: `c${node % 3 === 2 ? 1 : 0}`, node: `n${node}`, type: random.pick(GPU_TYPES) },
      ...{ gpus: random.int(1, 8), on: random.chance(0.7), lastEnd: now },
    }),
  );
  const volumes = Array.from(
    { length: 3 },
    (_, volume): Volume => ({
      ...{ volume: `v${volume}`, sizeGib: random.int(10, 2000), lastEnd: now },
    }),
  );
  return { id, profile: PROFILES[index % PROFILES.length] ?? 'rich', nodes, volumes, reservations: [] };
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}
