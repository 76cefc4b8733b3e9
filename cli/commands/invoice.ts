import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { createWarehouseReader } from '../../platform/warehouse/reader.ts';
import { partitionOf } from '../../services/shared/partition.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Where } from '../access/place.ts';
import type { Access } from '../access/port.ts';
import { invoiceLines } from '../export/invoices.ts';
import { logEndAt } from '../export/log-end.ts';
import { CommandFailed } from '../failure.ts';
import { invoiceText, readInvoice, roundedInvoice, type StoredInvoice } from '../invoice/invoice-text.ts';
import { lookInto } from './looking.ts';
import { helpEnd, placeOptions } from './options.ts';
import { type World, write } from './world.ts';

interface InvoiceOptions extends Where {
  readonly month?: string;
  readonly json?: boolean;
}

/** `tollgate invoice ACCOUNT`: a month's invoice, as a table or as JSON. */
export function addInvoice(program: Command, world: World): void {
  const command = program
    .command('invoice')
    .summary("An account's invoice of a month")
    .description("An account's invoice of a month: what was reserved, burst, used, granted and paid")
    .argument('<account>', 'id of the account')
    .option('--month <month>', 'such as 2026-05 (default: the newest that there is)', month)
    .option('--json', 'print it as JSON: exact amounts, and `cents` as the table shows them');
  placeOptions(command)
    .addHelpText(
      'after',
      helpEnd(
        ['tollgate invoice acme', 'tollgate invoice acme --month 2026-05 --json'],
        ['1  there is no such invoice'],
      ),
    )
    .action(async (accountId: string, options: InvoiceOptions) => {
      const invoice = await lookInto(options, world, (access) => find(access, accountId, options.month));
      const text = options.json === true ? `${JSON.stringify(roundedInvoice(invoice))}\n` : invoiceText(invoice);
      await write(world.stdout, text);
    });
}

function month(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a month such as 2026-05.');
}

async function find(access: Access, accountId: string, wanted: string | undefined): Promise<StoredInvoice> {
  const partition = partitionOf(accountId, access.partitions);
  const offset = await access.log.endOffset(TOPICS.events, partition);
  await access.processed(partition, offset);
  const end = await logEndAt(access.log, partition, offset);
  const months: string[] = [];
  let found: StoredInvoice | undefined;
  for await (const line of invoiceLines(createWarehouseReader(access.warehouse), end, accountId)) {
    const invoice = readInvoice(line);
    months.push(invoice.month);
    if (wanted === undefined || wanted === invoice.month) found = invoice;
  }
  if (found !== undefined) return found;
  const account = `account ${JSON.stringify(accountId)}`;
  if (months.length === 0)
    throw new CommandFailed(`${account} has no invoice: nothing moved its balance yet; check its id`);
  throw new CommandFailed(`${account} has no invoice of ${wanted}, but of ${months.join(', ')}`);
}
