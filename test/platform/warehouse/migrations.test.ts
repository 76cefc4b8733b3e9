import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate, readMigrations } from '../../../platform/warehouse/migrations.ts';
import { MIGRATIONS, rowsOf, startTestEngine, type TestEngine, temporaryDirectory } from './fixture.ts';

let engine: TestEngine;
let directory: string;
beforeAll(async () => {
  engine = await startTestEngine();
  directory = await temporaryDirectory();
  await cp(MIGRATIONS, directory, { recursive: true });
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

describe('migrations', () => {
  test('are applied once, in order, and recorded with their checksums', async () => {
    const migrations = await readMigrations(directory);
    const names = migrations.map((migration) => migration.name);
    expect(await migrate(engine.client, migrations)).toEqual(names);
    expect(await migrate(engine.client, migrations)).toEqual([]);
    const recorded = await rowsOf(
      engine.client,
      'SELECT version, name, checksum FROM schema_migrations FINAL ORDER BY version',
    );
    expect(recorded).toEqual(migrations.map(({ version, name, checksum }) => ({ version, name, checksum })));
  });

  test('one that a crash cut is run again from its start', async () => {
    const migrations = await readMigrations(directory);
    const last = migrations.length;
    await engine.client.command({
      query: `ALTER TABLE schema_migrations DELETE WHERE version = ${last} SETTINGS mutations_sync = 1`,
    });
    expect(await migrate(engine.client, migrations)).toEqual([migrations.at(-1)?.name]);
  });

  test('a new one is applied after the others, with several statements', async () => {
    const next = String((await readMigrations(directory)).length + 1).padStart(4, '0');
    const sql =
      "-- two; of them\nCREATE TABLE IF NOT EXISTS one (a String DEFAULT ';') ENGINE = Memory;\nINSERT INTO one VALUES ('x;y');\n";
    await writeFile(join(directory, `${next}-one.sql`), sql);
    expect(await migrate(engine.client, await readMigrations(directory))).toEqual([`${next}-one`]);
    expect(await rowsOf(engine.client, 'SELECT a FROM one')).toEqual([{ a: 'x;y' }]);
  });

  test('an applied one that has changed is refused before anything is applied', async () => {
    const [file] = (await readdir(directory)).sort();
    const path = join(directory, file ?? '');
    const text = await readFile(path, 'utf8');
    await writeFile(path, `${text}\n`);
    const late = `${String((await readMigrations(directory)).length + 1).padStart(4, '0')}-late.sql`;
    await writeFile(join(directory, late), 'CREATE TABLE late (a Int8) ENGINE = Memory;');
    const changed = await readMigrations(directory);
    await expect(migrate(engine.client, changed)).rejects.toMatchObject({
      code: 'warehouse_migration_changed',
      message: expect.stringContaining('0001-rated-lines'),
    });
    expect(await rowsOf(engine.client, "SELECT name FROM system.tables WHERE name = 'late'")).toEqual([]);
    await writeFile(path, text);
    await rm(join(directory, late));
  });

  test('a warehouse that knows more than this version is refused', async () => {
    const fewer = (await readMigrations(directory)).slice(0, -1);
    await expect(migrate(engine.client, fewer)).rejects.toMatchObject({ code: 'warehouse_schema_newer' });
  });

  test.each([
    ['a gap', ['0001-a.sql', '0003-b.sql'], 'SELECT 1'],
    ['a number twice', ['0001-a.sql', '0001-b.sql'], 'SELECT 1'],
    ['a stray name', ['0001-a.sql', '2-B.sql'], 'SELECT 1'],
    ['no statement', ['0001-a.sql'], '-- nothing;\n'],
    ['no file', [], ''],
  ])('%s is refused', async (_, files, sql) => {
    const bad = await temporaryDirectory();
    for (const file of files) await writeFile(join(bad, file), sql);
    await expect(readMigrations(bad)).rejects.toMatchObject({ code: 'warehouse_migration_invalid' });
    await rm(bad, { recursive: true });
  });
});
