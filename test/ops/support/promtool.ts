import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';

/** Prometheus's own checker; Debian has it in the package `prometheus`. */
const PROMTOOL = 'promtool';

/** Runs it. @returns its exit code, and all that it printed */
export function promtool(
  args: readonly string[],
  cwd: string,
): { readonly code: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { cwd, encoding: 'utf8' });
  return { code: status, said: `${stdout}${stderr}` };
}

/** A suite that needs promtool: in CI it must be there; elsewhere the suite is left out, and says so. */
export function describeWithPromtool(name: string, suite: () => void): void {
  const there = spawnSync(PROMTOOL, ['--version']).error === undefined;
  if (there || process.env.CI === 'true') describe(name, suite);
  else describe.skip(`${name} (needs promtool, of Debian's package prometheus)`, suite);
}
