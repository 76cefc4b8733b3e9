import { formatAmount, formatPrice } from '../money.ts';
import { formatInstant } from '../time.ts';
import { jsonText } from './json-text.ts';
import type { RatedLine } from './rated-line.ts';

/** X: one row of `rated.ndjson`. Built by hand, for it is written once for every sample. */
export function ratedLineJson(line: RatedLine): string {
  const node = line.nodeId === undefined ? '' : `"node_id":"${line.nodeId}",`;
  const reservation = line.reservationId === undefined ? '' : `"reservation_id":"${line.reservationId}",`;
  const tags = line.tags === undefined ? '' : `,"tags":${tagsJson(line.tags)}`;
  const amount = formatAmount(line.amountNanos);
  const unitPrice = formatPrice(line.unitPriceMicros);
  const sameAmount = line.amountNanos === line.listAmountNanos;
  const samePrice = line.unitPriceMicros === line.listUnitPriceMicros;
  return (
    `{"line_id":"${line.lineId}","event":${jsonText(line.event)},"account_id":"${line.accountId}",` +
    `"resource_kind":"${line.resourceKind}","resource_id":"${line.resourceId}",${node}"sku":"${line.sku}",` +
    `"category":"${line.category}",${reservation}"start":"${formatInstant(line.start)}",` +
    `"end":"${formatInstant(line.end)}","quantity_ms":"${line.quantityMs}","unit":"${line.unit}",` +
    `"unit_price":"${unitPrice}",` +
    `"list_unit_price":"${samePrice ? unitPrice : formatPrice(line.listUnitPriceMicros)}","amount":"${amount}",` +
    `"list_amount":"${sameAmount ? amount : formatAmount(line.listAmountNanos)}",` +
    `"invoice_month":"${line.invoiceMonth}","correction":${line.correction}${tags}}`
  );
}

/** Tags as a JSON object, whatever their names (`__proto__` is one like any other). */
export function tagsJson(tags: ReadonlyMap<string, string>): string {
  const members: string[] = [];
  for (const [key, value] of tags) members.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}
