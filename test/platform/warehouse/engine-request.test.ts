import { describe, expect, test } from 'vitest';
import {
  EngineRequestError,
  formatOf,
  insertOf,
  isStreamable,
  parseEngineRequest,
} from '../../../platform/warehouse/engine-request.ts';

const parse = (search: string, body = '', headers = {}, method = 'POST') =>
  parseEngineRequest(method, new URL(`http://engine/${search}`), headers, Buffer.from(body), 1000);

describe('engine requests', () => {
  test('SQL comes from the URL with rows in the body, or whole in the body', () => {
    const insert = parse('?query=INSERT+INTO+t+FORMAT+JSONEachRow', '{"a":1}');
    expect(insert.sql).toBe('INSERT INTO t FORMAT JSONEachRow');
    expect(insert.rows?.toString()).toBe('{"a":1}');
    const select = parse('', 'SELECT 1');
    expect([select.sql, select.rows]).toEqual(['SELECT 1', undefined]);
  });

  test('settings and parameters become one SET, values as literals', () => {
    const request = parse("?max_threads=1&param_a=it's\\&query_id=q&database=d`x&wait_end_of_query=1", 'SELECT 1');
    expect(request.preparation).toEqual([
      'USE `d\\`x`',
      "SET max_result_bytes = '1000', max_threads = '1', param_a = 'it\\'s\\\\'",
    ]);
    expect([request.queryId, request.waitsForEnd]).toEqual(['q', true]);
  });

  test('a GET may not write', () => {
    expect(parse('?query=SELECT+1', '', {}, 'GET').preparation).toEqual([
      "SET max_result_bytes = '1000', readonly = '2'",
    ]);
    expect(parse('?query=SELECT+1&readonly=0', '', {}, 'GET').preparation[0]).toContain("readonly = '2'");
  });

  test.each([
    ['a session', '?session_id=s', {}, ''],
    ['a role', '?role=admin', {}, ''],
    ['a name that is no setting', '?a%20b=1', {}, ''],
    ['a parameter with a dot', '?param_a.b=1', {}, ''],
    ['a multipart body', '', { 'content-type': 'multipart/form-data; boundary=x' }, ''],
  ])('%s is refused', (_, search, headers, body) => {
    expect(() => parse(search, body, headers)).toThrow(EngineRequestError);
  });

  test('SQL that is not UTF-8 is refused', () => {
    const url = new URL('http://engine/');
    expect(() => parseEngineRequest('POST', url, {}, Buffer.from([0x53, 0xff]), 1)).toThrow(/UTF-8/);
  });

  test.each([
    ['INSERT INTO t FORMAT JSONEachRow', { table: 't', columns: undefined, format: 'JSONEachRow' }],
    [
      ' insert into `d`.`t` (`end`, b)\nformat jsoncompacteachrow;',
      { table: 'd.t', columns: ['end', 'b'], format: 'JSONCompactEachRow' },
    ],
    ['INSERT INTO t SETTINGS a = 1 FORMAT JSONEachRow', undefined],
    ['INSERT INTO t FORMAT CSV', undefined],
    ['INSERT INTO `a b` FORMAT JSONEachRow', undefined],
    ['INSERT INTO t SELECT 1', undefined],
  ])('knows the plain insert: %s', (sql, statement) => {
    expect(insertOf(sql)).toEqual(statement);
  });

  test('streams reads of line formats only', () => {
    expect(formatOf('SELECT 1\nFORMAT JSONEachRow')).toBe('JSONEachRow');
    expect(formatOf("SELECT 'FORMAT x'")).toBeUndefined();
    expect(isStreamable(parse('', 'SELECT 1 FORMAT JSONEachRow'))).toBe(true);
    expect(isStreamable(parse('', 'SELECT 1 FORMAT JSON'))).toBe(false);
    expect(isStreamable(parse('', 'WITH 1 AS x INSERT INTO t SELECT x FORMAT JSONEachRow'))).toBe(false);
    expect(isStreamable(parse('?default_format=JSONEachRow', 'CREATE TABLE t (a Int8)'))).toBe(false);
  });
});
