import type { Command } from 'commander';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { openReading } from '../embedded/access.ts';
import { recordsOf } from '../export/log-end.ts';
import { BadCall } from '../replay.ts';
import { dataOption, helpEnd, partitionOption, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

/** `tollgate log dump`: the log as NDJSON on stdout, which `replay` reads. */
export function addLog(program: Command, world: World): void {
  const log = program
    .command('log')
    .summary('Read the log of events: log dump')
    .description('Read the log of events')
    .addHelpText('after', helpEnd(['tollgate log dump > log.ndjson']));
  log
    .command('dump')
    .description('Write the log of events as NDJSON to stdout, as `tollgate replay` reads it')
    .addOption(dataOption())
    .addOption(partitionOption())
    .option('--to <offset>', 'end before this offset (default: the end of the log now)', wholeNumber)
    .addHelpText('after', helpEnd(['tollgate log dump > log.ndjson', 'tollgate log dump --to 4711 | head -n 3']))
    .action(async (options: { data: string; partition: number; to?: number }) => {
      const reading = await openReading(options.data);
      try {
        const end = await reading.log.endOffset(TOPICS.events, options.partition);
        if (options.to !== undefined && options.to > end) {
          throw new BadCall(`--to ${options.to}: the log of ${options.data} ends at ${end}`);
        }
        const range = { from: 0, to: options.to ?? end };
        for await (const records of recordsOf(reading.log, TOPICS.events, options.partition, range)) {
          let text = '';
          for (const { value, time } of records) text += `${eventLine(value.toString('utf8'), time)}\n`;
          await write(world.stdout, text);
        }
      } finally {
        await reading.close();
      }
    });
}
