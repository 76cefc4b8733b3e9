/** A row of `rated.ndjson`, as far as the laws read it. Quantities and money are integers: GPU- or GiB-ms, nanos, millionths of a USD. */
export interface Rated {
  readonly lineId: string;
  readonly event: string;
  readonly accountId: string;
  readonly kind: string;
  readonly resourceId: string;
  readonly nodeId: string | undefined;
  readonly sku: string;
  readonly category: string;
  readonly start: number;
  readonly end: number;
  readonly quantity: bigint;
  readonly amount: bigint;
  readonly listAmount: bigint;
  readonly unitPrice: bigint;
  readonly listPrice: bigint;
  /** R6: what its amounts add up by. */
  readonly sumKey: string;
}

/** A row of `ledger.ndjson`. */
export interface Entry {
  readonly id: string;
  readonly accountId: string;
  readonly time: number;
  readonly kind: string;
  readonly amount: bigint;
  readonly ref: string;
}

/** A row of `balances.ndjson`, in nanos. */
export interface Balance {
  readonly accountId: string;
  readonly balance: bigint;
  readonly granted: bigint;
  readonly refunded: bigint;
  readonly charged: bigint;
  readonly expired: bigint;
  readonly level: string;
}

/** What an alert announces. `key` is kind and id of the resource. */
export interface Action {
  readonly key: string;
  readonly command: string;
  readonly scope: string;
  readonly gpus: number | undefined;
  readonly at: number;
}

/** A row of `commands.ndjson`. */
export interface Command {
  readonly index: number;
  readonly id: string;
  readonly command: string;
  readonly alert: string | undefined;
  readonly accountId: string;
  readonly kind: string;
  readonly resourceId: string;
  /** Kind and id of the resource. */
  readonly key: string;
  readonly scope: string | undefined;
  readonly gpus: number | undefined;
  readonly keep: ReadonlyMap<string, unknown> | undefined;
  readonly reason: string;
  readonly noticeId: string | undefined;
  readonly episode: number | undefined;
  readonly sequence: number;
  readonly attempt: number;
  readonly at: number;
  readonly balance: bigint;
  readonly audience: string;
  readonly actions: readonly Action[];
  readonly detail: ReadonlyMap<string, unknown>;
}

export interface Rejected {
  readonly line: number;
  readonly reason: string;
}

type Row = ReadonlyMap<string, unknown>;

export function readRated(value: unknown): Rated {
  const row = members(value);
  const text = (name: string) => textOf(row, name);
  const key = ['account_id', 'resource_kind', 'resource_id', 'sku', 'category', 'unit_price', 'list_unit_price'];
  const more = [row.get('reservation_id') ?? '', text('invoice_month'), row.get('correction')];
  return {
    lineId: text('line_id'),
    event: text('event'),
    accountId: text('account_id'),
    kind: text('resource_kind'),
    resourceId: text('resource_id'),
    nodeId: optionalText(row, 'node_id'),
    sku: text('sku'),
    category: text('category'),
    start: Date.parse(text('start')),
    end: Date.parse(text('end')),
    quantity: BigInt(text('quantity_ms')),
    amount: decimal(text('amount')),
    listAmount: decimal(text('list_amount')),
    unitPrice: decimal(text('unit_price')),
    listPrice: decimal(text('list_unit_price')),
    sumKey: [...key.map(text), ...more].join('/'),
  };
}

export function readEntry(value: unknown): Entry {
  const row = members(value);
  return {
    id: textOf(row, 'entry_id'),
    accountId: textOf(row, 'account_id'),
    time: Date.parse(textOf(row, 'time')),
    kind: textOf(row, 'kind'),
    amount: decimal(textOf(row, 'amount')),
    ref: textOf(row, 'ref'),
  };
}

export function readBalance(value: unknown): Balance {
  const row = members(value);
  const money = (name: string) => decimal(textOf(row, name));
  return {
    accountId: textOf(row, 'account_id'),
    balance: money('balance'),
    granted: money('granted'),
    refunded: money('refunded'),
    charged: money('charged'),
    expired: money('expired'),
    level: textOf(row, 'level'),
  };
}

export function readCommand(value: unknown, index: number): Command {
  const row = members(value);
  const resource = members(row.get('resource'));
  const detail = row.has('detail') ? members(row.get('detail')) : new Map<string, unknown>();
  const actions = detail.get('actions');
  const [kind, resourceId] = [textOf(resource, 'kind'), textOf(resource, 'id')];
  return {
    index,
    id: textOf(row, 'command_id'),
    command: textOf(row, 'command'),
    alert: optionalText(row, 'alert'),
    accountId: textOf(row, 'account_id'),
    kind,
    resourceId,
    key: `${kind}/${resourceId}`,
    scope: optionalText(row, 'scope'),
    gpus: optionalNumber(row, 'gpus'),
    keep: row.has('keep') ? members(row.get('keep')) : undefined,
    reason: textOf(row, 'reason'),
    noticeId: optionalText(row, 'notice_id'),
    episode: optionalNumber(row, 'episode'),
    sequence: Number(row.get('sequence')),
    attempt: Number(row.get('attempt')),
    at: Date.parse(textOf(row, 'issued_at')),
    balance: decimal(textOf(row, 'balance')),
    audience: textOf(row, 'audience'),
    actions: Array.isArray(actions) ? actions.map(readAction) : [],
    detail,
  };
}

export function readRejected(value: unknown): Rejected {
  const row = members(value);
  return { line: Number(row.get('line')), reason: textOf(row, 'reason') };
}

/** A decimal with a fixed number of places as an integer of its last place. */
export function decimal(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

function readAction(value: unknown): Action {
  const row = members(value);
  const resource = members(row.get('resource'));
  return {
    key: `${textOf(resource, 'kind')}/${textOf(resource, 'id')}`,
    command: textOf(row, 'command'),
    scope: textOf(row, 'scope'),
    gpus: optionalNumber(row, 'gpus'),
    at: Date.parse(textOf(row, 'at')),
  };
}

function members(value: unknown): Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`no object: ${JSON.stringify(value)}`);
  return new Map(Object.entries(value));
}

function textOf(row: Row, name: string): string {
  const value = row.get(name);
  if (typeof value !== 'string') throw new Error(`${name} is no text: ${JSON.stringify([...row])}`);
  return value;
}

function optionalText(row: Row, name: string): string | undefined {
  return row.has(name) ? textOf(row, name) : undefined;
}

function optionalNumber(row: Row, name: string): number | undefined {
  return row.has(name) ? Number(row.get(name)) : undefined;
}
