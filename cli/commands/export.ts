import type { Command } from 'commander';
import { chosenPartition } from '../access/partition.ts';
import type { Where } from '../access/place.ts';
import { exportTo } from '../export/export.ts';
import { progressOn } from '../terminal/progress.ts';
import { lookInto } from './looking.ts';
import { helpEnd, partitionOption, placeOptions, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

interface ExportOptions extends Where {
  readonly out: string;
  readonly partition?: number;
  readonly to?: number;
}

/** `tollgate export --out DIR`: what the pipeline has made of the log, as the files of a replay. */
export function addExport(program: Command, world: World): void {
  const command = program
    .command('export')
    .summary('Write lines, ledger, commands, invoices as files')
    .description(
      'Write what was rated, charged and commanded as files: the same, byte for byte, as a replay of the log',
    )
    .requiredOption('--out <dir>', 'folder for the files; made if absent');
  placeOptions(command)
    .addOption(partitionOption())
    .option('--to <offset>', 'as of this end of the log (default: its present end)', wholeNumber)
    .addHelpText(
      'after',
      helpEnd([
        'tollgate export --out result            # prints the end of the log that it goes to, say 4711',
        'tollgate log dump --to 4711 > log.ndjson && tollgate replay log.ndjson --out again && diff -r result again',
        'tollgate export --out result --data .tollgate-cluster --partition 3',
      ]),
    )
    .action((options: ExportOptions) =>
      lookInto(options, world, async (access) => {
        const partition = chosenPartition(options.partition, access.partitions);
        const progress = progressOn(world.stderr, { label: 'export', unit: 'rows' });
        const show = (rows: number): void => progress.show(rows, undefined);
        const end = await exportTo(access, options.out, partition, options.to, show).finally(progress.stop);
        await write(world.stdout, `${end.offset}\n`);
      }),
    );
}
