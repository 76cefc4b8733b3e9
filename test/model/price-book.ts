import type { Fraction } from './fraction.ts';

/** One price of one thing (a gpu_type, or undefined for storage): the book's, or an account's own. */
export interface PriceEntry {
  readonly accountId: string | undefined;
  readonly gpuType: string | undefined;
  readonly effectiveFrom: number;
  readonly price: Fraction;
}

/** E5: the price in force at an instant. Of one `effectiveFrom` the later entry wins, so the list is read from its end. */
export function priceAt(
  entries: readonly PriceEntry[],
  accountId: string | undefined,
  gpuType: string | undefined,
  at: number,
): Fraction | undefined {
  const past = entries.filter((e) => e.accountId === accountId && e.gpuType === gpuType && e.effectiveFrom <= at);
  const from = Math.max(...past.map((e) => e.effectiveFrom));
  return past.findLast((e) => e.effectiveFrom === from)?.price;
}

/** R5: what an account pays at an instant (its contract before the book) and the list price (the book before the contract). */
export function pricesAt(
  entries: readonly PriceEntry[],
  accountId: string,
  gpuType: string | undefined,
  at: number,
): { paid: Fraction; list: Fraction } | undefined {
  const own = priceAt(entries, accountId, gpuType, at);
  const book = priceAt(entries, undefined, gpuType, at);
  const paid = own ?? book;
  const list = book ?? own;
  return paid === undefined || list === undefined ? undefined : { paid, list };
}
