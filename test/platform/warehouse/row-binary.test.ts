import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RowBlock, RowColumns } from '../../../platform/warehouse/row-binary.ts';
import { firstRows, rowTexts } from '../../support/binary-rows.ts';

const COLUMNS = new RowColumns([
  ['text', 'String'],
  ['maybe', 'Nullable(String)'],
  ['flag', 'Bool'],
  ['small', 'UInt16'],
  ['word', 'UInt32'],
  ['offset', 'UInt64'],
  ['at', "DateTime64(3, 'UTC')"],
  ['quantity', 'UInt128'],
  ['amount', 'Decimal(38, 9)'],
  ['tags', 'Map(String, String)'],
  ['consumed', 'Array(Tuple(grant_id String, amount Decimal(38, 9)))'],
]);

interface Row {
  readonly text: string;
  readonly maybe: string | undefined;
  readonly flag: boolean;
  readonly small: number;
  readonly word: number;
  readonly offset: number;
  readonly at: number;
  readonly quantity: bigint;
  readonly amount: bigint;
  readonly tags: readonly (readonly [string, string])[];
  readonly consumed: readonly (readonly [string, bigint])[];
}

function blockOf(rows: readonly Row[]): RowBlock {
  const block = new RowBlock(COLUMNS);
  for (const row of rows) {
    block.string(row.text);
    block.nullableString(row.maybe);
    block.bool(row.flag);
    block.uint16(row.small);
    block.uint32(row.word);
    block.int64(row.offset);
    block.int64(row.at);
    block.uint128(row.quantity);
    block.decimal(row.amount);
    block.count(row.tags.length);
    for (const [key, value] of row.tags) {
      block.string(key);
      block.string(value);
    }
    block.count(row.consumed.length);
    for (const [grant, amount] of row.consumed) {
      block.string(grant);
      block.decimal(amount);
    }
    block.endRow();
  }
  return block;
}

/** As the warehouse gives a row back, in JSON. */
function textOf(row: Row): string {
  const amount = (nanos: bigint): string => {
    const digits = `${nanos < 0n ? -nanos : nanos}`.padStart(10, '0');
    return `"${nanos < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}"`;
  };
  const tags = row.tags.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const consumed = row.consumed.map(([grant, nanos]) => `[${JSON.stringify(grant)},${amount(nanos)}]`);
  const { text, maybe = null, flag, small, word, offset, at } = row;
  const first = [text, maybe, flag, small, word, offset, new Date(at)].map((value) => JSON.stringify(value));
  return `[${[...first, `"${row.quantity}"`, amount(row.amount), `{${tags}}`, `[${consumed}]`].join(',')}]`;
}

const DECIMAL_MAX = 10n ** 38n - 1n;
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
  fc.constantFrom(
    '',
    'x'.repeat(24),
    'x'.repeat(25),
    `${'x'.repeat(24)}é`,
    'x'.repeat(127),
    'x'.repeat(128),
    `${'x'.repeat(126)}é`,
    'x'.repeat(20_000),
    '__proto__',
    '\u0000\n"\\',
  ),
);
const amounts = fc.oneof(
  fc.bigInt({ min: -DECIMAL_MAX, max: DECIMAL_MAX }),
  fc.constantFrom(
    0n,
    -1n,
    DECIMAL_MAX,
    -DECIMAL_MAX,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n,
  ),
);
const rows = fc.array(
  fc.record<Row>({
    text: texts,
    maybe: fc.option(texts, { nil: undefined }),
    flag: fc.boolean(),
    small: fc.nat(2 ** 16 - 1),
    word: fc.nat(2 ** 31 - 1).map((half) => half * 2 + 1),
    offset: fc.oneof(fc.nat(), fc.maxSafeNat()),
    at: fc.nat(253_402_300_799_999),
    quantity: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.constantFrom(2n ** 63n, 2n ** 64n, 2n ** 127n)),
    amount: amounts,
    tags: fc.array(fc.tuple(texts, texts), { maxLength: 3 }),
    consumed: fc.array(fc.tuple(texts, amounts), { maxLength: 3 }),
  }),
  { maxLength: 30 },
);

describe('rows in RowBinary', () => {
  test('are those that were put, whatever is in them', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const block = blockOf(all);
        expect(rowTexts(block)).toEqual(all.map(textOf));
        expect(block.length).toBe(all.length);
      }),
    );
  });

  test('stand in chunks that end with a row, none much longer than 4 MiB', () => {
    const block = new RowBlock(new RowColumns([['text', 'String']]));
    const text = 'x'.repeat(1_000_000);
    for (let row = 0; row < 12; row += 1) {
      block.string(text);
      block.endRow();
    }
    expect(block.chunks.map((chunk) => chunk.rows)).toEqual([5, 5, 2]);
    expect(rowTexts(block)).toEqual(Array.from({ length: 12 }, () => JSON.stringify([text])));
    expect(rowTexts(firstRows(block, 7))).toHaveLength(7);
  });

  test.each([
    ['half of a surrogate pair', (block: RowBlock) => block.string('a\ud800')],
    ['the same in a longer text', (block: RowBlock) => block.string(`${'x'.repeat(40)}\ud800`)],
    ['a decimal of 39 digits', (block: RowBlock) => block.decimal(10n ** 38n)],
    ['a negative one', (block: RowBlock) => block.decimal(-(10n ** 38n))],
    ['a quantity below 0', (block: RowBlock) => block.uint128(-1n)],
    ['a quantity of 129 bits', (block: RowBlock) => block.uint128(2n ** 128n)],
  ])('%s is refused by name, not changed into something else', (_, put) => {
    const fault = expect.objectContaining({ code: 'warehouse_value_refused' });
    expect(() => put(new RowBlock(COLUMNS))).toThrow(fault);
  });
});
