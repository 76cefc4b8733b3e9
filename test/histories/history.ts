import * as fc from 'fast-check';
import { cornerDrafts } from './corners.ts';
import { liveCustomer, type Market, priceText } from './customer.ts';
import { type Draft, day, hour, instant, isInstant, isoTime, minute, monthStart, writeLine } from './draft.ts';
import { type Entry, spoil } from './noise.ts';
import { profiles } from './profiles.ts';
import { type Random, randomFrom } from './random.ts';

/** A log as `replay` takes it: lines of NDJSON, and how far it goes on after them. */
export interface History {
  readonly lines: readonly string[];
  readonly until?: string;
}

export interface HistoryOptions {
  /** Accounts at most (default 3). */
  readonly accountsMax?: number;
  /** Steps of each customer (default 12 to 30, fewer where there are several). */
  readonly stepsMax?: number;
  /** Share of histories of round numbers on a coarse grid (default 0.35). */
  readonly corners?: number;
  /** Noise per event: repeats, conflicts, rejections (default drawn from 0 to 0.3). */
  readonly noise?: number;
}

/** The history of a seed: a few simulated customers on one log, and noise. The same seed and options give the same lines. */
export function generateHistory(seed: number, options: HistoryOptions = {}): History {
  const random = randomFrom(seed);
  const { accountsMax = 3, stepsMax = 30 } = options;
  const corners = random.chance(options.corners ?? 0.35);
  const drafts = corners ? cornerDrafts(random) : population(random, accountsMax, stepsMax);
  const log: Entry[] = drafts.map((draft) => ({ draft }));
  const noise =
    options.noise ??
    random.weighted([
      [1, 0],
      [2, 0.05],
      [3, 0.15],
      [2, 0.3],
    ] as const);
  spoil(log, noise, random);
  const lines = log.map((entry) => ('text' in entry ? entry.text : writeLine(entry.draft, random)));
  return random.chance(0.7) ? { lines, until: isoTime(drawUntil(drafts, random)) } : { lines };
}

/** Customers side by side on one log, in order of time. */
function population(random: Random, accountsMax: number, stepsMax: number): Draft[] {
  const market = drawMarket(random);
  const accounts = accountIds.slice(
    0,
    Math.min(
      accountsMax,
      random.weighted([
        [5, 1],
        [4, 2],
        [2, 3],
      ] as const),
    ),
  );
  const steps = Math.ceil(random.int(Math.ceil(stepsMax * 0.4), stepsMax) / (accounts.length > 1 ? 1.6 : 1));
  const drafts: Draft[] = [openingPrices(market, random)];
  for (const names of accounts)
    drafts.push(...liveCustomer(random.pick(names), random.pick(profiles), market, steps, random));
  return drafts.sort((a, b) => a.at - b.at);
}

const accountIds: readonly (readonly [string, ...string[]])[] = [
  ['acme', 'acme', 'acme', '__proto__'],
  ['beta', 'beta', 'constructor'],
  ['Zeta', 'a:b.c_d-e'],
];

/** Some time after the last event, or a millisecond around an instant that an event names. */
function drawUntil(drafts: readonly Draft[], random: Random): number {
  const last = drafts.at(-1)?.at ?? 0;
  const named = drafts.flatMap((draft) =>
    Object.values(draft.data).flatMap((value) => (isInstant(value) ? [value.instantMs] : [])),
  );
  const finals = Array.from({ length: 15 }, (_, month) => monthStart(month + 1) + 3 * day);
  const edges = [...named.flatMap((at) => [at, at + 15 * minute, at + hour, at + 2 * hour]), ...finals, ...finals];
  const ahead = edges.filter((at) => at >= last && at < last + 60 * day);
  const edge = random.chance(0.5) ? random.any(ahead) : undefined;
  if (edge !== undefined) return edge + random.int(-1, 1);
  return last + random.pick([0, 1, 15 * minute, hour, 30 * hour, 4 * day, 15 * day, 34 * day]);
}

function drawMarket(random: Random): Market {
  const begin = monthStart(random.int(1, 14)) + random.pick([-3 * day, -26 * hour, -hour, 0, 10 * day, 2 * day]);
  const price = () =>
    random.weighted([
      [6, 3_000_000],
      [3, 1_000_000],
      [2, 2_490_000],
      [1, 1],
      [1, 12_345_678],
      [1, 100],
    ] as const);
  const types = random.weighted([
    [5, ['H100']],
    [3, ['H100', 'A100']],
    [1, ['H100', '__proto__']],
  ] as const);
  const gibPrice = random.weighted([
    [4, 730_000],
    [2, 100_000],
    [1, 1],
    [1, 1_000_000],
  ] as const);
  return { openingAt: begin, gpuPrices: new Map(types.map((type) => [type, price()])), gibPrice };
}

function openingPrices({ openingAt, gpuPrices, gibPrice }: Market, random: Random): Draft {
  const gpu_hour = Object.fromEntries([...gpuPrices].map(([type, micros]) => [type, priceText(micros)]));
  const from = openingAt - random.pick([0, 40 * day, 40 * day, 40 * day]);
  const gib = random.chance(0.95) ? { gib_month: priceText(gibPrice) } : {};
  return {
    at: openingAt,
    id: 'p0',
    type: 'prices.published',
    data: { effective_from: instant(from), gpu_hour, ...gib },
  };
}

/** Random histories for fast-check. Shrinking leaves lines out: halves, quarters, and so on to single ones, then `until`. */
export function historyArbitrary(options: HistoryOptions = {}): fc.Arbitrary<History> {
  return new HistoryArbitrary(options);
}

class HistoryArbitrary extends fc.Arbitrary<History> {
  private readonly options: HistoryOptions;

  constructor(options: HistoryOptions) {
    super();
    this.options = options;
  }

  generate(source: fc.Random): fc.Value<History> {
    const history = generateHistory(source.nextInt(), this.options);
    return new fc.Value(history, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is History {
    return typeof value === 'object' && value !== null && 'lines' in value;
  }

  shrink(value: History): fc.Stream<fc.Value<History>> {
    return fc.stream(smaller(value)).map((history) => new fc.Value(history, undefined));
  }
}

function* smaller(history: History): IterableIterator<History> {
  const { lines, until } = history;
  for (let size = Math.ceil(lines.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = lines.length - size; from > -size; from -= size) {
      const kept = lines.filter((_, index) => index < from || index >= from + size);
      yield { ...history, lines: kept };
    }
  }
  if (until !== undefined) yield { lines };
}
