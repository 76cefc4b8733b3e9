import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate, readMigrations } from '../../../platform/warehouse/migrations.ts';
import { createWarehouseWriter, type WarehouseWriter } from '../../../platform/warehouse/writer.ts';
import { openBlock, RATER_TABLES } from '../../../services/rater/rows.ts';
import { columnsOf } from '../../support/binary-rows.ts';
import { MIGRATIONS, rowsOf, startTestEngine, type TestEngine } from './fixture.ts';

let engine: TestEngine;
let writer: WarehouseWriter;
beforeAll(async () => {
  engine = await startTestEngine();
  await migrate(engine.client, await readMigrations(MIGRATIONS));
  writer = createWarehouseWriter({ client: engine.client });
});
afterAll(() => engine.close());

type Row = Readonly<Record<string, unknown>>;

const RATED: Row = {
  line_id: 'c/acme/train/n-1/1777593600000/0',
  event: 'agent/é \u{1f600}/s-1',
  account_id: 'acme',
  resource_kind: 'cluster',
  resource_id: 'train',
  node_id: 'n-1',
  sku: 'h100',
  category: 'on_demand',
  reservation_id: null,
  start: '2026-05-01T00:00:00.000Z',
  end: '2026-05-01T00:59:59.999Z',
  quantity_ms: '28799992',
  unit: 'gpu_hour',
  unit_price: '2.500000',
  list_unit_price: '3.000001',
  amount: '19.999994444',
  list_amount: '24.000001333',
  invoice_month: '2026-05',
  correction: false,
  tags: JSON.parse('{"team":"x","__proto__":"y","10":"z","a\\u0000b":"\\\\N"}'),
  has_tags: true,
  partition: 0,
  offset: '18446744073709551615',
  idx: 4294967295,
  rules_version: 1,
};
const LEDGER: Row = {
  entry_id: 'u/c/acme/train/n-1/1777593600000/0',
  account_id: 'acme',
  time: '2026-05-01T01:00:00.000Z',
  kind: 'usage',
  amount: '-19.999994444',
  ref: 'agent/s-1',
  invoice_month: null,
  consumed: [
    { grant_id: 'g-1', amount: '19.999994443' },
    { grant_id: '__proto__', amount: '0.000000001' },
  ],
  partition: 0,
  offset: '7',
  idx: 0,
};
const UPDATE: Row = {
  account_id: 'acme',
  sequence: '9007199254740993',
  at: '2026-05-01T01:00:00.000Z',
  balance: '-0.000000001',
  burn_rate: '99999999999999999999999999999.999999999',
  level: 'exhausted',
  partition: 0,
  offset: '7',
  idx: 1,
};
const COMMAND: Row = {
  command_id: 'acme/1/cluster/train/pause/cluster/1',
  command: 'pause',
  alert: null,
  account_id: 'acme',
  resource_kind: 'cluster',
  resource_id: 'train',
  scope: 'cluster',
  gpus: null,
  keep: null,
  reason: 'credits_exhausted',
  notice_id: 'acme/1/notice',
  episode: '1',
  sequence: '2',
  attempt: 1,
  issued_at: '2026-05-01T02:00:00.000Z',
  balance: '-0.000000001',
  audience: 'customer',
  detail: '{"actions":[{"at":"2026-05-01T02:00:00.000Z"}]}',
  body: '{"command_id":"acme/1/cluster/train/pause/cluster/1"}',
  partition: 0,
  offset: '7',
  ordinal: '18446744073709551615',
};
const REJECTION: Row = {
  partition: 3,
  offset: '8',
  account_id: null,
  reason: 'malformed',
  detail: 'not JSON',
  event: '{"half": "\\ud800", \u0000\r\n \'"`',
  at: '2026-05-01T01:00:00.000Z',
};
const INVOICE: Row = {
  account_id: 'acme',
  month: '2026-04',
  body: '{"account_id":"acme","month":"2026-04","lines":[]}',
  hash: 'ab12',
  partition: 0,
  offset: '9',
  idx: 0,
};

const CHARGE: Row = {
  charge_id: 'r/acme/r-1/0',
  entry_id: 'r/acme/r-1',
  account_id: 'acme',
  reservation_id: 'r-1',
  cluster_id: 'train',
  gpu_type: 'h100',
  quantity_ms: '95000000000000000000',
  unit_price: '1.000001',
  amount: '12345678901234567890.000000001',
  invoice_month: '2026-04',
  partition: 0,
  offset: '9',
  idx: 0,
};
const VERDICT: Row = {
  partition: 0,
  offset: '10',
  event: 'console/\u{1f600}/e-1',
  account_id: 'acme',
  verdict: 'rejected',
  reason: 'not_allowed',
  detail: "it's over",
  at: '2026-05-01T01:00:00.000Z',
};

