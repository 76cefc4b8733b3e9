import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The command that runs a file of this program in a Node of its own, compiled or not as this one is.
 * @param file by its `.ts` name, as `new URL('./supervise.ts', import.meta.url)` in a source file
 */
export function nodeCommand(
  file: URL,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const isSource = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(isSource ? file : new URL(file.href.replace(/\.ts$/, '.js')));
  const loader = isSource ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
  return { command: process.execPath, args: [...loader, path, ...args] };
}
