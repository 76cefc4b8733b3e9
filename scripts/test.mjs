/**
 * `npm test`: sets up, runs the static checks, then every test. With arguments (`npm test -- test/rater`) it leaves the
 * checks out and hands the arguments to vitest. The last line is always `N passed, N failed`, where a check counts as
 * one, and so does a test file that could not be loaded or an error outside any test.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAll } from './check.mjs';
import { ROOT, reportSetupError, setUp } from './setup.mjs';

const asked = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'tollgate-test-'));
try {
  await setUp();
  const checks = asked.length === 0 ? await checkAll() : { passed: 0, failed: 0 };
  const tests = await runTests(join(folder, 'report.json'));
  finish(checks.passed + tests.passed, checks.failed + tests.failed);
} catch (error) {
  finish(0, 1);
  reportSetupError(error);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} report where vitest writes its JSON
 * @returns {Promise<{ passed: number, failed: number }>}
 */
async function runTests(report) {
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...asked];
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const code = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args], { cwd: ROOT, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const { numPassedTests, numFailedTests, testResults } = readReport(report);
  const unloaded = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  tellSkipped(testResults);
  const failed = numFailedTests + unloaded.length;
  return { passed: numPassedTests, failed: code === 0 ? failed : Math.max(1, failed) };
}

/**
 * What this machine could not run is said aloud: a suite that is left out without a word looks like one that passed.
 *
 * @param {{ assertionResults: { status: string, fullName: string }[] }[]} files
 */
function tellSkipped(files) {
  const skipped = files.flatMap((file) => file.assertionResults.filter((test) => test.status === 'skipped'));
  if (skipped.length === 0) return;
  const names = skipped.map((test) => `  ${test.fullName}\n`);
  process.stdout.write(`NOT RUN, ${skipped.length} tests that were left out here:\n${names.join('')}`);
}

/**
 * @param {string} report
 * @returns {{ numPassedTests: number, numFailedTests: number,
 *   testResults: { status: string, assertionResults: { status: string, fullName: string }[] }[] }}
 */
function readReport(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    process.stderr.write(`tollgate: vitest left no report: ${error}\n`);
    return { numPassedTests: 0, numFailedTests: 1, testResults: [] };
  }
}

/**
 * @param {number} passed
 * @param {number} failed
 */
function finish(passed, failed) {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
