import { describe, expect, test } from 'vitest';
import { leadingKeyword, quotedIdentifier, splitStatements, stringLiteral } from '../../../platform/warehouse/sql.ts';

describe('warehouse SQL text', () => {
  test.each([
    ['two statements', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['no statement at all', ' ;; -- none\n /* none; */', []],
    ['a semicolon in a string', "SELECT ';'; SELECT 'it''s;', 'a\\';'", ["SELECT ';'", "SELECT 'it''s;', 'a\\';'"]],
    ['a semicolon in an identifier', 'SELECT `a;b`, "c;d"', ['SELECT `a;b`, "c;d"']],
    ['a semicolon in a comment', 'SELECT 1 -- one;\n, 2 /* two; */ + 3', ['SELECT 1 \n, 2  + 3']],
    ['comment marks in a string', "SELECT '-- no', '/* no'", ["SELECT '-- no', '/* no'"]],
    ['quotes in a comment', "-- it's\nSELECT 1; /* ' */ SELECT 2", ['SELECT 1', 'SELECT 2']],
  ])('splits a script with %s', (_, script, statements) => {
    expect(splitStatements(script)).toEqual(statements);
  });

  test('literals and identifiers cannot be left', () => {
    expect(stringLiteral("a' OR \\' 1")).toBe("'a\\' OR \\\\\\' 1'");
    expect(quotedIdentifier('a`b\\')).toBe('`a\\`b\\\\`');
  });

  test.each([
    ['  select 1', 'SELECT'],
    ['-- note\n/* more */ (WITH x AS (SELECT 1) SELECT 1)', 'WITH'],
    ['INSERT INTO t', 'INSERT'],
    ['-- only a note', ''],
    ['', ''],
  ])('finds the first word of %j', (sql, keyword) => {
    expect(leadingKeyword(sql)).toBe(keyword);
  });
});
