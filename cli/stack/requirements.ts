import { spawnSync } from 'node:child_process';
import { StackError } from './errors.ts';
import { haveJars } from './jars.ts';

/** What the stack runs on: a program, how to see that it is there, and how it is installed. */
const REQUIREMENTS = [
  {
    ...{ what: 'Java 17 or later', command: 'java', args: ['-version'], installedBy: 'openjdk-17-jre-headless' },
    fits: (told: string) => Number(/version "(\d+)/.exec(told)?.[1]) >= 17,
  },
  {
    ...{ what: 'Maven (once, to fetch the jars)', command: 'mvn', args: ['--version'], installedBy: 'maven' },
    fits: (told: string) => /Apache Maven 3|Apache Maven 4/.test(told),
  },
  {
    ...{ what: 'redis-server 7 or later', command: 'redis-server', args: ['--version'], installedBy: 'redis-server' },
    fits: (told: string) => majorOf(told) >= 7,
  },
] as const;

/** What is missing here for the stack to run, with how to install it; undefined if nothing is. */
export function missingRequirements(): string | undefined {
  if (process.platform !== 'linux') return `Linux (this is ${process.platform})`;
  const missing = REQUIREMENTS.filter(({ command, args, fits }) => {
    if (command === 'mvn' && haveJars()) return false;
    const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 });
    return error !== undefined || !fits(`${stdout}\n${stderr}`);
  });
  if (missing.length === 0) return undefined;
  const packages = missing.map(({ installedBy }) => installedBy).join(' ');
  return `${missing.map(({ what }) => what).join(', ')}; on Debian and Ubuntu: apt-get install ${packages}`;
}

/** @throws StackError `stack_requirement_missing` */
export function requireRequirements(): void {
  const missing = missingRequirements();
  if (missing !== undefined) throw new StackError('stack_requirement_missing', missing);
}

/** `7` of `v=7.0.15`. */
function majorOf(told: string): number {
  return Number(/v=(\d+)\./.exec(told)?.[1]);
}
