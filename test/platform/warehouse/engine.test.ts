import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ClickHouseError, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWarehouseReader } from '../../../platform/warehouse/reader.ts';
import { RowBlock, RowColumns } from '../../../platform/warehouse/row-binary.ts';
import { createWarehouseWriter } from '../../../platform/warehouse/writer.ts';
import { rowsOf, startTestEngine, type TestEngine, until } from './fixture.ts';

const HOSTILE = [
  '',
  '__proto__',
  "it's",
  'a\\b',
  'tab\tline\nreturn\r',
  'nul\u0000byte',
  '"quoted" `ticks`',
  'ünïcödé \u{1f600} \u2028',
  '; DROP TABLE t; --',
  '\\N',
  'null',
  '{a:String}',
  '\r\n__exception__\r\n',
  ';\n\nSELECT 1',
];

const BINARY = new RowColumns([
  ['id', 'UInt64'],
  ['amount', 'Decimal(38, 9)'],
  ['note', 'String'],
]);

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine({
    limits: { bodyBytesMax: 4_000_000, bodiesBytesMax: 6_000_000, runningMax: 2, waitingMax: 3 },
  });
});
afterAll(() => engine.close());

/** A plain HTTP request, as curl would send it. */
function http(method: string, path: string, body: string | Buffer = '', headers = {}) {
  return new Promise<{ status: number; code: string | undefined; text: string }>((resolve, reject) => {
    const outgoing = request(`${engine.engine.url}${path}`, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const code = response.headers['x-clickhouse-exception-code'];
        resolve({
          status: response.statusCode ?? 0,
          code: typeof code === 'string' ? code : undefined,
          text: Buffer.concat(chunks).toString(),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('the engine behind the stock client', () => {
  test('answers ping, to the client and to curl', async () => {
    await expect(engine.client.ping()).resolves.toEqual({ success: true });
    await expect(http('GET', '/ping')).resolves.toMatchObject({ status: 200, text: 'Ok.\n' });
  });

  test('runs in UTC', async () => {
    expect(await rowsOf(engine.client, 'SELECT timezone() AS zone')).toEqual([{ zone: 'UTC' }]);
  });

  test('U2: integers beyond 2^53 and decimals of 38 digits come back digit by digit', async () => {
    await engine.client.command({
      query: `CREATE TABLE exact (id UInt8, u UInt64, i Int64, q UInt128, money Decimal(38, 9), price Decimal(38, 6),
        at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id`,
    });
    const rows = [
      [1, '9007199254740993', '-9223372036854775808', '95000000000000000000', '12.500000000', '2.500000'],
      [2, '18446744073709551615', '9223372036854775807', '0', '-0.000000001', '0.000001'],
      [
        3,
        '0',
        '0',
        '340282366920938463463374607431768211455',
        '99999999999999999999999999999.999999999',
        '99999999999999999999999999999999.999999',
      ],
    ].map((row) => [...row, '9999-12-31T23:59:59.999Z']);
    await engine.client.insert({ table: 'exact', values: rows, format: 'JSONCompactEachRow' });
    const result = await engine.client.query({
      query: 'SELECT * FROM exact ORDER BY id',
      format: 'JSONCompactEachRow',
    });
    expect(await result.json()).toEqual(rows);
  });

  test('times keep their millisecond from 1970 to 9999', async () => {
    await engine.client.command({
      query: `CREATE TABLE times (at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY at`,
    });
    const times = [
      '1970-01-01T00:00:00.000Z',
      '2026-02-28T23:59:59.999Z',
      '2300-01-01T00:00:00.001Z',
      '9999-12-31T23:59:59.999Z',
    ];
    await engine.client.insert({ table: 'times', values: times.map((at) => ({ at })), format: 'JSONEachRow' });
    expect(await rowsOf(engine.client, 'SELECT at FROM times ORDER BY at')).toEqual(times.map((at) => ({ at })));
  });

  test('sum() of decimals is exact', async () => {
    const [row] = await rowsOf(
      engine.client,
      `SELECT sum(toDecimal128('0.000000001', 9)) AS ones, sum(toDecimal128('123456789012345678.987654321', 9)) AS large
       FROM numbers(1000000)`,
    );
    expect(row).toEqual({ ones: '0.001000000', large: '123456789012345678987654.321000000' });
  });

  test('hostile text survives rows in both formats, and query parameters', async () => {
    await engine.client.command({
      query: 'CREATE TABLE hostile (n UInt8, s String, m Map(String, String)) ENGINE = MergeTree ORDER BY n',
    });
    const compact = HOSTILE.map((s, n) => [n, s, { [s]: s }]);
    await engine.client.insert({ table: 'hostile', values: compact, format: 'JSONCompactEachRow' });
    const rows = HOSTILE.map((s, n) => ({
      n: 100 + n,
      s,
      m: JSON.parse(`{${JSON.stringify(s)}:${JSON.stringify(s)}}`),
    }));
    await engine.client.insert({ table: 'hostile', values: rows, format: 'JSONEachRow' });
    const result = await engine.client.query({
      query: 'SELECT n, s, m FROM hostile ORDER BY n',
      format: 'JSONEachRow',
    });
    const read = await result.json<{ n: number; s: string; m: Record<string, string> }>();
    expect(read.map((row) => row.s)).toEqual([...HOSTILE, ...HOSTILE]);
    expect(read.slice(HOSTILE.length).map((row) => Object.entries(row.m))).toEqual(HOSTILE.map((s) => [[s, s]]));
    for (const text of HOSTILE) {
      expect(
        await rowsOf(engine.client, 'SELECT {a:String} AS a, {b:Array(String)} AS b', { a: text, b: [text] }),
      ).toEqual([{ a: text, b: [text] }]);
    }
  });

  test('takes gzip bodies, and sends JSON, CSV and streams', async () => {
    const zipped = createClient({ url: engine.engine.url, compression: { request: true } });
    await zipped.command({ query: 'CREATE TABLE zipped (a UInt32) ENGINE = MergeTree ORDER BY a' });
    await zipped.insert({ table: 'zipped', values: [{ a: 1 }, { a: 2 }], format: 'JSONEachRow' });
    const json = await (await zipped.query({ query: 'SELECT a FROM zipped ORDER BY a', format: 'JSON' })).json();
    expect(json).toMatchObject({ rows: 2, data: [{ a: 1 }, { a: 2 }] });
    const csv = await (await zipped.query({ query: 'SELECT a FROM zipped ORDER BY a', format: 'CSVWithNames' })).text();
    expect(csv).toBe('"a"\n1\n2\n');
    await zipped.close();
  });

  test('text bodies of other formats go through, binary ones are refused instead of mangled', async () => {
    const insert = '/?query=INSERT+INTO+zipped+FORMAT+';
    await expect(http('POST', `${insert}CSV`, '7\n8\n')).resolves.toMatchObject({ status: 200 });
    expect(await rowsOf(engine.client, 'SELECT a FROM zipped WHERE a > 5 ORDER BY a')).toEqual([{ a: 7 }, { a: 8 }]);
    await expect(http('POST', `${insert}RowBinary`, Buffer.from([255, 0, 0, 0]))).resolves.toMatchObject({
      status: 501,
      code: '48',
    });
  });

  test('settings, parameters and databases of one request do not reach the next', async () => {
    const threads = async (settings = {}) => {
      const result = await engine.client.query({
        query: "SELECT getSetting('max_threads') AS n, currentDatabase() AS d",
        format: 'JSONEachRow',
        clickhouse_settings: settings,
      });
      return result.json();
    };
    const before = await threads();
    await engine.client.command({ query: 'CREATE DATABASE IF NOT EXISTS other' });
    expect(await threads({ max_threads: 7 })).toMatchObject([{ n: 7 }]);
    await engine.client.command({ query: 'SET max_threads = 5' });
    await http('POST', '/?database=other', 'SELECT 1');
    await expect(http('POST', '/?param_a=x', 'SELECT {a:String}')).resolves.toMatchObject({ text: 'x\n' });
    await expect(http('POST', '/', 'SELECT {a:String}')).resolves.toMatchObject({ status: 500, code: '456' });
    expect(await threads()).toEqual(before);
  });

  test('parameters of requests that run side by side are not mixed up', async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, async (_, worker) => {
        const wrong: unknown[] = [];
        for (let n = 0; n < 25; n++) {
          const [row] = await rowsOf(engine.client, 'SELECT {a:String} AS a', { a: `${worker}-${n}` });
          if (JSON.stringify(row) !== JSON.stringify({ a: `${worker}-${n}` })) wrong.push(row);
        }
        return wrong;
      }),
    );
    expect(answers.flat()).toEqual([]);
  });
});

describe('errors of the engine', () => {
  test.each([
    ['syntax', 'SELEC 1', '62', 'SYNTAX_ERROR'],
    ['an unknown table', 'SELECT * FROM nowhere', '60', 'UNKNOWN_TABLE'],
    [
      'a rejected row',
      'INSERT INTO exact FORMAT JSONCompactEachRow\n["x"]',
      '27',
      'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
    ],
  ])('%s: 500 with the code, typed by the client', async (_, query, code, type) => {
    const answer = await http('POST', '/', query);
    expect(answer).toMatchObject({ status: 500, code });
    expect(answer.text).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: `));
    const error = await engine.client.command({ query }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ClickHouseError);
    expect(error).toMatchObject({ code, type });
  });

  test('an error in the middle of a stream ends it loudly', async () => {
    const result = await engine.client.query({
      query: 'SELECT number, throwIf(number = 150000) FROM numbers(300000)',
      format: 'JSONEachRow',
      clickhouse_settings: { max_block_size: '10000' },
    });
    let rows = 0;
    const reading = (async () => {
      for await (const batch of result.stream()) rows += batch.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: '395' });
    expect(rows).toBeLessThan(150_001);
    const waited = engine.client.query({
      query: 'SELECT throwIf(number = 150000) FROM numbers(300000)',
      format: 'JSONEachRow',
      clickhouse_settings: { wait_end_of_query: 1 },
    });
    await expect(waited).rejects.toMatchObject({ code: '395' });
  });

  test('what the door refuses has a name and a status', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    const cases: [string, ReturnType<typeof http>, number, string][] = [
      [
        'body too large',
        http('POST', '/?query=INSERT+INTO+t+FORMAT+CSV', 'x'.repeat(4_000_001)),
        413,
        'TOO_MANY_BYTES',
      ],
      ['a gzip bomb', http('POST', '/', gzipSync(Buffer.alloc(50_000_000)), gzip), 413, 'TOO_MANY_BYTES'],
      ['broken gzip', http('POST', '/', 'SELECT 1', gzip), 500, 'incorrect header check'],
      ['another encoding', http('POST', '/', 'SELECT 1', { 'content-encoding': 'br' }), 415, 'NOT_IMPLEMENTED'],
      ['another path', http('POST', '/play', 'SELECT 1'), 404, 'NOT_IMPLEMENTED'],
      ['another method', http('PUT', '/', 'SELECT 1'), 405, 'NOT_IMPLEMENTED'],
      ['a web page', http('POST', '/', 'SELECT 1', { origin: 'http://evil.example' }), 403, 'ACCESS_DENIED'],
      ['a rebound name', http('POST', '/', 'SELECT 1', { host: 'evil.example' }), 403, 'ACCESS_DENIED'],
      ['a writing GET', http('GET', '/?query=CREATE+DATABASE+x'), 500, 'READONLY'],
      [
        'a result too large to hold',
        http('POST', '/', 'SELECT repeat(toString(number), 200) FROM numbers(9000)'),
        500,
        'TOO_MANY_ROWS_OR_BYTES',
      ],
    ];
    for (const [what, answer, status, text] of cases) {
      const { status: got, text: whole } = await answer;
      const message = whole.slice(0, 500);
      expect([what, got, message]).toEqual([what, status, expect.stringContaining(text)]);
    }
    await expect(engine.client.ping()).resolves.toEqual({ success: true });
  });

  test('a full queue is 503 TOO_MANY_SIMULTANEOUS_QUERIES, and passes', async () => {
    const slow = Array.from({ length: 8 }, () => http('POST', '/', 'SELECT sleep(0.5)'));
    const answers = await Promise.all(slow);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 200, 503, 503, 503]);
    expect(answers.find((answer) => answer.status === 503)).toMatchObject({ code: '202' });
    await expect(http('POST', '/', 'SELECT 1')).resolves.toMatchObject({ text: '1\n' });
  });
});

describe('reads', () => {
  test('stream in order, parsed, with exact numbers', async () => {
    const reader = createWarehouseReader(engine.client);
    let next = 0n;
    const sql = 'SELECT toUInt64(number) + {from:UInt64} AS n FROM numbers(200000) ORDER BY n';
    for await (const rows of reader.stream(sql, { from: '9007199254740993' }, (row) => row)) {
      for (const row of rows) {
        if (JSON.stringify(row) !== `{"n":"${9007199254740993n + next}"}`)
          throw new Error(`${JSON.stringify(row)} at ${next}`);
        next++;
      }
    }
    expect(next).toBe(200_000n);
  });

  test('a reader that leaves early, or is aborted, ends the query in the engine', async () => {
    const running = async () => {
      const query =
        "SELECT count() AS n FROM system.processes WHERE query LIKE '%system.numbers%' AND query NOT LIKE '%processes%'";
      return JSON.stringify(await rowsOf(engine.client, query));
    };
    const reader = createWarehouseReader(engine.client);
    for await (const _ of reader.stream('SELECT number FROM system.numbers', {}, () => 0)) break;
    await until('the stream was ended', async () => (await running()) === '[{"n":"0"}]');

    const abort = new AbortController();
    const endless = engine.client.query({
      query: 'SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))',
      format: 'JSON',
      abort_signal: abort.signal,
    });
    await until('the query runs', async () => (await running()) === '[{"n":"1"}]');
    abort.abort();
    await expect(endless).rejects.toThrow(/abort/);
    await until('the query was killed', async () => (await running()) === '[{"n":"0"}]');
  });

  test('an abort before and while a request waits leaves its slot free', async () => {
    const abort = new AbortController();
    const waiting = Array.from({ length: 4 }, () =>
      engine.client
        .query({ query: 'SELECT sleep(1)', format: 'JSON', abort_signal: abort.signal })
        .catch((error: unknown) => error),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    await Promise.all(waiting);
    await until('all slots are free', async () => (await http('POST', '/', 'SELECT 1')).status === 200);
  });
});

describe('writes', () => {
  test('a block written again, whole or cut elsewhere, is read once', async () => {
    await engine.client.command({
      query: `CREATE TABLE blocks (id UInt64, amount Decimal(38, 9), note String DEFAULT '') ENGINE = ReplacingMergeTree ORDER BY id
        SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
    });
    const writer = createWarehouseWriter({ client: engine.client });
    const rows = Array.from({ length: 5_000 }, (_, n) => JSON.stringify([String(n), '0.000000001', '']));
    await writer.insertBlock('blocks', rows, { token: 'events:0:0-4999' });
    await writer.insertBlock('blocks', rows, { token: 'events:0:0-4999' });
    await writer.insertBlock('blocks', rows.slice(100, 3_000), { token: 'events:0:100-2999' });
    await writer.insertBlock('blocks', [], { token: 'nothing' });
    expect(
      await rowsOf(
        engine.client,
        'SELECT count() AS rows, uniqExact(id) AS ids, sum(amount) AS total FROM blocks FINAL',
      ),
    ).toEqual([{ rows: '5000', ids: '5000', total: '0.000005000' }]);
  });

  test('a block in RowBinary is read once, and leaves no file behind', async () => {
    await engine.client.command({
      query: `CREATE TABLE binary (id UInt64, amount Decimal(38, 9), note String DEFAULT 'none', later String DEFAULT 'yes')
        ENGINE = ReplacingMergeTree ORDER BY id`,
    });
    const block = new RowBlock(BINARY);
    for (let id = 0; id < 3000; id += 1) {
      block.int64(id);
      block.decimal(1n);
      block.string(`n${id}`);
      block.endRow();
    }
    const writer = createWarehouseWriter({ client: engine.client });
    await writer.insertBlock('binary', block, { token: 'events:0:0-2999' });
    await writer.insertBlock('binary', block, { token: 'events:0:0-2999' });
    const query =
      'SELECT count() AS rows, sum(amount) AS total, max(note) AS note, any(later) AS later FROM binary FINAL';
    expect(await rowsOf(engine.client, query)).toEqual([
      { rows: '3000', total: '0.000003000', note: 'n999', later: 'yes' },
    ]);
    expect(await readdir(join(engine.dataDir, 'binary-bodies'))).toEqual([]);
  });

  test.each([
    ['another type', [['id', 'UInt32']], 4],
    ['a column that the table does not have', [['other', 'UInt64']], 8],
    ['a row cut short', [['id', 'UInt64']], 7],
    ['bytes too many', [['id', 'UInt64']], 9],
  ] as const)(
    'RowBinary with %s is refused loudly, without a retry, and nothing of it is there',
    async (_, columns, bytes) => {
      await engine.client.command({
        query: 'CREATE OR REPLACE TABLE strict (id UInt64) ENGINE = MergeTree ORDER BY id',
      });
      const rows = { columns: new RowColumns(columns), length: 1, chunks: [{ bytes: Buffer.alloc(bytes), rows: 1 }] };
      const writer = createWarehouseWriter({
        client: engine.client,
        sleep: () => Promise.reject(new Error('no retry')),
      });
      await expect(writer.insertBlock('strict', rows, { token: 'events:0:7-8' })).rejects.toMatchObject({
        code: 'warehouse_insert_refused',
        message: expect.stringContaining('strict, block events:0:7-8'),
      });
      expect(await rowsOf(engine.client, 'SELECT count() AS rows FROM strict')).toEqual([{ rows: '0' }]);
    },
  );

  test('columns may be named, also by the words of SQL', async () => {
    await engine.client.command({
      query:
        'CREATE TABLE worded (`end` UInt8, `partition` UInt8, `offset` UInt8 DEFAULT 9) ENGINE = MergeTree ORDER BY `end`',
    });
    const writer = createWarehouseWriter({ client: engine.client });
    await writer.insertBlock('worded', ['[1,2]'], { token: 'w', columns: ['partition', 'end'] });
    expect(await rowsOf(engine.client, 'SELECT `partition`, `end`, `offset` FROM worded')).toEqual([
      { partition: 1, end: 2, offset: 9 },
    ]);
  });

  test.each([
    ['null where no null is', '["1","1",null]'],
    ['a number for text', '["1","1",5]'],
    ['text with half a surrogate pair', '["1","1","\\ud800"]'],
    ['a word for a number', '["x","1",""]'],
    ['too few values', '["1","1"]'],
    ['too many values', '["1","1","",""]'],
    ['a decimal too large', '["1","123456789012345678901234567890",""]'],
    ['no JSON', 'nonsense'],
  ])('a row with %s is refused loudly, without a retry', async (_, row) => {
    const writer = createWarehouseWriter({ client: engine.client, sleep: () => Promise.reject(new Error('no retry')) });
    await expect(
      writer.insertBlock('blocks', ['["1","0.000000001",""]', row], { token: 'events:0:7-8' }),
    ).rejects.toMatchObject({
      code: 'warehouse_insert_refused',
      message: expect.stringContaining('blocks, block events:0:7-8'),
    });
  });
});
