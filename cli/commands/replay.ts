import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { ReadProgress } from '../replay/lines.ts';
import { replayFile } from '../replay.ts';
import { helpEnd } from './options.ts';
import type { World } from './world.ts';

/** X: `tollgate replay EVENTS --out DIR [--until T]`. Nothing on stdout; a progress bar where stderr is a terminal. */
export function addReplay(program: Command, world: World): void {
  program
    .command('replay')
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
      const progress = progressBar(world);
      try {
        await replayFile({
          eventsPath,
          outDir: options.out,
          progress: progress.show,
          ...(options.until === undefined ? {} : { until: options.until }),
        });
      } finally {
        progress.stop();
      }
    });
}

function progressBar(world: World): { readonly show: (read: ReadProgress) => void; readonly stop: () => void } {
  if (world.stderr.isTTY !== true) return { show: () => undefined, stop: () => undefined };
  const format = 'replay {bar} {percentage}% | {value}/{total} MB | {eta_formatted} left';
  const bar = new SingleBar({ format, stream: world.stderr, hideCursor: true, clearOnComplete: true, fps: 5 });
  let started = false;
  return {
    show: ({ read, total }) => {
      if (!started) bar.start(megabytes(total), 0);
      started = true;
      bar.update(megabytes(read));
      // The replay is synchronous: the bar's own timer would never come to its turn.
      bar.render();
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10;
}
