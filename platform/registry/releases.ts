import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A version of a schema that has been released: a file `NNNN-name.avsc`, never changed again. */
export interface Release {
  readonly number: number;
  /** Which schema it is a version of. */
  readonly name: string;
  /** The Avro schema, JSON text. */
  readonly schema: string;
}

const FILE_NAME = /^(\d{4})-([a-z-]+)\.avsc$/;

/**
 * Reads the released schemas of a folder, in order. Registered in this order and by nobody else, they have the same ids in
 * every registry, also in one that is set up anew.
 * @throws Error for a gap, a second file of a number, a stray name, or an empty folder
 */
export async function readReleases(folder: string): Promise<readonly Release[]> {
  const files = (await readdir(folder)).sort();
  const releases: Release[] = [];
  for (const file of files) {
    const number = releases.length + 1;
    const match = FILE_NAME.exec(file);
    if (match === null || Number(match[1]) !== number) {
      throw new Error(`${file} in ${folder}, expected ${String(number).padStart(4, '0')}-name.avsc`);
    }
    releases.push({ number, name: match[2] ?? '', schema: await readFile(join(folder, file), 'utf8') });
  }
  if (releases.length === 0) throw new Error(`no .avsc file in ${folder}`);
  return releases;
}
