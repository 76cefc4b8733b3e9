import { createServer } from 'node:net';
import closeWithGrace from 'close-with-grace';
import { type Command, Option } from 'commander';
import { type Logger, pino } from 'pino';
import { LOG_TIMES, type LogTime } from '../../platform/log/port.ts';
import { jsonLogger } from '../../services/shared/runtime/logger.ts';
import { Releases } from '../../services/shared/runtime/releases.ts';
import { openShow } from '../demo/demo.ts';
import { type Embedded, startEmbedded } from '../embedded/embedded.ts';
import { instancePaths } from '../embedded/instance.ts';
import { reportOf } from '../failure.ts';
import { dataOption, helpEnd, port } from './options.ts';
import { type World, write } from './world.ts';

interface StartOptions {
  readonly data: string;
  readonly port: number;
  readonly demo: boolean;
  readonly logTime: LogTime;
}

/** How long a stop may take before the process ends without it; what was acknowledged is safe in any case. */
const STOP_MS = 30_000;

/** `tollgate start`: everything in this process, on loopback, until it is told to stop. */
export function addStart(program: Command, world: World): void {
  program
    .command('start')
    .summary('Run the whole pipeline in one process')
    .description('Run the whole pipeline in one process: HTTP door, log, rater, ClickHouse engine, enforcer')
    .addOption(dataOption('folder of the instance; made if absent'))
    .option('--port <n>', 'port of the HTTP door on 127.0.0.1, 0 for any free one', port, 8080)
    .option('--no-demo', 'leave the demo fleet out')
    .addOption(
      new Option(
        '--log-time <time>',
        'what time an event has: that of its append, or its own, without ticks and demo (imports, tests)',
      )
        .choices(LOG_TIMES)
        .default('append'),
    )
    .addHelpText(
      'after',
      helpEnd(
        [
          'tollgate start --no-demo',
          'tollgate start --data /var/lib/tollgate --port 8080 --no-demo',
          'curl -H "authorization: Bearer $(cat .tollgate/operator.key)" http://127.0.0.1:8080/v1/accounts/acme',
        ],
        ['1  it could not start (port or folder in use, ...), or something made it stop'],
      ),
    )
    .action((options: StartOptions) => start(options, world));
}

async function start(options: StartOptions, world: World): Promise<void> {
  await requireFreePort(options.port);
  const paths = instancePaths(options.data);
  const demo = options.demo && options.logTime === 'append';
  const show = openShow({ paths, demo, output: world.stdout, now: world.now });
  const destination = show.destination ?? pino.destination({ dest: 2, sync: true });
  const logger = jsonLogger({ level: world.settings.logLevel, base: null }, destination);
  const releases = new Releases();
  const stopping = new AbortController();
  const grace = closeWithGrace(
    { delay: STOP_MS, logger: asConsole(logger), skip: CRASHES },
    async ({ err, signal }) => {
      if (err !== undefined) logger.fatal({ err }, 'stopping after a fault');
      else logger.info({ signal }, 'stopping');
      stopping.abort();
      await releases.release();
      if (failure !== undefined) throw failure.fault;
    },
  );
  let failure: { readonly fault: unknown } | undefined;
  const onFailed = (fault: unknown): void => {
    if (failure !== undefined) return;
    failure = { fault };
    logger.fatal({ err: fault }, 'a part of the pipeline has stopped');
    world.stderr.write(`tollgate: ${reportOf(fault).text}\n`);
    grace.close();
  };
  try {
    const prepared = show.prepare(logger, stopping.signal);
    releases.add(() => prepared.catch(() => undefined));
    await prepared;
    const embedded = await startEmbedded({
      ...{ dataDir: options.data, port: options.port, logTime: options.logTime },
      ...{ logger, now: world.now, onFailed },
    });
    releases.add(() => embedded.stop());
    const help = show.destination === undefined ? howToAsk(embedded, options) : '';
    await write(world.stdout, `ready ${embedded.url}\n${help}`);
    releases.add(show.begin(embedded, logger));
  } catch (fault) {
    if (stopping.signal.aborted && failure === undefined) return;
    grace.uninstall();
    throw fault;
  }
}

/** A fault of native code must end the process: a handler would come back to the fault, for ever. */
const CRASHES = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] satisfies NodeJS.Signals[];

/** Told before anything is opened: an import of the demo's history comes before the door. @throws a fault of `listen` */
async function requireFreePort(wanted: number): Promise<void> {
  if (wanted === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve()));
  });
}

function howToAsk({ url }: Embedded, { data }: StartOptions): string {
  const key = `-H "authorization: Bearer $(cat ${data}/operator.key)"`;
  return [`  curl ${key} ${url}/v1/orders`, `  curl ${url}/metrics`, ''].join('\n');
}

function asConsole(logger: Logger): { error(message?: unknown): void } {
  return {
    error: (message) => {
      if (message instanceof Error) logger.fatal({ err: message }, 'stopping failed');
      else logger.fatal(String(message));
    },
  };
}
