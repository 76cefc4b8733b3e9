import type { Command } from 'commander';
import { replayFile } from '../replay.ts';
import { progressOn } from '../terminal/progress.ts';
import { helpEnd } from './options.ts';
import type { World } from './world.ts';

/** X: `tollgate replay EVENTS --out DIR [--until T]`. Nothing on stdout; a progress bar where stderr is a terminal. */
export function addReplay(program: Command, world: World): void {
  program
    .command('replay')
    .summary('Rate a file of events by itself')
    .description('Rate a file of events by itself and write what follows from it: lines, ledger, commands, invoices')
    .argument('<events>', 'NDJSON, one event a line, in the order of the log')
    .requiredOption('--out <dir>', 'folder for the files; made if absent, files of a replay before are replaced')
    .option('--until <time>', 'go on to this time after the last event (RFC 3339, or milliseconds)')
    .addHelpText(
      'after',
      helpEnd([
        'tollgate replay events.ndjson --out result',
        'tollgate replay events.ndjson --out result --until 2026-06-04T00:00:00Z',
        'tollgate log dump | tollgate replay /dev/stdin --out result',
      ]),
    )
    .action(async (eventsPath: string, options: { out: string; until?: string }) => {
      const progress = progressOn(world.stderr, { label: 'replay', unit: 'MB' });
      try {
        await replayFile({
          eventsPath,
          outDir: options.out,
          progress: ({ read, total }) => progress.show(megabytes(read), total === 0 ? undefined : megabytes(total)),
          ...(options.until === undefined ? {} : { until: options.until }),
        });
      } finally {
        progress.stop();
      }
    });
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10;
}
