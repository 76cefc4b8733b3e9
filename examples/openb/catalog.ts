import { DAY_MS, dayAt, HOUR_MS } from './time.ts';

/**
 * Everything that the trace does not say, made up once and in one place: who the accounts are, which GPU an
 * unconstrained pod got, what a GPU costs, how each account pays and reserves.
 */

/** USD per GPU-hour in millionths, by type. G1, G2 and G3 are the trace's names of GPUs it does not disclose. */
type GpuPrices = Readonly<Record<string, number>>;

export interface BookPrices {
  readonly effectiveAt: number;
  readonly gpuHourMicros: GpuPrices;
  /** USD per GiB-month in millionths. */
  readonly gibMonthMicros: number;
}

/** The price book, oldest first. The third one takes effect in the middle of an hour, and so of most samples. */
export const PRICE_BOOK: readonly [BookPrices, ...BookPrices[]] = [
  {
    effectiveAt: dayAt(0),
    gpuHourMicros: {
      A10: 1_050_000,
      G1: 1_400_000,
      G2: 1_270_000,
      G3: 2_990_000,
      P100: 790_000,
      T4: 430_000,
      V100M16: 1_690_000,
      V100M32: 2_150_000,
    },
    gibMonthMicros: 85_000,
  },
  {
    effectiveAt: dayAt(60),
    gpuHourMicros: {
      A10: 990_000,
      G1: 1_400_000,
      G2: 1_230_000,
      G3: 2_990_000,
      P100: 730_000,
      T4: 410_000,
      V100M16: 1_610_000,
      V100M32: 2_090_000,
    },
    gibMonthMicros: 80_000,
  },
  {
    effectiveAt: dayAt(120) + 12 * HOUR_MS + 30 * 60_000 + 17_250,
    gpuHourMicros: {
      A10: 990_000,
      G1: 1_350_000,
      G2: 1_310_001,
      G3: 2_870_000,
      P100: 690_000,
      T4: 389_999,
      V100M16: 1_490_000,
      V100M32: 1_970_000,
    },
    gibMonthMicros: 78_500,
  },
];

/** How far ahead a change of prices is published. */
export const PRICE_NOTICE_MS = 7 * DAY_MS;

/** One account has its own rate for one type and for storage. */
export const CONTRACT: {
  readonly account: string;
  readonly gpuType: string;
  readonly rates: readonly { readonly effectiveAt: number; readonly gpuMicros: number; readonly gibMicros: number }[];
} = {
  account: 'ls-0',
  gpuType: 'G2',
  rates: [
    { effectiveAt: dayAt(0), gpuMicros: 1_050_000, gibMicros: 61_000 },
    { effectiveAt: dayAt(124), gpuMicros: 989_000, gibMicros: 60_000 },
  ],
};

/** Reserved capacity costs this share of the list price at the time of purchase, in percent. */
export const RESERVED_PERCENT = 65;

/**
 * The trace names no tenants: a pod's account is its QoS class and a bucket of its name's CRC-32. The number is how
 * many accounts a class is split into, so that the two large classes make ten.
 */
export const ACCOUNTS_BY_QOS: ReadonlyMap<string, number> = new Map([
  ['LS', 6],
  ['BE', 4],
  ['Burstable', 1],
  ['Guaranteed', 1],
]);

/**
 * The type of a pod without `gpu_spec`, in thousandths of such pods: the share that each type has of the fleet's 6,212
 * GPUs in the trace's node list (G2 4,392, T4 842, G3 312, P100 265, V100M32 204, V100M16 195; its two A10 are under a
 * thousandth).
 */
export const DEFAULT_TYPE_PERMILLE: readonly (readonly [gpuType: string, permille: number])[] = [
  ['G2', 707],
  ['T4', 136],
  ['G3', 50],
  ['P100', 43],
  ['V100M32', 33],
  ['V100M16', 31],
];

/**
 * How an account pays for a week: `percent` of what the week will cost at list prices, `delayMs` after the payment is
 * due (12 h before the week). `catchUp` pays every third week what is missing so far.
 */
interface PaymentHabit {
  readonly percent: number;
  readonly delayMs: number;
  readonly catchUp: boolean;
}

const STEADY: PaymentHabit = { percent: 130, delayMs: 0, catchUp: false };
const TIGHT: PaymentHabit = { percent: 90, delayMs: 0, catchUp: true };
const LATE: PaymentHabit = { percent: 104, delayMs: 60 * HOUR_MS, catchUp: false };
const SLOW: PaymentHabit = { percent: 102, delayMs: 5 * DAY_MS, catchUp: false };
const SHORT: PaymentHabit = { percent: 45, delayMs: 0, catchUp: true };

