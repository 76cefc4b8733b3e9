/**
 * `node scripts/exec.mjs cli/main.ts ARGS`: sets up what is missing, then runs the compiled form of a source file in
 * this very process, so that signals, exit codes and streams are the command's own.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, reportSetupError, setUp } from './setup.mjs';

const [, , source = 'cli/main.ts', ...args] = process.argv;

try {
  await setUp();
} catch (error) {
  reportSetupError(error);
}
if (process.exitCode === undefined) {
  const compiled = join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
  process.argv = [process.execPath, compiled, ...args];
  await import(pathToFileURL(compiled).href);
}