const TABLES: readonly [table: string, row: Row, identity: string][] = [
  ['rated_lines', RATED, 'line_id'],
  ['ledger_entries', LEDGER, 'entry_id'],
  ['balance_updates', UPDATE, 'sequence'],
  ['commands', COMMAND, 'command_id'],
  ['rejections', REJECTION, 'offset'],
  ['invoices_final', INVOICE, 'month'],
  ['reservation_charges', CHARGE, 'charge_id'],
  ['event_verdicts', VERDICT, 'offset'],
];

/** Rows as services encode them: values in the order of the columns, a tuple as an array. */
function write(table: string, rows: readonly Row[], columns = Object.keys(rows[0] ?? {})): Promise<void> {
  const value = (row: Row, column: string) =>
    column === 'consumed' && Array.isArray(row[column]) ? row[column].map((use) => Object.values(use)) : row[column];
  const lines = rows.map((row) => JSON.stringify(columns.map((column) => value(row, column))));
  return writer.insertBlock(table, lines, { token: `test:${table}`, columns });
}

describe('the tables', () => {
  test.each(TABLES)(
    '%s: a row comes back as it was written, once, however often it was',
    async (table, row, identity) => {
      const other = { ...row, [identity]: String(row[identity]).replace(/.$/, '5') };
      await write(table, [row, other]);
      await write(table, [row]);
      await write(table, [other, row]);
      expect(await rowsOf(engine.client, `SELECT count() AS n FROM ${table} FINAL`)).toEqual([{ n: '2' }]);
      const order = `ORDER BY \`${identity}\` = {id:String} DESC`;
      const query = `SELECT * FROM ${table} FINAL WHERE toString(\`${identity}\`) = {id:String} ${order}`;
      const stored = await rowsOf(engine.client, query, { id: String(row[identity]) });
      expect(stored).toEqual([row]);
      expect(Object.keys(stored[0] ?? {})).toEqual(Object.keys(row));
      // tags keep their order, hostile keys included
      expect(JSON.stringify(stored[0])).toBe(JSON.stringify(row));
      await engine.client.command({ query: `TRUNCATE TABLE ${table}` });
    },
  );

  test.each(RATER_TABLES)('%s: the rater names all columns, in their order, with their types', async (table) => {
    const query = 'SELECT name, type FROM system.columns WHERE table = {table:String} AND database = currentDatabase()';
    const found = await rowsOf(engine.client, `${query} ORDER BY position`, { table });
    const columns = columnsOf(openBlock(table).columns.header);
    expect(columns.map(([name, type]) => ({ name, type }))).toEqual(found);
  });

  test('every table is on disk before its rows count', async () => {
    const careless = await rowsOf(
      engine.client,
      `SELECT name FROM system.tables WHERE engine LIKE '%MergeTree' AND database = currentDatabase()
       AND engine_full NOT LIKE '%fsync_after_insert = 1%fsync_part_directory = 1%'`,
    );
    expect(careless).toEqual([]);
  });

  test('U4: a volume of 2^40 GiB for a day fits', async () => {
    const quantity = String(2n ** 40n * 86_400_000n);
    await write('rated_lines', [{ ...RATED, quantity_ms: quantity }]);
    expect(await rowsOf(engine.client, 'SELECT quantity_ms FROM v_rated_lines')).toEqual([{ quantity_ms: quantity }]);
    await engine.client.command({ query: 'TRUNCATE TABLE rated_lines' });
  });

  test('lines of more months than a server takes in one block by default (100) are taken', async () => {
    const rows = Array.from({ length: 120 }, (_, n) => {
      const start = `${2000 + Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}-01T00:00:00.000Z`;
      return { ...RATED, line_id: `c/acme/train/n-1/${n}/0`, start };
    });
    await write('rated_lines', rows);
    expect(await rowsOf(engine.client, 'SELECT count() AS n FROM v_rated_lines')).toEqual([{ n: '120' }]);
    await engine.client.command({ query: 'TRUNCATE TABLE rated_lines' });
  });
});

describe('rows that do not fit', () => {
  test.each([
    ['a grant without its amount', { consumed: [['g']] }],
    ['a grant with a member too many', { consumed: [['g', '1', '2']] }],
    ['a grant that is null', { consumed: [null] }],
    ['a kind that is null', { kind: null }],
  ])('C2: %s is refused', async (_, over) => {
    const row = Object.values({ ...LEDGER, consumed: [['g', '1']], ...over });
    const writing = writer.insertBlock('ledger_entries', [JSON.stringify(row)], { token: 'test' });
    await expect(writing).rejects.toMatchObject({ code: 'warehouse_insert_refused' });
  });
});

