import { mkdirSync, rmSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from 'chdb';
import type { InsertStatement } from './engine-request.ts';
import { quotedIdentifier, stringLiteral } from './sql.ts';

/** Binary bodies on their way into the engine, which takes none but from a file. */
export interface BinaryFiles {
  /** Keeps a body in a file for as long as it is used. */
  hold(body: Buffer, use: (file: string) => Promise<void>): Promise<void>;
}

const FOLDER = 'binary-bodies';

/** Opens the folder of bodies in a data directory that this process has open; what a predecessor left there is removed. */
export function openBinaryFiles(dataDir: string): BinaryFiles {
  const folder = join(dataDir, FOLDER);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let held = 0;
  return {
    async hold(body, use) {
      held += 1;
      const file = join(folder, `${held}`);
      try {
        await writeFile(file, body, { flag: 'wx', mode: 0o600 });
        await use(file);
      } finally {
        await unlink(file).catch(() => undefined); // the next start removes what cannot be removed now
      }
    },
  };
}

/**
 * Inserts a file of rows. The engine holds its header against the types of the table, as a server does with a body.
 * @throws ChdbQueryError with ClickHouse's code
 */
export async function insertBinary(session: Session, statement: InsertStatement, file: string): Promise<void> {
  const table = statement.table.split('.').map(quotedIdentifier).join('.');
  const described = await session.queryAsync(`DESCRIBE TABLE ${table}`, { format: 'JSONCompactEachRow' });
  const types = new Map<string, string>();
  for (const line of described.text().trimEnd().split('\n')) {
    const [name, type]: string[] = JSON.parse(line);
    if (name !== undefined && type !== undefined) types.set(name, type);
  }
  const columns = statement.columns ?? [...types.keys()];
  // a column that the table does not have is left to the INSERT, which refuses it by its name
  const structure = columns.map((name) => `${quotedIdentifier(name)} ${types.get(name) ?? 'String'}`).join(', ');
  const source = `file(${stringLiteral(file)}, ${stringLiteral(statement.format)}, ${stringLiteral(structure)})`;
  const names = columns.map(quotedIdentifier).join(', ');
  await session.queryAsync(`INSERT INTO ${table} (${names}) SELECT ${names} FROM ${source}`, { format: 'Null' });
}
