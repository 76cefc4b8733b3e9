import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the judge keeps what belongs to one partition: the folders of its export and of the replay, its log as a file. */
export function placesIn(
  out: string,
  partition: number,
): { readonly exported: string; readonly replayed: string; readonly log: string } {
  mkdirSync(out, { recursive: true });
  const place = (name: string): string => join(out, `${name}-${partition}`);
  return { exported: place('exported'), replayed: place('replayed'), log: `${place('log')}.ndjson` };
}
