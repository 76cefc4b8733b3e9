import { Readable } from 'node:stream';
import { ClickHouseError } from '@clickhouse/client';
import { describe, expect, test } from 'vitest';
import type { WarehouseClient } from '../../../platform/warehouse/client.ts';
import { RowColumns } from '../../../platform/warehouse/row-binary.ts';
import { createWarehouseWriter, isTransient } from '../../../platform/warehouse/writer.ts';

type Sent = { readonly query: string; readonly body: string };

/** A client whose `exec` takes what comes and answers by plan: an error, or how many rows it says it wrote. */
function plannedClient(plan: (attempt: number, rows: number) => Error | number) {
  const sent: Sent[] = [];
  const exec = async ({ query, values }: { query: string; values: AsyncIterable<Buffer> }) => {
    const chunks: Buffer[] = [];
    for await (const chunk of values) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    sent.push({ query, body });
    const answer = plan(sent.length, body.split('\n').filter((line) => line !== '').length);
    if (answer instanceof Error) throw answer;
    return { stream: Readable.from([]), summary: { written_rows: String(answer) } };
  };
  return { client: { exec } as unknown as WarehouseClient, sent };
}

const refusedConnection = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
const serverError = (code: string) => new ClickHouseError({ code, type: 'SOME_TYPE', message: `error ${code}` });
const rows = ['["a",1]', '["b",2]', '["c",3]'];

describe('the writer', () => {
  test('sends the block once, with its rows as lines', async () => {
    const { client, sent } = plannedClient((_, count) => count);
    await createWarehouseWriter({ client }).insertBlock('t', rows, { token: 'k', columns: ['x', 'end'] });
    expect(sent).toEqual([
      { query: 'INSERT INTO `t` (`x`, `end`) FORMAT JSONCompactEachRow', body: '["a",1]\n["b",2]\n["c",3]\n' },
    ]);
  });

  test('tries again after transient faults, with the same bytes and growing, bounded waits', async () => {
    const { client, sent } = plannedClient((attempt, count) => (attempt < 9 ? refusedConnection : count));
    const waits: number[] = [];
    const writer = createWarehouseWriter({ client, sleep: async (ms) => void waits.push(ms) });
    await writer.insertBlock('t', rows, { token: 'k' });
    expect(new Set(sent.map((one) => one.body)).size).toBe(1);
    expect(waits).toEqual([50, 100, 200, 400, 500, 500, 500, 500]);
  });

  test('gives up after a bounded number of tries, with a name', async () => {
    const { client, sent } = plannedClient(() => serverError('202'));
    const writer = createWarehouseWriter({ client, attemptsMax: 3, sleep: async () => {} });
    await expect(writer.insertBlock('t', rows, { token: 'events:0:1-3' })).rejects.toMatchObject({
      code: 'warehouse_unavailable',
      message: expect.stringContaining('t, block events:0:1-3, 3 tries: error 202'),
    });
    expect(sent).toHaveLength(3);
  });

  test('a refused row is not tried again', async () => {
    const { client, sent } = plannedClient(() => serverError('27'));
    const failing = createWarehouseWriter({ client }).insertBlock('t', rows, { token: 'k' });
    await expect(failing).rejects.toMatchObject({ code: 'warehouse_insert_refused', cause: { code: '27' } });
    expect(sent).toHaveLength(1);
  });

  test('fewer rows acknowledged than sent is an error', async () => {
    const { client } = plannedClient((_, count) => count - 1);
    const failing = createWarehouseWriter({ client }).insertBlock('t', rows, { token: 'k' });
    await expect(failing).rejects.toMatchObject({ code: 'warehouse_rows_lost' });
  });

  test('cuts a large block at row ends, one byte either side of the bound', async () => {
    for (const bound of [7, 8, 15, 16, 17, 23, 24, 25]) {
      const { client, sent } = plannedClient((_attempt, count) => count);
      const writer = createWarehouseWriter({ client, requestBytesMax: bound });
      const writing = writer.insertBlock('t', rows, { token: 'k' });
      if (bound === 7) {
        // the rows have 7 bytes and their line ends
        await expect(writing).rejects.toMatchObject({ code: 'warehouse_row_too_large' });
        continue;
      }
      await writing;
      const bodies = sent.map((one) => one.body);
      expect(bodies.join('').trimEnd()).toBe(rows.join('\n'));
      expect(bodies.every((body) => Buffer.byteLength(body) <= bound)).toBe(true);
      const requests = new Map([
        [8, 3],
        [16, 2],
        [25, 1],
      ]).get(bound);
      if (requests !== undefined) expect(bodies).toHaveLength(requests);
    }
  });

  test('rows in RowBinary go under their header, in requests of whole chunks', async () => {
    const columns = new RowColumns([
      ['x', 'String'],
      ['end', 'UInt32'],
    ]);
    const chunks = ['one', 'two', 'three'].map((text) => ({ bytes: Buffer.from(text), rows: 2 }));
    const header = columns.header.toString();
    for (const [bound, bodies] of [
      [header.length + 11, ['onetwothree']],
      [header.length + 10, ['onetwo', 'three']],
      [header.length + 5, ['one', 'two', 'three']],
    ] as const) {
      const { client, sent } = plannedClient(() => 6);
      const writer = createWarehouseWriter({ client, requestBytesMax: bound });
      await writer.insertBlock('t', { columns, chunks, length: 6 }, { token: 'k' });
      const query = 'INSERT INTO `t` (`x`, `end`) FORMAT RowBinaryWithNamesAndTypes';
      expect(sent).toEqual(bodies.map((body) => ({ query, body: header + body })));
    }
    const { client } = plannedClient(() => 6);
    const writer = createWarehouseWriter({ client, requestBytesMax: header.length + 4 });
    const failing = writer.insertBlock('t', { columns, chunks, length: 6 }, { token: 'k' });
    await expect(failing).rejects.toMatchObject({ code: 'warehouse_row_too_large' });
  });

  test.each([
    [serverError('252'), true],
    [serverError('60'), false],
    [refusedConnection, true],
    [Object.assign(new Error('reset'), { code: 'ECONNRESET' }), true],
    [new Error('Timeout error.'), true],
    [new TypeError('x is not a function'), false],
    ['a string', false],
  ])('knows whether a retry can help: %s', (error, transient) => {
    expect(isTransient(error)).toBe(transient);
  });
});
