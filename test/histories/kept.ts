import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'kept');

/** The names of the histories that are worth keeping, most of them because one once showed a fault. */
export function keptNames(): string[] {
  return readdirSync(folder).toSorted();
}

/** The lines of a kept history, as a file of events holds them; the last is blank. */
export function keptLines(name: string): string[] {
  return readFileSync(join(folder, name), 'utf8').split('\n');
}
