import { z } from 'zod';
import { centsOf, formatCents, roundToCents } from '../../services/shared/cents.ts';
import { readAmount } from '../../services/shared/money.ts';
import { type Align, columns } from '../terminal/columns.ts';

const storedInvoice = z.object({
  account_id: z.string(),
  month: z.string(),
  status: z.enum(['open', 'final']),
  opening_balance: z.string(),
  granted: z.string(),
  refunded: z.string(),
  expired: z.string(),
  charges: z.string(),
  closing_balance: z.string(),
  lines: z.array(
    z.object({
      section: z.string(),
      resource_kind: z.string(),
      resource_id: z.string(),
      sku: z.string(),
      category: z.string(),
      reservation_id: z.string().optional(),
      correction: z.boolean(),
      quantity_ms: z.string(),
      unit: z.enum(['gpu_hour', 'gib_month']),
      unit_price: z.string(),
      list_unit_price: z.string(),
      amount: z.string(),
      list_amount: z.string(),
    }),
  ),
});

/** An invoice as `invoices.ndjson` has it. */
export type StoredInvoice = z.infer<typeof storedInvoice>;

/** @throws Error for what no invoice is */
export function readInvoice(json: string): StoredInvoice {
  return storedInvoice.parse(JSON.parse(json));
}

/** F2: the invoice with its amounts in whole cents, too: those of the lines add up to that of the charges. */
export function roundedInvoice(invoice: StoredInvoice): object {
  const { cents, totalCents } = roundToCents(invoice.lines.map((line) => readAmount(line.amount)));
  const lines = invoice.lines.map((line, index) => ({ ...line, cents: formatCents(cents[index] ?? 0n) }));
  return { ...invoice, charges_cents: formatCents(totalCents), lines };
}

const HEAD = ['section', 'resource', 'sku', 'reservation', 'quantity', 'unit', 'unit price', 'list', 'amount'];
const ALIGNS: readonly Align[] = ['left', 'left', 'left', 'left', 'right', 'left', 'right', 'right', 'right'];

/** An invoice to be read: its lines in whole cents, and what they add up to. */
export function invoiceText(invoice: StoredInvoice): string {
  const { cents, totalCents } = roundToCents(invoice.lines.map((line) => readAmount(line.amount)));
  const lines = invoice.lines.map((line, index) => [
    line.correction ? `correction (${line.category})` : line.section,
    `${line.resource_kind} ${line.resource_id}`,
    line.sku,
    line.reservation_id ?? '',
    quantityText(line.quantity_ms, line.unit),
    line.unit === 'gpu_hour' ? 'GPU-h' : 'GiB-months',
    line.unit_price,
    usd(line.list_amount),
    formatCents(cents[index] ?? 0n),
  ]);
  const totals = columns(
    [
      ['opening balance', usd(invoice.opening_balance)],
      ['+ granted', usd(invoice.granted)],
      ['+ refunded', usd(invoice.refunded)],
      ['- expired', usd(invoice.expired)],
      ['- charges', formatCents(totalCents)],
      ['closing balance', usd(invoice.closing_balance)],
    ],
    ['left', 'right'],
  );
  const title = `Invoice of ${invoice.account_id} for ${invoice.month} (${invoice.status}), in USD\n`;
  return [title, ...(lines.length === 0 ? [] : [columns([HEAD, ...lines], ALIGNS)]), totals].join('\n');
}

function usd(amount: string): string {
  return formatCents(centsOf(readAmount(amount)));
}

const HOUR_MS = 3_600_000n;
/** U3: 730 hours. */
const MONTH_MS = 730n * HOUR_MS;
const MILLI = 1000n;

/** In GPU-hours or GiB-months, with three places, half up; the exact quantity is in the JSON. */
function quantityText(quantityMs: string, unit: 'gpu_hour' | 'gib_month'): string {
  const perUnit = unit === 'gpu_hour' ? HOUR_MS : MONTH_MS;
  const thousandths = (2n * BigInt(quantityMs) * MILLI + perUnit) / (2n * perUnit);
  const digits = thousandths.toString().padStart(4, '0');
  return `${digits.slice(0, -3)}.${digits.slice(-3)}`;
}
