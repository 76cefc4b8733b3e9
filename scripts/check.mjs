/**
 * `npm run check`: every static check, two at a time; prints what fails and exits 1 if anything did.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { isMain, ROOT, reportSetupError, setUp } from './setup.mjs';

/** Longest first, so that two at a time end together. */
const CHECKS = [
  { name: 'types', bin: 'typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'promises and switches', bin: 'eslint/bin/eslint.js', args: ['--max-warnings', '0', '.'] },
  {
    name: 'import walls',
    bin: 'dependency-cruiser/bin/dependency-cruise.mjs',
    args: ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', '.'],
  },
  { name: 'unused code and packages', bin: 'knip/bin/knip.js', args: ['--no-progress'] },
  { name: 'format and lint', bin: '@biomejs/biome/bin/biome', args: ['check', '--error-on-warnings', '.'] },
];
const AT_ONCE = 2;

/**
 * @returns {Promise<{ passed: number, failed: number }>} how many checks held
 */
export async function checkAll() {
  const waiting = [...CHECKS];
  const results = { passed: 0, failed: 0 };
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { code, output } = await runCheck(check);
      if (code === 0) results.passed += 1;
      else results.failed += 1;
      process.stdout.write(code === 0 ? `check holds: ${check.name}\n` : `check FAILS: ${check.name}\n${output}\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/**
 * @param {{ bin: string, args: string[] }} check
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function runCheck({ bin, args }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', bin), ...args], { cwd: ROOT });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

if (isMain(import.meta.url)) {
  try {
    await setUp();
    const { failed } = await checkAll();
    process.exitCode = failed === 0 ? 0 : 1;
  } catch (error) {
    reportSetupError(error);
  }
}
