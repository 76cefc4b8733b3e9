import type { Command } from 'commander';
import { clusterWarehouse } from '../../services/shared/runtime/connect.ts';
import { openClusterReading } from '../access/cluster.ts';
import { chosenPartition } from '../access/partition.ts';
import { placeOf, type Where } from '../access/place.ts';
import { type Rebuilt, rebuildPartition } from '../cluster/rebuild.ts';
import { BadCall } from '../replay.ts';
import { progressOn } from '../terminal/progress.ts';
import { helpEnd, partitionOption, placeOptions } from './options.ts';
import { type World, write } from './world.ts';

interface RebuildCall extends Where {
  readonly partition?: number;
  readonly json?: boolean;
}

/** `tollgate warehouse rebuild`: all rows from the log, for a warehouse that has lost some. */
export function addWarehouseRebuild(warehouse: Command, world: World): void {
  const command = warehouse
    .command('rebuild')
    .summary('Make all rows anew from the log')
    .description(
      'Rate the log anew up to what was rated, and write every row again, for a warehouse that has lost some; rows that are ' +
        'there stay. Nothing is sent to anybody',
    )
    .option('--json', 'print what was done as JSON lines');
  placeOptions(command, 'folder of a cluster')
    .addOption(partitionOption('this partition only'))
    .addHelpText(
      'after',
      helpEnd([
        'tollgate warehouse rebuild --cluster',
        'tollgate warehouse rebuild --data .tollgate-cluster --partition 3',
      ]),
    )
    .action((call: RebuildCall) => run(call, world));
}

async function run(call: RebuildCall, world: World): Promise<void> {
  const place = placeOf(call, world.environment);
  if (place.kind === 'embedded') {
    throw new BadCall(
      `${place.name} is no cluster: the warehouse of an instance is rebuilt by restoring it from its log (docs/OPERATIONS.md)`,
    );
  }
  const reading = await openClusterReading(place.settings);
  const warehouse = clusterWarehouse(place.settings);
  try {
    const all = Array.from({ length: reading.partitions }, (_, partition) => partition);
    const wanted = call.partition === undefined ? all : [chosenPartition(call.partition, reading.partitions)];
    for (const partition of wanted) {
      const bar = progressOn(world.stderr, { label: `rebuild partition ${partition}`, unit: 'events' });
      const options = { reading, warehouse, partition, progress: bar.show, warn: bar.tell };
      const rebuilt = await rebuildPartition(options).finally(bar.stop);
      await write(world.stdout, call.json === true ? `${JSON.stringify(rebuilt)}\n` : textOf(rebuilt));
    }
  } finally {
    await warehouse.close();
    await reading.close();
  }
}

function textOf({ partition, to, rows, commands }: Rebuilt): string {
  return `partition ${partition}: rated ${to} events anew, wrote ${rows} rows and ${commands} commands\n`;
}
