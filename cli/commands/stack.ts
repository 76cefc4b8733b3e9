import type { Command } from 'commander';
import { DEFAULT_STACK, SERVERS, type Server, stackDown, stackStatus, stackUp } from '../stack/stack.ts';
import { helpEnd, port } from './options.ts';
import { type World, write } from './world.ts';

type UpOptions = { readonly data: string } & { readonly [key in `${Server}Port`]?: number };

/** `tollgate stack`: the servers that a cluster needs, on loopback, without containers. */
export function addStack(program: Command, world: World): void {
  const stack = program
    .command('stack')
    .summary('Run the servers that a cluster needs, here')
    .description(
      'Run the servers that a cluster needs on 127.0.0.1, without containers: Kafka, a schema registry, Redis and the ClickHouse engine',
    )
    .addHelpText('after', helpEnd(['npm run stack -- up', 'npm run stack -- status', 'npm run stack -- down']));
  const tell = (line: string): void => void world.stderr.write(`${line}\n`);
  const command = (name: string) =>
    stack.command(name).option('--data <dir>', 'folder of the stack: data, logs, what runs', DEFAULT_STACK);

  const up = command('up')
    .description('Start the stack, or find it running; return once all of it takes requests')
    .addHelpText(
      'after',
      helpEnd(
        ['npm run stack -- up', 'npm run stack -- up --data /var/lib/tollgate-stack --kafka-port 9092'],
        ['1  it did not come up: something is missing, a port is taken, or a server failed; stderr says which'],
      ),
    )
    .action(async (options: UpOptions) => {
      const ports = portsOf(options);
      const servers = await stackUp({ dir: options.data, ports, tell });
      const width = Math.max(...servers.map(({ name }) => name.length));
      await write(world.stdout, servers.map(({ name, url }) => `${name.padEnd(width)}  ${url}\n`).join(''));
      const down = `npm run stack -- down${options.data === DEFAULT_STACK ? '' : ` --data ${options.data}`}`;
      tell(`the stack is up: logs are in ${options.data}/logs, \`${down}\` stops it and keeps the data`);
    });
  for (const server of SERVERS) {
    up.option(`--${server}-port <n>`, `port of ${server} (default: that of the last time, or a free one)`, port);
  }

  command('down')
    .description('Stop the stack and keep its data')
    .addHelpText('after', helpEnd(['npm run stack -- down']))
    .action(async ({ data }: { readonly data: string }) => {
      const was = await stackDown({ dir: data, tell });
      tell(was ? 'the stack is down; its data is kept' : `there is no stack in ${data}`);
    });

  command('status')
    .description('Print what runs, as a JSON array: name, pid, url, running, state, restarts, log')
    .addHelpText('after', helpEnd(['npm run --silent stack -- status']))
    .action(async ({ data }: { readonly data: string }) => {
      await write(world.stdout, `${JSON.stringify(stackStatus(data), undefined, 2)}\n`);
    });
}

/** Port 0 is any free one, as everywhere: as if it was not asked for. */
function portsOf(options: UpOptions): Partial<Record<Server, number>> {
  const asked = SERVERS.map((server) => [server, options[`${server}Port`]] as const);
  return Object.fromEntries(asked.filter(([, number]) => number !== undefined && number !== 0));
}
