import type { Command } from 'commander';
import { pino } from 'pino';
import { openAccess } from '../embedded/access.ts';
import { exportTo } from '../export/export.ts';
import { progressOn } from '../terminal/progress.ts';
import { dataOption, helpEnd, partitionOption, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

/** `tollgate export --out DIR`: what the pipeline has made of the log, as the files of a replay. */
export function addExport(program: Command, world: World): void {
  program
    .command('export')
    .summary('Write lines, ledger, commands, invoices as files')
    .description(
      'Write what was rated, charged and commanded as files: the same, byte for byte, as a replay of the log',
    )
    .requiredOption('--out <dir>', 'folder for the files; made if absent')
    .addOption(dataOption())
    .addOption(partitionOption())
    .option('--to <offset>', 'as of this end of the log (default: its present end)', wholeNumber)
    .addHelpText(
      'after',
      helpEnd([
        'tollgate export --out result            # prints the end of the log that it goes to, say 4711',
        'tollgate log dump --to 4711 > log.ndjson && tollgate replay log.ndjson --out again && diff -r result again',
      ]),
    )
    .action(async (options: { out: string; data: string; partition: number; to?: number }) => {
      const logger = pino({ level: 'silent' });
      const progress = progressOn(world.stderr, { label: 'export', unit: 'rows' });
      const access = await openAccess({ dataDir: options.data, now: world.now, logger });
      try {
        const end = await exportTo(access, options.out, options.partition, options.to, (rows) => {
          progress.show(rows, undefined);
        });
        progress.stop();
        await write(world.stdout, `${end.offset}\n`);
      } finally {
        progress.stop();
        await access.close();
      }
    });
}
