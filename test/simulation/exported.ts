import type { ReplayFile } from '../../cli/replay/fold.ts';
import { restoreAccount } from '../../services/rater/core/account-restore.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import { openInvoices } from '../../services/rater/core/invoices.ts';
import { restorePartition } from '../../services/rater/core/partition-fields.ts';
import { accountBalanceJson } from '../../services/shared/contracts/account-balance.ts';
import { invoiceJson } from '../../services/shared/contracts/invoice-json.ts';
import { compareText } from '../../services/shared/text-order.ts';
import type { Row } from './memory-warehouse.ts';
import type { World } from './world.ts';

/** The files of `replay` for one partition, put together from warehouse and state alone. */
export function exported(world: World, partition: number): Readonly<Record<ReplayFile, readonly string[]>> {
  const { warehouse } = world;
  const rows = (table: Parameters<typeof warehouse.ofPartition>[0]): readonly Row[] =>
    warehouse.ofPartition(table, partition).map((text) => JSON.parse(text));
  const scope = world.stateDisk.scopes.get(`rater/${partition}`);
  const core = restorePartition(scope?.hashes.get('partition') ?? new Map());
  const finals = rows('invoices_final');
  const balances: string[] = [];
  const invoices: string[] = [];
  const ids = [...(scope?.hashes.keys() ?? [])].filter((key) => key.startsWith('a/')).map((key) => key.slice(2));
  for (const id of ids.sort(compareText)) {
    const account = restoreAccount(id, scope?.hashes.get(`a/${id}`) ?? new Map(), core.clock);
    balances.push(accountBalanceJson(balanceOf(account)));
    for (const row of finals.filter((final) => final[0] === id)) invoices.push(String(row[2]));
    for (const invoice of openInvoices(account)) invoices.push(invoiceJson(invoice));
  }
  return {
    rated: rows('rated_lines').map(ratedLine),
    ledger: rows('ledger_entries').map(ledgerEntry),
    balances,
    commands: commands(world, partition),
    rejected: rows('rejections').map(
      ([, offset, , reason, detail, event]) =>
        `{"line":${Number(offset) + 1},"reason":"${String(reason)}","detail":${JSON.stringify(detail)},"event":${String(event)}}`,
    ),
    invoices,
  };
}

/** X: by `issued_at`, then account, then in the order of issue; those about the pipeline itself belong to no account. */
function commands(world: World, partition: number): readonly string[] {
  const own = world.warehouse
    .rows('commands')
    .map(({ row }) => row)
    .filter((row) => row[19] === partition && row[4] !== 'pipeline');
  const order = (left: Row, right: Row): number =>
    compareText(String(left[14]), String(right[14])) ||
    compareText(String(left[3]), String(right[3])) ||
    Number(left[21]) - Number(right[21]);
  return own.sort(order).map((row) => String(row[18]));
}

function ratedLine(row: Row): string {
  const names = [
    ...['line_id', 'event', 'account_id', 'resource_kind', 'resource_id', 'node_id', 'sku', 'category'],
    ...['reservation_id', 'start', 'end', 'quantity_ms', 'unit', 'unit_price', 'list_unit_price', 'amount'],
    ...['list_amount', 'invoice_month', 'correction'],
  ];
  const tags = row[20] === true ? `,"tags":${JSON.stringify(row[19])}` : '';
  return `{${members(names, row)}${tags}}`;
}

function ledgerEntry(row: Row): string {
  return `{${members(['entry_id', 'account_id', 'time', 'kind', 'amount', 'ref', 'invoice_month'], row)}}`;
}

/** The members of a line in the order of the columns; a column that is null is left out. */
function members(names: readonly string[], row: Row): string {
  return names
    .flatMap((name, index) => (row[index] === null ? [] : [`"${name}":${JSON.stringify(row[index])}`]))
    .join(',');
}
