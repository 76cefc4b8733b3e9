import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_TIMES, type LogTime } from '../../platform/log/port.ts';
import { clusterDown, clusterStatus, clusterUp, DEFAULT_CLUSTER } from '../cluster/cluster.ts';
import { helpEnd, port, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

interface UpOptions {
  readonly data: string;
  readonly port?: number;
  readonly partitions?: number;
  readonly ingests?: number;
  readonly raters?: number;
  readonly enforcers?: number;
  readonly logTime?: LogTime;
}

/** `tollgate cluster`: the stack and the services on it, each a process of its own, on loopback. */
export function addCluster(program: Command, world: World): void {
  const cluster = program
    .command('cluster')
    .summary('Run a whole cluster on this machine')
    .description(
      'Run ingest, rater and enforcer as processes of their own, on the servers of a stack, on 127.0.0.1, without containers',
    )
    .addHelpText('after', helpEnd(['npm run cluster -- up', 'npm run cluster -- status', 'npm run cluster -- down']));
  const tell = (line: string): void => void world.stderr.write(`${line}\n`);
  const command = (name: string) =>
    cluster.command(name).option('--data <dir>', 'folder of the cluster: data, logs, keys, what runs', DEFAULT_CLUSTER);

  command('up')
    .description(
      'Start the cluster, or find it running; return once all of it is ready. A number of processes other than what runs restarts the services',
    )
    .option('--port <n>', 'port of the first HTTP door (default: that of the last time, or a free one)', port)
    .option('--partitions <n>', 'partitions of each topic; fixed by the first start (default: 8)', count)
    .option('--ingests <n>', 'processes that take events (default: as many as the last time, at first 1)', count)
    .option('--raters <n>', 'processes that rate (default: likewise)', count)
    .option('--enforcers <n>', 'processes that enforce (default: likewise)', count)
    .addOption(
      new Option(
        '--log-time <time>',
        'what time an event has: that of its append, or its own, without ticks (imports, tests); fixed by the first start (default: append)',
      ).choices(LOG_TIMES),
    )
    .addHelpText(
      'after',
      helpEnd(
        ['npm run cluster -- up', 'npm run cluster -- up --partitions 16 --raters 2 --port 8080'],
        ['1  it did not come up: something is missing, a port is taken, or a process failed; stderr says which'],
      ),
    )
    .action(async ({ data: dir, port: doorPort, ingests, raters, enforcers, partitions, logTime }: UpOptions) => {
      const processes = await clusterUp({
        ...{ dir, port: doorPort, ingests, raters, enforcers, partitions, logTime, tell },
      });
      const width = Math.max(...processes.map(({ service }) => service.length));
      await write(world.stdout, processes.map(({ service, url }) => `${service.padEnd(width)}  ${url}\n`).join(''));
      tell(
        `the cluster is up: \`npm run tollgate -- balance acme --data ${dir}\` asks it, logs are in ${dir}/services/logs ` +
          `and ${dir}/stack/logs, \`npm run cluster -- down --data ${dir}\` stops it and keeps the data`,
      );
    });

  command('down')
    .description('Stop the services, then the stack, and keep the data')
    .addHelpText('after', helpEnd(['npm run cluster -- down']))
    .action(async ({ data: dir }: { data: string }) => {
      tell((await clusterDown({ dir, tell })) ? 'the cluster is down' : `no cluster was started in ${dir}`);
    });

  command('status')
    .description('Print what there is of the cluster as JSON: service, pid, url, whether it runs')
    .addHelpText('after', helpEnd(['npm run cluster -- status | jq .']))
    .action(async ({ data: dir }: { data: string }) => {
      await write(world.stdout, `${JSON.stringify(clusterStatus(dir), undefined, 2)}\n`);
    });
}

const COUNT_MAX = 1000;

/** A whole number from 1. @throws InvalidArgumentError */
function count(text: string): number {
  const value = wholeNumber(text);
  if (value < 1 || value > COUNT_MAX) throw new InvalidArgumentError(`It must be a whole number, 1 to ${COUNT_MAX}.`);
  return value;
}
