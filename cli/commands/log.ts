import type { Command } from 'commander';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { openReading } from '../access/access.ts';
import { chosenPartition } from '../access/partition.ts';
import { placeOf, type Where } from '../access/place.ts';
import { textsOf } from '../access/records.ts';
import { BadCall } from '../replay.ts';
import { helpEnd, partitionOption, placeOptions, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

/** `tollgate log dump`: the log as NDJSON on stdout, which `replay` reads. */
export function addLog(program: Command, world: World): void {
  const log = program
    .command('log')
    .summary('Read the log of events: log dump')
    .description('Read the log of events')
    .addHelpText('after', helpEnd(['tollgate log dump > log.ndjson']));
  const command = log
    .command('dump')
    .description('Write the log of events as NDJSON to stdout, as `tollgate replay` reads it');
  placeOptions(command)
    .addOption(partitionOption())
    .option('--to <offset>', 'end before this offset (default: the end of the log now)', wholeNumber)
    .addHelpText('after', helpEnd(['tollgate log dump > log.ndjson', 'tollgate log dump --to 4711 | head -n 3']))
    .action((options: DumpOptions) => dump(options, world));
}

interface DumpOptions extends Where {
  readonly partition?: number;
  readonly to?: number;
}

async function dump(options: DumpOptions, world: World): Promise<void> {
  const place = placeOf(options, world.environment);
  const reading = await openReading(place);
  try {
    const partition = chosenPartition(options.partition, reading.partitions);
    const end = await reading.log.endOffset(TOPICS.events, partition);
    const { to = end } = options;
    if (to > end) throw new BadCall(`--to ${to}: the log of ${place.name} ends at ${end}`);
    for await (const records of textsOf(reading, TOPICS.events, partition, { from: 0, to })) {
      await write(world.stdout, records.map(({ text, time }) => `${eventLine(text, time)}\n`).join(''));
    }
  } finally {
    await reading.close();
  }
}
