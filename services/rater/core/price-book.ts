import type { ContractPriced, PricesPublished } from '../../shared/contracts/event.ts';
import type { PriceMicros } from '../../shared/money.ts';
import { DAY_MS, type Instant } from '../../shared/time.ts';
import type { Account, Contract } from './account.ts';
import { nextPriceAfter, type PriceList, priceAt, publishPrice } from './price-list.ts';

/** E5: the list prices of a partition. */
export interface PriceBook {
  readonly gpuHour: Map<string, PriceList>;
  readonly gibMonth: PriceList;
  /** Rises with every change, so that an account knows that what it worked out no longer holds. */
  version: number;
}

/** Prices that were replaced this long before the clock are asked for by no sample any more (E4 `too_late`). */
const KEPT_MS = 36 * DAY_MS;

export function emptyPriceBook(): PriceBook {
  return { gpuHour: new Map(), gibMonth: [], version: 0 };
}

/** The two price lists that decide about one thing. */
export interface PriceSources {
  readonly contract: PriceList | undefined;
  readonly book: PriceList | undefined;
}

/** R5: where the prices of a gpu_type come from. */
export function gpuPrices(book: PriceBook, account: Account, gpuType: string): PriceSources {
  return { contract: account.contract.gpuHour.get(gpuType), book: book.gpuHour.get(gpuType) };
}

/** R5: where the prices of storage come from. */
export function storagePrices(book: PriceBook, account: Account): PriceSources {
  return { contract: account.contract.gibMonth, book: book.gibMonth };
}

/** R5: the on-demand price at an instant: the contract's if it has one, else the book's. */
export function unitPriceAt(sources: PriceSources, instant: Instant): PriceMicros | undefined {
  return priceAt(sources.contract, instant) ?? priceAt(sources.book, instant);
}

/** R5: the list price at an instant: the book's, the contract's where the book has none. */
export function listPriceAt(sources: PriceSources, instant: Instant): PriceMicros | undefined {
  return priceAt(sources.book, instant) ?? priceAt(sources.contract, instant);
}

/** R3: the first instant after `instant` at which either price may change. */
export function priceHoldsUntil(sources: PriceSources, instant: Instant): Instant {
  return Math.min(nextPriceAfter(sources.contract, instant), nextPriceAfter(sources.book, instant));
}

/** E5: the first thing for which this price would be retroactive, or undefined: only the book's first of a thing may be. */
export function retroactiveIn(book: PriceBook, body: PricesPublished, clock: Instant): string | undefined {
  if (body.effectiveFrom >= clock) return undefined;
  for (const gpuType of body.gpuHour.keys()) if (book.gpuHour.has(gpuType)) return `gpu_hour.${gpuType}`;
  return body.gibMonth !== undefined && book.gibMonth.length > 0 ? 'gib_month' : undefined;
}

/** E5: puts published prices into the book. */
export function publishPrices(book: PriceBook, body: PricesPublished, clock: Instant): void {
  putPrices(book, body, clock);
  book.version += 1;
}

/** E: puts an account's own rates into its contract. */
export function agreePrices(contract: Contract, body: ContractPriced, clock: Instant): void {
  putPrices(contract, body, clock);
}

function putPrices(
  target: { readonly gpuHour: Map<string, PriceList>; readonly gibMonth: PriceList },
  body: PricesPublished | ContractPriced,
  clock: Instant,
): void {
  for (const [gpuType, price] of body.gpuHour) {
    const list = target.gpuHour.get(gpuType) ?? [];
    target.gpuHour.set(gpuType, list);
    put(list, body.effectiveFrom, price, clock);
  }
  if (body.gibMonth !== undefined) put(target.gibMonth, body.effectiveFrom, body.gibMonth, clock);
}

function put(list: PriceList, from: Instant, price: PriceMicros, clock: Instant): void {
  publishPrice(list, from, price);
  const keptFrom = clock - KEPT_MS;
  let replaced = 0;
  while ((list[replaced + 1]?.from ?? Number.POSITIVE_INFINITY) <= keptFrom) replaced += 1;
  list.splice(0, replaced);
}
