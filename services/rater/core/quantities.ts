import type { Unit } from '../../shared/contracts/rated-line.ts';
import type { Nanos, PriceMicros } from '../../shared/money.ts';
import { type Account, type Quantity, type QuantityKey, touch } from './account.ts';
import { openMonth } from './months.ts';

/** U4: what divides `quantity x price in millionths` to give nanos. */
const DIVISOR: Readonly<Record<Unit, bigint>> = { gpu_hour: 3600n, gib_month: 2_628_000n };

export interface Amounts {
  readonly amountNanos: Nanos;
  readonly listAmountNanos: Nanos;
}

/** U4: the unit in which a kind of resource is billed. */
export function unitOf(resourceKind: 'cluster' | 'volume'): Unit {
  return resourceKind === 'cluster' ? 'gpu_hour' : 'gib_month';
}

/** U4: floor(quantity x price), in nanos. */
export function costOf(quantityMs: bigint, priceMicros: PriceMicros, unit: Unit): Nanos {
  return (quantityMs * priceMicros) / DIVISOR[unit];
}

/**
 * R6: the one total that a line belongs to.
 * @param hint the one that the resource's last line went to; a total goes only with its month (F1), and to a month that is final
 *   no line comes, so one that has the key is the account's
 */
export function quantityFor(account: Account, key: QuantityKey, hint: Quantity | undefined): Quantity {
  if (hint !== undefined && sameKey(hint, key)) return hint;
  const text = keyText(key);
  const known = account.quantities.get(text);
  if (known !== undefined) return known;
  const quantity: Quantity = {
    kind: 'quantity',
    key: text,
    dirty: false,
    resourceKind: key.resourceKind,
    resourceId: key.resourceId,
    sku: key.sku,
    category: key.category,
    reservationId: key.reservationId,
    unitPriceMicros: key.unitPriceMicros,
    listPriceMicros: key.listPriceMicros,
    invoiceMonth: key.invoiceMonth,
    correction: key.correction,
    totalMs: 0n,
    amountNanos: 0n,
    listAmountNanos: 0n,
  };
  account.quantities.set(text, quantity);
  openMonth(account, key.invoiceMonth);
  return quantity;
}

/**
 * R6: adds to a total and returns the difference that makes to floor(total x price), so that the amounts so far always
 * add up to it, whatever the number and order of samples.
 */
export function addQuantity(account: Account, quantity: Quantity, addedMs: bigint): Amounts {
  const unit = unitOf(quantity.resourceKind);
  quantity.totalMs += addedMs;
  const amount = costOf(quantity.totalMs, quantity.unitPriceMicros, unit);
  const listAmount =
    quantity.listPriceMicros === quantity.unitPriceMicros
      ? amount
      : costOf(quantity.totalMs, quantity.listPriceMicros, unit);
  const amounts = {
    amountNanos: amount - quantity.amountNanos,
    listAmountNanos: listAmount - quantity.listAmountNanos,
  };
  quantity.amountNanos = amount;
  quantity.listAmountNanos = listAmount;
  touch(account, quantity);
  return amounts;
}

/** R6: the difference that adding to a total would make to its amount. */
export function costOfAdding(account: Account, key: QuantityKey, addedMs: bigint): Nanos {
  const known = account.quantities.get(keyText(key));
  const totalMs = (known?.totalMs ?? 0n) + addedMs;
  return costOf(totalMs, key.unitPriceMicros, unitOf(key.resourceKind)) - (known?.amountNanos ?? 0n);
}

function sameKey(left: QuantityKey, right: QuantityKey): boolean {
  return (
    left.category === right.category &&
    left.invoiceMonth === right.invoiceMonth &&
    left.unitPriceMicros === right.unitPriceMicros &&
    left.listPriceMicros === right.listPriceMicros &&
    left.reservationId === right.reservationId &&
    left.correction === right.correction &&
    left.sku === right.sku &&
    left.resourceId === right.resourceId &&
    left.resourceKind === right.resourceKind
  );
}

/** No id holds the character that joins them. */
function keyText(key: QuantityKey): string {
  return [
    key.resourceKind,
    key.resourceId,
    key.sku,
    key.category,
    key.reservationId ?? '',
    key.unitPriceMicros,
    key.listPriceMicros,
    key.invoiceMonth,
    key.correction ? 'c' : '',
  ].join('/');
}
