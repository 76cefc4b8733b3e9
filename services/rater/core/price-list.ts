import type { PriceMicros } from '../../shared/money.ts';
import type { Instant } from '../../shared/time.ts';

export interface DatedPrice {
  readonly from: Instant;
  readonly priceMicros: PriceMicros;
}

/** E5: the prices of one thing, by the instant from which each is in force until the next. */
export type PriceList = DatedPrice[];

/** E5: puts a price in; of two from the same instant the later event wins. */
export function publishPrice(list: PriceList, from: Instant, priceMicros: PriceMicros): void {
  const index = lastAtOrBefore(list, from);
  const same = index >= 0 && list[index]?.from === from;
  list.splice(same ? index : index + 1, same ? 1 : 0, { from, priceMicros });
}

/** E5: the price in force at `instant`, or undefined if none is yet. */
export function priceAt(list: PriceList | undefined, instant: Instant): PriceMicros | undefined {
  return list?.[lastAtOrBefore(list, instant)]?.priceMicros;
}

/** R3: the first instant after `instant` at which the price changes; Infinity if it does not. */
export function nextPriceAfter(list: PriceList | undefined, instant: Instant): Instant {
  return list?.[lastAtOrBefore(list, instant) + 1]?.from ?? Number.POSITIVE_INFINITY;
}

/** Lists are short and the newest price is the one asked for: a walk from the end. */
function lastAtOrBefore(list: PriceList, instant: Instant): number {
  let index = list.length - 1;
  while (index >= 0 && (list[index]?.from ?? 0) > instant) index -= 1;
  return index;
}
