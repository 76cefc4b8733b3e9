import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { type PartOptions, toPart, withPartOptions } from './arguments.ts';
import { type Converted, convertFile } from './convert-file.ts';
import { TraceError } from './trace-csv.ts';

const program = withPartOptions(
  new Command('convert')
    .description("Converts the pod list of Alibaba's cluster-trace-gpu-v2023 into an event log for `tollgate replay`.")
    .requiredOption('--out <file>', 'where the log goes, NDJSON')
    .option('--no-reservations', 'buy no reservations: everything is on-demand'),
);
program.parse();
const options = program.opts<PartOptions & { out: string; reservations: boolean }>();

const bar = new SingleBar({
  format: 'converting [{bar}] {percentage}% | {events} events',
  stream: process.stderr,
  clearOnComplete: true,
  noTTYOutput: false,
});
bar.start(1000, 0, { events: 0 });
try {
  const converted = await convertFile({
    ...toPart(options),
    outPath: options.out,
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
