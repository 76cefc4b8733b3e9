import { type Fraction, floor, fraction, times } from './fraction.ts';

const nanosPerUsd = 1_000_000_000n;
const msPerHour = 3_600_000n;
const hoursPerMonth = 730n;

/** U2: an input amount in nanos, or undefined where the value is no such decimal string. */
export function parseAmount(value: unknown): bigint | undefined {
  const usd = parseDecimal(value, 9);
  return usd === undefined ? undefined : floor(times(usd, fraction(nanosPerUsd)));
}

/** U3: a price in USD per GPU-hour or GiB-month, or undefined where the value is no such decimal string. */
export function parsePrice(value: unknown): Fraction | undefined {
  return parseDecimal(value, 6);
}

/** U2: nanos as USD with nine places. */
export function formatAmount(nanos: bigint): string {
  return formatPlaces(nanos, 9);
}

/** U3: a price in USD with six places. */
export function formatPrice(price: Fraction): string {
  return formatPlaces(floor(times(price, fraction(1_000_000n))), 6);
}

/** U4, from its words: what `quantityMs` GPU-milliseconds cost at a price an hour, in nanos, rounded down. */
export function costOfGpuMs(quantityMs: bigint, pricePerHour: Fraction): bigint {
  return floor(times(times(fraction(quantityMs, msPerHour), pricePerHour), fraction(nanosPerUsd)));
}

/** U4: what `quantityMs` GiB-milliseconds cost at a price a month of 730 hours, in nanos, rounded down. */
export function costOfGibMs(quantityMs: bigint, pricePerMonth: Fraction): bigint {
  return floor(times(times(fraction(quantityMs, msPerHour * hoursPerMonth), pricePerMonth), fraction(nanosPerUsd)));
}

function parseDecimal(value: unknown, places: number): Fraction | undefined {
  if (typeof value !== 'string') return undefined;
  const parts = /^([0-9]{1,12})(?:\.([0-9]+))?$/.exec(value);
  if (parts === null) return undefined;
  const whole = parts[1] ?? '';
  const decimals = parts[2] ?? '';
  if (decimals.length > places) return undefined;
  return fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
}

function formatPlaces(value: bigint, places: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
