import { replayLines } from '../../cli/replay.ts';

type Row = Readonly<Record<string, unknown>>;

/** `10:00`, `05-31 23:30`, `06-04 00:00:00.001` or `2027-12-31 23:00` as an instant; by itself a time is of 4 May 2026. */
export function at(text: string): string {
  const [time = '', day = '05-04'] = text.split(' ').reverse();
  const date = day.length === 5 ? `2026-${day}` : day;
  const [seconds = '', millis = '000'] = (time.length === 5 ? `${time}:00` : time).split('.');
  return `${date}T${seconds}.${millis}Z`;
}

let count = 0;

/** One line of a file of events; the members given last win. */
export function event(type: string, time: string, data: Row, over: Row = {}): string {
  count += 1;
  const subject = type === 'prices.published' || type === 'clock.tick' ? {} : { subject: 'acme' };
  return JSON.stringify({
    ...{ specversion: '1.0', id: `e${count}`, source: 'test', type, time: at(time) },
    ...{ ...subject, data, ...over },
  });
}

export function opened(subject = 'acme', time = '05-01 00:00'): string {
  return event('account.opened', time, {}, { subject });
}

export function prices(time: string, from: string, gpuHour: Row, over: Row = {}): string {
  return event('prices.published', time, { effective_from: at(from), gpu_hour: gpuHour }, over);
}

export function contract(time: string, from: string, gpuHour: Row): string {
  return event('contract.priced', time, { effective_from: at(from), gpu_hour: gpuHour });
}

export function grant(time: string, id: string, amount: string, more: Row = {}, over: Row = {}): string {
  return event('credits.granted', time, { grant_id: id, amount, kind: 'paid', ...more }, over);
}

export function usage(time: string, from: string, to: string, gpus: number, more: Row = {}, over: Row = {}): string {
  const node = { cluster_id: 'c1', node_id: 'n1', gpu_type: 'H100', gpus };
  return event('usage.gpu', time, { ...node, start: at(from), end: at(to), ...more }, over);
}

export function purchase(time: string, from: string, to: string, gpus: number, more: Row = {}, over: Row = {}): string {
  const what = { reservation_id: 'r1', cluster_id: 'c1', gpu_type: 'H100', gpus, price_per_gpu_hour: '2' };
  const when = { starts_at: at(from), ends_at: at(to), payment: 'upfront' };
  return event('reservation.purchased', time, { ...what, ...when, ...more }, over);
}

export function extend(time: string, to: string, price?: string): string {
  const own = price === undefined ? {} : { price_per_gpu_hour: price };
  return event('reservation.extended', time, { reservation_id: 'r1', ends_at: at(to), ...own });
}

export function cancel(time: string, to: string, refund = '0', more: Row = {}): string {
  return event('reservation.cancelled', time, { reservation_id: 'r1', ends_at: at(to), refund, ...more });
}

export function provisioned(time: string): string {
  return event('cluster.provisioned', time, { cluster_id: 'c1' });
}

export function decommissioned(time: string): string {
  return event('cluster.decommissioned', time, { cluster_id: 'c1' });
}

export function tick(time: string): string {
  return event('clock.tick', time, {});
}

/** The same event later: another time, and what else is given. */
export function again(line: string, time: string, data: Row = {}): string {
  const sent: { readonly data: Row } = JSON.parse(line);
  return JSON.stringify({ ...sent, time: at(time), data: { ...sent.data, ...data } });
}

/** A replay in short: one text a row, amounts without the zeros at their end. */
export interface Letter {
  /** `line reason` */
  readonly rejected: readonly string[];
  /** `node from-to category [reservation] amount/list [month, of a correction]`, times of the day */
  readonly rated: readonly string[];
  /** `day time kind amount ref` */
  readonly ledger: readonly string[];
  /** `account balance burn-rate level` */
  readonly balances: readonly string[];
  /** `month status opening > closing: section resource [reservation] amount, ...` */
  readonly invoices: readonly string[];
  /** `applied duplicates rejected day time` */
  readonly summary: string;
}

export function letterOf(lines: readonly string[], until?: string): Letter {
  const output = replayLines(lines, until === undefined ? undefined : at(until));
  const rows = (file: 'rejected' | 'rated' | 'ledger' | 'balances' | 'invoices'): readonly Row[] =>
    output[file] as Row[];
  const { applied, duplicates, rejected, clock } = output.summary;
  return {
    rejected: rows('rejected').map((row) => `${row.line} ${row.reason}`),
    rated: rows('rated').map(ratedText),
    ledger: rows('ledger').map((row) => words(dayTime(row.time), row.kind, usd(row.amount), row.ref)),
    balances: rows('balances').map((row) => words(row.account_id, usd(row.balance), usd(row.burn_rate), row.level)),
    invoices: rows('invoices').map(invoiceText),
    summary: words(applied, duplicates, rejected, dayTime(clock)),
  };
}

function ratedText(row: Row): string {
  const { node_id, start, end, category, reservation_id, amount, list_amount, correction, invoice_month } = row;
  const stretch = `${clockTime(start)}-${clockTime(end)}`;
  const month = correction === true ? invoice_month : undefined;
  return words(node_id, stretch, category, reservation_id, `${usd(amount)}/${usd(list_amount)}`, month);
}

function invoiceText(row: Row): string {
  const lines = (row.lines as readonly Row[]).map((line) =>
    words(line.section, line.resource_id, line.reservation_id, usd(line.amount)),
  );
  const head = words(row.month, row.status, usd(row.opening_balance), '>', usd(row.closing_balance));
  return lines.length === 0 ? head : `${head}: ${lines.join(', ')}`;
}

function words(...parts: readonly unknown[]): string {
  return parts
    .filter((part) => part !== undefined && part !== null)
    .map(String)
    .join(' ');
}

function usd(amount: unknown): string {
  return String(amount).replace(/\.?0+$/, '');
}

/** `05-04 10:00`, with seconds where there are any. */
function dayTime(time: unknown): string | undefined {
  return typeof time === 'string' ? `${time.slice(5, 10)} ${clockTime(time)}` : undefined;
}

function clockTime(time: unknown): string {
  return String(time)
    .slice(11, 23)
    .replace(/(:00)?\.000$/, '');
}
