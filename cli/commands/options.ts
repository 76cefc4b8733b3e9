import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DATA } from '../embedded/instance.ts';

/** The `--data` of every command that works on an instance. */
export function dataOption(what = 'folder of the instance, running or stopped'): Option {
  return new Option('--data <dir>', what).default(DEFAULT_DATA);
}

/** Adds the `--url`, `--key` and `--data` of a command that asks a door: what `findDoor` takes. */
export function doorOptions(command: Command, data = dataOption('folder of the running instance')): Command {
  return command
    .option('--url <url>', 'HTTP door (default: that of the instance that runs on --data)')
    .option('--key <key>', 'API key (default: TOLLGATE_KEY, or the operator.key of --data)')
    .addOption(data);
}

/** The `--partition` of commands that read one log; the embedded log has partition 0 only. */
export function partitionOption(): Option {
  return new Option('--partition <n>', 'partition of the log; embedded there is only 0')
    .default(0)
    .argParser(partition);
}

function partition(text: string): number {
  const value = wholeNumber(text);
  if (value !== 0) throw new InvalidArgumentError('An embedded instance has partition 0 only.');
  return value;
}

/** A whole number from 0. @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return value;
}

/** A TCP port, 0 for any free one. @throws InvalidArgumentError */
export function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('It must be a port, 0 to 65535.');
  return value;
}

/** A number above 0. @throws InvalidArgumentError */
export function positive(text: string): number {
  const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/**
 * What stands at the end of a command's help.
 * @param codes what exit code 1 means here, and any other
 */
export function helpEnd(
  examples: readonly string[],
  codes: readonly string[] = ['1  it failed; stderr says why'],
): string {
  const ends = [
    '0  it did what was asked',
    ...codes,
    '2  a bad call: arguments, options or a file that cannot be read',
  ];
  const lines = ['', 'Examples:', ...examples.map((example) => `  $ ${example}`), '', 'Exit codes:'];
  return [...lines, ...ends.map((code) => `  ${code}`)].join('\n');
}