/**
 * Promotional grants that an account gets in its first week with pods, this long after its start. `trial` goes to some
 * accounts only, and is more than they can use up in three days: the rest expires (C3).
 */
export const PROMOTIONS: readonly {
  readonly name: string;
  readonly accounts: 'all' | readonly string[];
  readonly cents: number;
  readonly afterMs: number;
  readonly lifeMs: number;
}[] = [
  { name: 'welcome', accounts: 'all', cents: 15_000, afterMs: 0, lifeMs: 21 * DAY_MS },
  { name: 'trial', accounts: ['ls-3', 'burstable-0'], cents: 250_000, afterMs: DAY_MS, lifeMs: 3 * DAY_MS },
];

/** When reservations are bought: by last week's use, before the first use by the use to come, or never. */
export type BuyingHabit =
  | {
      readonly kind: 'weekly';
      readonly weeks: 1 | 2;
      readonly payment: 'upfront' | 'on_provision';
      readonly overdraft: boolean;
    }
  | { readonly kind: 'ahead' }
  | { readonly kind: 'never' };

const weekly = (weeks: 1 | 2, payment: 'upfront' | 'on_provision', overdraft = payment === 'upfront'): BuyingHabit => ({
  kind: 'weekly',
  weeks,
  payment,
  overdraft,
});

export interface AccountHabits {
  readonly pays: PaymentHabit;
  readonly buys: BuyingHabit;
  /** Has a scratch volume beside its data volume. */
  readonly scratch: boolean;
}

/** Who the twelve accounts are. `be-0` buys upfront without overdraft, so that it may be refused. */
export const HABITS: ReadonlyMap<string, AccountHabits> = new Map<string, AccountHabits>([
  ['ls-0', { pays: STEADY, buys: weekly(1, 'upfront'), scratch: false }],
  ['ls-1', { pays: STEADY, buys: weekly(1, 'upfront'), scratch: false }],
  ['ls-2', { pays: LATE, buys: weekly(1, 'on_provision'), scratch: true }],
  ['ls-3', { pays: STEADY, buys: weekly(2, 'upfront'), scratch: false }],
  ['ls-4', { pays: TIGHT, buys: weekly(2, 'on_provision'), scratch: false }],
  ['ls-5', { pays: STEADY, buys: { kind: 'never' }, scratch: true }],
  ['be-0', { pays: TIGHT, buys: weekly(1, 'upfront', false), scratch: true }],
  ['be-1', { pays: SHORT, buys: { kind: 'never' }, scratch: false }],
  ['be-2', { pays: LATE, buys: { kind: 'never' }, scratch: true }],
  ['be-3', { pays: SLOW, buys: { kind: 'never' }, scratch: false }],
  ['burstable-0', { pays: STEADY, buys: { kind: 'ahead' }, scratch: false }],
  ['guaranteed-0', { pays: STEADY, buys: { kind: 'ahead' }, scratch: false }],
]);

/** The account whose first reservation is cancelled, how long after its start, and the share of its cost that is refunded. */
export const CANCELLING = { account: 'ls-1', afterMs: 2.5 * DAY_MS, refundPercent: 40 } as const;

/** The data volume of an account starts with `baseGib` and takes `perPodGib` for each pod that has begun. */
export const DATA_VOLUME = { baseGib: 512, perPodGib: 8 } as const;
export const SCRATCH_VOLUME_GIB = 2_048;

/**
 * Two days at the end of November in which one agent in `oneIn` cannot reach the cloud: what it measured (samples that
 * end in `(fromAt, toAt]`) enters the log at `deliveredAt`, more than 72 h past the month's end (R8: corrections).
 */
export const OUTAGE = {
  fromAt: dayAt(120),
  toAt: dayAt(122),
  deliveredAt: dayAt(125) + 6 * HOUR_MS,
  oneIn: 12,
} as const;

/** One agent in `oneIn` never sees its answers and sends each sample again after `afterMs` (R2: billed once). */
export const RETRY = { oneIn: 40, afterMs: 60_000 } as const;

/** The book's prices in force at an instant not before the trace's start. */
export function bookAt(at: number): BookPrices {
  let inForce = PRICE_BOOK[0];
  for (const prices of PRICE_BOOK) if (prices.effectiveAt <= at) inForce = prices;
  return inForce;
}

/** U3: a price in millionths as its decimal string with 6 places. */
export function priceText(micros: number): string {
  return `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, '0')}`;
}

/** U2: an amount in whole cents as its decimal string. */
export function centsText(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}
