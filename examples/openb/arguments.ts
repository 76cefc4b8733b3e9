import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './time.ts';

/** The part of the pod list that is kept here: every pod that existed in this window, and so all of the window. */
export const INCLUDED_PART = {
  podsPath: fileURLToPath(new URL('data/openb_pod_list_days_116_126.csv', import.meta.url)),
  fromDay: 116,
  days: 10,
} as const;

export interface PartOptions {
  pods?: string;
  sample: number;
  fromDay?: number;
  days?: number;
}

/** The options that say which part of which pod list; a bad call ends the process with exit code 2. */
export function withPartOptions(command: Command): Command {
  return command
    .option('--pods <csv>', 'the pod list (default: days 116 to 126 of it, which are included)')
    .option('--sample <length>', 'length of a usage sample, e.g. 15m, 1h; at most 24h', parseLength, HOUR_MS)
    .option('--from-day <n>', 'first day, counted from the start of the trace', parseDay)
    .option('--days <n>', 'how many days (default: to the end)', parseDay)
    .showHelpAfterError()
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

/** What the options mean; `days` is absent where the pod list's end decides. */
export function toPart(options: PartOptions): { podsPath: string; fromDay: number; days?: number; sampleMs: number } {
  const included = options.pods === undefined;
  const days = options.days ?? (included && options.fromDay === undefined ? INCLUDED_PART.days : undefined);
  return {
    podsPath: options.pods ?? INCLUDED_PART.podsPath,
    fromDay: options.fromDay ?? (included ? INCLUDED_PART.fromDay : 0),
    ...(days === undefined ? {} : { days }),
    sampleMs: options.sample,
  };
}

function parseLength(value: string): number {
  const [, count, unit] = /^(\d{1,4})([mh])$/.exec(value) ?? [];
  const ms = Number(count) * (unit === 'h' ? HOUR_MS : MINUTE_MS);
  if (!(ms >= MINUTE_MS && ms <= DAY_MS)) throw new InvalidArgumentError('Give minutes or hours, 1m to 24h.');
  return ms;
}

function parseDay(value: string): number {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError('Give a whole number of days.');
  return Number(value);
}
