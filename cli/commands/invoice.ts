import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { createWarehouseReader } from '../../platform/warehouse/reader.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { type Access, openAccess } from '../embedded/access.ts';
import { invoiceLines } from '../export/invoices.ts';
import { logEndAt } from '../export/log-end.ts';
import { CommandFailed } from '../failure.ts';
import { invoiceText, readInvoice, roundedInvoice, type StoredInvoice } from '../invoice/invoice-text.ts';
import { dataOption, helpEnd } from './options.ts';
import { type World, write } from './world.ts';

interface InvoiceOptions {
  readonly data: string;
  readonly month?: string;
  readonly json?: boolean;
}

const PARTITION = 0;

/** `tollgate invoice ACCOUNT`: a month's invoice, as a table or as JSON. */
export function addInvoice(program: Command, world: World): void {
  program
    .command('invoice')
    .summary("An account's invoice of a month")
    .description("An account's invoice of a month: what was reserved, burst, used, granted and paid")
    .argument('<account>', 'id of the account')
    .option('--month <month>', 'such as 2026-05 (default: the newest that there is)', month)
    .option('--json', 'print it as JSON: exact amounts, and `cents` as the table shows them')
    .addOption(dataOption())
    .addHelpText(
      'after',
      helpEnd(
        ['tollgate invoice acme', 'tollgate invoice acme --month 2026-05 --json'],
        ['1  there is no such invoice'],
      ),
    )
    .action(async (accountId: string, options: InvoiceOptions) => {
      const access = await openAccess({ dataDir: options.data, now: world.now, logger: pino({ level: 'silent' }) });
      const invoice = await find(access, accountId, options.month).finally(() => access.close());
      const text = options.json === true ? `${JSON.stringify(roundedInvoice(invoice))}\n` : invoiceText(invoice);
      await write(world.stdout, text);
    });
}

function month(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a month such as 2026-05.');
}

async function find(access: Access, accountId: string, wanted: string | undefined): Promise<StoredInvoice> {
  const offset = await access.log.endOffset(TOPICS.events, PARTITION);
  await access.processed(offset);
  const end = await logEndAt(access.log, TOPICS.events, PARTITION, offset);
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
