import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WarehouseClient } from './client.ts';
import { WarehouseError } from './errors.ts';
import { replicatedStatement } from './replicated.ts';
import { splitStatements } from './sql.ts';

/** One file `NNNN-name.sql`: one or more statements, each of which must be harmless when run again (IF NOT EXISTS). */
export type Migration = {
  readonly version: number;
  readonly name: string;
  /** sha256 of the file's bytes, hex. */
  readonly checksum: string;
  readonly statements: readonly string[];
};

const FILE_NAME = /^(\d{4})-([a-z0-9-]+)\.sql$/;

/**
 * Reads the migrations of a directory, in order.
 * @throws WarehouseError `warehouse_migration_invalid` for a gap, a second file of a number, a stray name, no statement
 */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
  const migrations: Migration[] = [];
  for (const file of files) {
    const match = FILE_NAME.exec(file);
    const version = migrations.length + 1;
    if (match === null || Number(match[1]) !== version) {
      throw new WarehouseError(
        'warehouse_migration_invalid',
        `${file} in ${directory}, expected ${String(version).padStart(4, '0')}-name.sql`,
      );
    }
    const bytes = await readFile(join(directory, file));
    const statements = splitStatements(bytes.toString('utf8'));
    if (statements.length === 0) throw new WarehouseError('warehouse_migration_invalid', `${file} has no statement`);
    const checksum = createHash('sha256').update(bytes).digest('hex');
    migrations.push({ version, name: file.slice(0, -'.sql'.length), checksum, statements });
  }
  if (migrations.length === 0) throw new WarehouseError('warehouse_migration_invalid', `no .sql file in ${directory}`);
  return migrations;
}

const HISTORY_TABLE = `
CREATE TABLE IF NOT EXISTS schema_migrations
(
  version UInt32,
  name String,
  checksum String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

type Applied = { readonly version: number; readonly name: string; readonly checksum: string };

export interface MigrateOptions {
  /** The name of a ClickHouse cluster: tables are made on all its servers, replicated. Without it on the one that is asked. */
  readonly cluster?: string;
}

/**
 * Applies what is missing, in order, and returns the names of what it applied. A migration is recorded after its last
 * statement, so one that a crash cut is run again from its start.
 * @throws WarehouseError `warehouse_migration_changed`, `warehouse_schema_newer` before anything is changed
 */
export async function migrate(
  client: WarehouseClient,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<readonly string[]> {
  const { cluster } = options;
  const run = (statement: string) =>
    client.command({ query: cluster === undefined ? statement : replicatedStatement(statement.trim(), cluster) });
  await run(HISTORY_TABLE);
  const result = await client.query({
    query: 'SELECT version, name, checksum FROM schema_migrations FINAL ORDER BY version',
    format: 'JSONEachRow',
  });
  const applied = await result.json<Applied>();
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const row of applied) {
    const migration = known.get(row.version);
    if (migration === undefined) throw new WarehouseError('warehouse_schema_newer', row.name);
    if (migration.checksum !== row.checksum) {
      throw new WarehouseError(
        'warehouse_migration_changed',
        `${migration.name}: applied with ${row.checksum}, now ${migration.checksum}`,
      );
    }
  }
  const done = new Set(applied.map((row) => row.version));
  const names: string[] = [];
  for (const migration of migrations) {
    if (done.has(migration.version)) continue;
    for (const statement of migration.statements) await run(statement);
    const { version, name, checksum } = migration;
    await client.insert({
      table: 'schema_migrations',
      values: [{ version, name, checksum }],
      columns: ['version', 'name', 'checksum'],
      format: 'JSONEachRow',
    });
    names.push(name);
  }
  return names;
}
