import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DATA } from '../embedded/instance.ts';

/** The `--data` of every command that works on an instance. */
export function dataOption(what: string): Option {
  return new Option('--data <dir>', what).default(DEFAULT_DATA);
}

/** Adds the `--data` and `--cluster` of a command that looks into what runs or ran: what `placeOf` takes. */
export function placeOptions(
  command: Command,
  data = 'folder of the instance, running or stopped, or of a cluster',
): Command {
  return command
    .addOption(dataOption(data))
    .addOption(
      new Option('--cluster', 'the cluster that the environment names as for its services, not --data').conflicts(
        'data',
      ),
    );
}

/** Adds the `--url` and `--key` that `findDoor` takes, for a command that takes `placeOptions` too. */
export function urlOptions(command: Command): Command {
  return command
    .option('--url <url>', 'HTTP door (default: that of what runs on --data)')
    .option('--key <key>', 'API key (default: TOLLGATE_KEY, or the operator.key of --data)');
}

/** Adds the `--url`, `--key` and `--data` of a command that asks nothing but a door: what `findDoor` takes. */
export function doorOptions(command: Command): Command {
  return urlOptions(command).addOption(dataOption('folder of the running instance or cluster'));
}

/** The `--partition` of commands that read one partition: what `chosenPartition` takes. */
export function partitionOption(what = 'partition of the log; to be named where there are several'): Option {
  return new Option('--partition <n>', what).argParser(wholeNumber);
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
