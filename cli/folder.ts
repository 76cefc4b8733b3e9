import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it that are missing; one that is there stays as it is, also if another process has made it
 * in the meantime. Node's own `recursive` never comes back from where the kernel says ENOENT of a folder whose parent is
 * there (`/proc`), so each is made by itself.
 * @param mode permissions of what is made, less the umask
 * @throws the fault of `mkdir`, which names the folder that could not be made
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (fault) {
    if (!isFolder(path)) throw fault;
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
