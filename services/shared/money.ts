declare const nanos: unique symbol;
declare const micros: unique symbol;

/** U2: an amount of money, an integer number of nanos (1e-9 USD). May be negative. */
export type Nanos = bigint & { readonly [nanos]?: true };
/** U3: a price in millionths of a USD, per GPU-hour or per GiB-month. Never negative. */
export type PriceMicros = bigint & { readonly [micros]?: true };

const AMOUNT = /^(\d{1,12})(?:\.(\d{1,9}))?$/;
const PRICE = /^(\d{1,12})(?:\.(\d{1,6}))?$/;
const NANOS_PER_USD_DIGITS = 9;
const MICROS_PER_USD_DIGITS = 6;

/** U2: reads a decimal string in USD (`12`, `12.5`) as nanos; undefined for anything else. No sign, no exponent. */
export function parseAmount(value: unknown): Nanos | undefined {
  return parseDecimal(value, AMOUNT, NANOS_PER_USD_DIGITS);
}

/** U3: reads a decimal string in USD with at most 6 places as millionths of a USD; undefined for anything else. */
export function parsePrice(value: unknown): PriceMicros | undefined {
  return parseDecimal(value, PRICE, MICROS_PER_USD_DIGITS);
}

/** U2: writes nanos as a decimal string in USD with 9 places: `"-0.000000001"`. */
export function formatAmount(amount: Nanos): string {
  return formatDecimal(amount, NANOS_PER_USD_DIGITS);
}

let lastPrice: PriceMicros = 0n;
let lastPriceText = '0.000000';

/** U3: writes millionths of a USD as a decimal string with 6 places. Remembers the last one, which is often the next. */
export function formatPrice(price: PriceMicros): string {
  if (price === lastPrice) return lastPriceText;
  lastPriceText = formatDecimal(price, MICROS_PER_USD_DIGITS);
  lastPrice = price;
  return lastPriceText;
}

const SIGNED_AMOUNT = /^(-?)(\d{1,38})\.(\d{9})$/;

/** U2: reads what `formatAmount` wrote. @throws Error if the text is not a 9-place decimal: a stored row is broken. */
export function readAmount(text: string): Nanos {
  const match = SIGNED_AMOUNT.exec(text);
  if (match === null) throw new Error(`not an amount with 9 places: ${JSON.stringify(text)}`);
  const magnitude = BigInt(`${match[2]}${match[3]}`);
  return match[1] === '-' ? -magnitude : magnitude;
}

function parseDecimal(value: unknown, shape: RegExp, places: number): bigint | undefined {
  if (typeof value !== 'string') return undefined;
  const match = shape.exec(value);
  if (match === null) return undefined;
  return BigInt(`${match[1]}${(match[2] ?? '').padEnd(places, '0')}`);
}

function formatDecimal(value: bigint, places: number): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString();
  const padded = digits.length > places ? digits : digits.padStart(places + 1, '0');
  const point = padded.length - places;
  return `${negative ? '-' : ''}${padded.slice(0, point)}.${padded.slice(point)}`;
}
