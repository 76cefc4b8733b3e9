import type { Nanos } from '../../../services/shared/money.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../../services/shared/time.ts';
import type { DemoEvent } from './events.ts';
import type { World } from './world.ts';

const GPU_HOUR: ReadonlyMap<string, string> = new Map([
  ['H100', '2.49'],
  ['A100', '1.29'],
  ['L40S', '0.79'],
]);
const GIB_MONTH_AT_FIRST = '0.09';
const GIB_MONTH = '0.08';
/** Storage became cheaper, and was announced to. */
const CHEAPER_AFTER_MS = 14 * DAY_MS;
const ANNOUNCED_AFTER_MS = 10 * DAY_MS;

const MICROS_PER_USD = 1_000_000;
const NANOS_PER_MICRO = 1000n;
const HOURS_PER_MONTH = 730n;

/** The price book's events that are due in `(after, upTo]`. */
export function priceEvents(world: World, after: Instant, upTo: Instant): readonly DemoEvent[] {
  const { beganAt } = world;
  const isDue = (at: Instant): boolean => after < at && at <= upTo;
  const events: DemoEvent[] = [];
  if (isDue(beganAt)) {
    events.push(
      published('prices.1', {
        effective_from: beganAt,
        gpu_hour: Object.fromEntries(GPU_HOUR),
        gib_month: GIB_MONTH_AT_FIRST,
      }),
    );
  }
  if (isDue(beganAt + ANNOUNCED_AFTER_MS)) {
    events.push(
      published('prices.2', { effective_from: beganAt + CHEAPER_AFTER_MS, gpu_hour: {}, gib_month: GIB_MONTH }),
    );
  }
  return events;
}

function published(id: string, data: object): DemoEvent {
  return { source: 'demo/operator', id, type: 'prices.published', subject: undefined, data };
}

/** What one GPU of a type costs on demand, in nanos an hour. */
export function gpuHourNanos(gpuType: string): Nanos {
  const price = GPU_HOUR.get(gpuType);
  if (price === undefined) throw new Error(`the demo has no price for ${gpuType}`);
  return nanosOf(price);
}

/** What a volume of a size costs, in nanos an hour. */
export function volumeHourNanos(world: World, sizeGib: number, at: Instant): Nanos {
  const price = at < world.beganAt + CHEAPER_AFTER_MS ? GIB_MONTH_AT_FIRST : GIB_MONTH;
  return (BigInt(sizeGib) * nanosOf(price)) / HOURS_PER_MONTH;
}

/** A price of at most 6 places in nanos. */
export function nanosOf(price: string): Nanos {
  return BigInt(Math.round(Number(price) * MICROS_PER_USD)) * NANOS_PER_MICRO;
}

/** What a rate costs over a time, in nanos. */
export function costOf(hourlyNanos: Nanos, durationMs: number): Nanos {
  return (hourlyNanos * BigInt(durationMs)) / BigInt(HOUR_MS);
}
