import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMigrations } from '../../../platform/warehouse/migrations.ts';
import { replicatedStatement } from '../../../platform/warehouse/replicated.ts';
import { splitStatements } from '../../../platform/warehouse/sql.ts';
import { MIGRATIONS, startTestEngine, type TestEngine } from './fixture.ts';

const ACCESS = new URL('../../../ops/clickhouse/access.sql', import.meta.url);

/** No cluster of ClickHouse servers runs here: what is for one is parsed by the engine, which has the same parser. */
describe('SQL for a ClickHouse cluster', () => {
  let fixture: TestEngine;
  beforeAll(async () => {
    fixture = await startTestEngine();
  });
  afterAll(() => fixture.close());

  const parsed = async (statement: string): Promise<string> => {
    const result = await fixture.client.query({ query: `EXPLAIN AST ${statement}`, format: 'TabSeparatedRaw' });
    return result.text();
  };

  test('a broken statement is refused, so that the others are known to be parsed', async () => {
    await expect(parsed('CREATE TABLE t (a Strin) ENGINE Replicated(')).rejects.toThrow();
    await expect(parsed('CREATE ROW POLICY p ON t FOR SELECT USIN 1')).rejects.toThrow();
  });

  test('every table of the migrations is replicated, under a path of its own, on the cluster', async () => {
    const statements = (await readMigrations(MIGRATIONS)).flatMap((migration) => migration.statements);
    const tables = statements.filter((statement) => statement.startsWith('CREATE TABLE'));
    expect(tables.length).toBeGreaterThan(7);
    for (const statement of tables) {
      const replicated = replicatedStatement(statement, 'main');
      expect(replicated).toMatch(/^CREATE TABLE IF NOT EXISTS \w+ ON CLUSTER `main`/);
      expect(replicated).toContain(
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')",
      );
      expect(await parsed(replicated)).toContain('ReplicatedReplacingMergeTree');
    }
  });

  test('a setting of a table is changed on each server of the cluster', async () => {
    const statements = (await readMigrations(MIGRATIONS)).flatMap((migration) => migration.statements);
    const changes = statements.filter((one) => one.startsWith('ALTER TABLE'));
    expect(changes.length).toBeGreaterThan(2);
    for (const statement of changes) {
      const replicated = replicatedStatement(statement, 'main');
      expect(replicated).toMatch(/^ALTER TABLE \w+ ON CLUSTER `main` MODIFY SETTING/);
      await parsed(replicated);
    }
  });

  test('every view stands on each server of the cluster', async () => {
    const statements = (await readMigrations(MIGRATIONS)).flatMap((migration) => migration.statements);
    for (const statement of statements.filter((one) => one.startsWith('CREATE VIEW'))) {
      const replicated = replicatedStatement(statement, 'main');
      expect(replicated).toMatch(/^CREATE VIEW IF NOT EXISTS \w+ ON CLUSTER `main`/);
      await parsed(replicated);
    }
  });

  test('roles, grants, row policies and users are such as ClickHouse reads', async () => {
    const statements = splitStatements(readFileSync(ACCESS, 'utf8'));
    expect(statements.length).toBeGreaterThan(25);
    for (const statement of statements) await parsed(statement);
  });

  test('finance may read every view, and nothing is granted on one that is not there', async () => {
    const views = (await readMigrations(MIGRATIONS))
      .flatMap((migration) => migration.statements)
      .flatMap((statement) => /^CREATE VIEW IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? []);
    const granted = [...readFileSync(ACCESS, 'utf8').matchAll(/ON tollgate\.(v_\w+) TO tollgate_finance/g)];
    expect(granted.map((match) => match[1]).sort()).toEqual([...views].sort());
  });
});
