import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { type Converted, convertFile } from './convert-file.ts';
import { HOUR_MS, MINUTE_MS } from './time.ts';
import { TraceError } from './trace-csv.ts';

/** The part of the pod list that is kept here, and the window that it covers completely. */
const INCLUDED = {
  path: fileURLToPath(new URL('data/openb_pod_list_days_116_126.csv', import.meta.url)),
  fromDay: 116,
  days: 10,
} as const;

const program = new Command('convert')
  .description("Converts the pod list of Alibaba's cluster-trace-gpu-v2023 into an event log for `tollgate replay`.")
  .requiredOption('--out <file>', 'where the log goes, NDJSON')
  .option('--pods <csv>', 'the pod list (default: days 116 to 126 of it, which are included)')
  .option('--sample <length>', 'length of a usage sample, e.g. 15m, 1h; at most 24h', parseLength, HOUR_MS)
  .option('--from-day <n>', 'first day, counted from the start of the trace', parseDay)
  .option('--days <n>', 'how many days (default: to the end)', parseDay)
  .option('--no-reservations', 'buy no reservations: everything is on-demand')
  .showHelpAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
program.parse();

const options = program.opts<{
  out: string;
  pods?: string;
  sample: number;
  fromDay?: number;
  days?: number;
  reservations: boolean;
}>();
const included = options.pods === undefined;
const days = options.days ?? (included && options.fromDay === undefined ? INCLUDED.days : undefined);

const bar = new SingleBar({
  format: 'converting [{bar}] {percentage}% | {events} events',
  stream: process.stderr,
  clearOnComplete: true,
  noTTYOutput: false,
});
bar.start(1000, 0, { events: 0 });
try {
  const converted = await convertFile({
    podsPath: options.pods ?? INCLUDED.path,
    outPath: options.out,
    sampleMs: options.sample,
    fromDay: options.fromDay ?? (included ? INCLUDED.fromDay : 0),
    ...(days === undefined ? {} : { days }),
    reservations: options.reservations,
    onProgress: (share, events) => bar.update(Math.round(share * 1000), { events }),
  });
  bar.stop();
  process.stdout.write(report(converted, options.out));
} catch (error) {
  bar.stop();
  if (!(error instanceof TraceError || (error instanceof Error && 'code' in error))) throw error;
  process.stderr.write(`convert: ${error.message}\n`);
  process.exitCode = 2;
}

function report(converted: Converted, out: string): string {
  const { leftOut } = converted;
  const types = [...converted.eventsByType].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `${out}: ${converted.events} events, ${converted.bytes} bytes`,
    `pods: ${converted.pods} became nodes, ${converted.roundedUp} of them rounded up to a whole GPU`,
    `left out: ${leftOut.noGpu} without a GPU, ${leftOut.neverScheduled} never scheduled, ${leftOut.outsideWindow} outside the window`,
    ...types.map(([type, count]) => `${String(count).padStart(9)} ${type}`),
    '',
  ].join('\n');
}

function parseLength(value: string): number {
  const [, count, unit] = /^(\d{1,4})([mh])$/.exec(value) ?? [];
  const ms = Number(count) * (unit === 'h' ? HOUR_MS : MINUTE_MS);
  if (!(ms >= MINUTE_MS && ms <= 24 * HOUR_MS)) throw new InvalidArgumentError('Give minutes or hours, 1m to 24h.');
  return ms;
}

function parseDay(value: string): number {
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError('Give a whole number of days.');
  return Number(value);
}