describe('what finance reads', () => {
  test('F2: an invoice line is the sum over its key, exact to the nano, whatever was written twice', async () => {
    const part = (n: number, over: Row = {}) => ({
      ...RATED,
      line_id: `c/acme/train/n-${n}/1777593600000/0`,
      node_id: `n-${n}`,
      amount: '0.000000001',
      list_amount: '12345678901234567.000000001',
      ...over,
    });
    const rows = [
      part(1),
      part(2),
      part(3, { correction: true }),
      part(4, { category: 'reserved', reservation_id: 'r', amount: '0.000000000' }),
      part(5, { unit_price: '2.500001' }),
    ];
    await write('rated_lines', rows);
    await write('rated_lines', rows.slice(1, 4));
    const lines = await rowsOf(
      engine.client,
      `SELECT section, reservation_id, unit_price, quantity_ms, amount, list_amount FROM v_invoice_lines
       WHERE account_id = 'acme' AND month = '2026-05' ORDER BY section, unit_price`,
    );
    const one = {
      reservation_id: null,
      unit_price: '2.500000',
      quantity_ms: '28799992',
      amount: '0.000000001',
      list_amount: '12345678901234567.000000001',
    };
    expect(lines).toEqual([
      { ...one, section: 'correction' },
      {
        ...one,
        section: 'on_demand',
        quantity_ms: '57599984',
        amount: '0.000000002',
        list_amount: '24691357802469134.000000002',
      },
      { ...one, section: 'on_demand', unit_price: '2.500001' },
      { ...one, section: 'reserved', reservation_id: 'r', amount: '0.000000000' },
    ]);
  });

  test('F1: closing = opening + granted + refunded - expired - charges, and the next month opens with it', async () => {
    const entry = (n: number, kind: string, amount: string, month: string | null, over: Row = {}) => ({
      ...LEDGER,
      entry_id: `e-${n}`,
      kind,
      amount,
      invoice_month: month,
      consumed: [],
      ...over,
    });
    const entries = [
      entry(1, 'grant', '100.000000000', '2026-04'),
      entry(2, 'reservation', '-30.000000000', '2026-04', { ref: 'r-1' }),
      entry(3, 'reservation', '-5.000000001', '2026-04', { ref: 'r-1' }),
      entry(4, 'usage', '-0.000000004', null),
      entry(5, 'expiry', '-20.000000000', '2026-06'),
      entry(6, 'refund', '1.000000000', '2026-06'),
    ];
    await write('ledger_entries', entries);
    await write('ledger_entries', entries);
    const totals = await rowsOf(
      engine.client,
      "SELECT month, opening_balance, granted, refunded, expired, charges, closing_balance FROM v_invoice_totals WHERE account_id = 'acme' ORDER BY month",
    );
    const zero = '0.000000000';
    expect(totals).toEqual([
      {
        month: '2026-04',
        opening_balance: zero,
        granted: '100.000000000',
        refunded: zero,
        expired: zero,
        charges: '35.000000001',
        closing_balance: '64.999999999',
      },
      {
        month: '2026-05',
        opening_balance: '64.999999999',
        granted: zero,
        refunded: zero,
        expired: zero,
        charges: '0.000000004',
        closing_balance: '64.999999995',
      },
      {
        month: '2026-06',
        opening_balance: '64.999999995',
        granted: zero,
        refunded: '1.000000000',
        expired: '20.000000000',
        charges: zero,
        closing_balance: '45.999999995',
      },
    ]);
    expect(await rowsOf(engine.client, 'SELECT month, reservation_id, amount FROM v_reservation_charges')).toEqual([
      { month: '2026-04', reservation_id: 'r-1', amount: '35.000000001' },
    ]);
  });

  test('F1, F4: open months have their reservation lines too, by SQL alone', async () => {
    const charges = [CHARGE, { ...CHARGE, charge_id: 'r/acme/r-1/1' }];
    await write('reservation_charges', charges);
    await write('reservation_charges', charges);
    const [line] = await rowsOf(engine.client, "SELECT * FROM v_all_invoice_lines WHERE section = 'reservation'");
    expect(line).toEqual({
      account_id: 'acme',
      month: '2026-04',
      section: 'reservation',
      resource_kind: 'cluster',
      resource_id: 'train',
      sku: 'h100',
      category: 'reservation',
      reservation_id: 'r-1',
      correction: false,
      quantity_ms: '190000000000000000000',
      unit: 'gpu_hour',
      unit_price: '1.000001',
      list_unit_price: '1.000001',
      amount: '24691357802469135780.000000002',
      list_amount: '24691357802469135780.000000002',
    });
  });

  test('F4: the lines of a final invoice, every section, exact', async () => {
    const line = {
      section: 'reservation',
      resource_kind: 'cluster',
      resource_id: 'train',
      sku: 'h100',
      category: 'reservation',
      reservation_id: 'r-1',
      correction: false,
      quantity_ms: '95000000000000000000',
      unit: 'gpu_hour',
      unit_price: '1.000001',
      list_unit_price: '1.000000',
      amount: '12345678901234567890.000000001',
      list_amount: '1.000000000',
    };
    const { reservation_id: _, ...storage } = { ...line, section: 'storage', category: 'storage', correction: true };
    await write('invoices_final', [{ ...INVOICE, body: JSON.stringify({ lines: [line, storage] }) }]);
    expect(await rowsOf(engine.client, 'SELECT * FROM v_final_invoice_lines ORDER BY line_number')).toEqual([
      { account_id: 'acme', month: '2026-04', line_number: 1, ...line },
      { account_id: 'acme', month: '2026-04', line_number: 2, ...storage, reservation_id: null },
    ]);
  });
});
