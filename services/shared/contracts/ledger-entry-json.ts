import { formatAmount } from '../money.ts';
import { formatInstant } from '../time.ts';
import { jsonText } from './json-text.ts';
import type { LedgerEntry } from './ledger-entry.ts';

/** X: one row of `ledger.ndjson`. */
export function ledgerEntryJson(entry: LedgerEntry): string {
  const month = entry.invoiceMonth === undefined ? '' : `,"invoice_month":"${entry.invoiceMonth}"`;
  return (
    `{"entry_id":"${entry.entryId}","account_id":"${entry.accountId}","time":"${formatInstant(entry.time)}",` +
    `"kind":"${entry.kind}","amount":"${formatAmount(entry.amountNanos)}","ref":${jsonText(entry.ref)}${month}}`
  );
}
