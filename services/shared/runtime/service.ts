import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { z } from 'zod';
import { jsonLogger } from './logger.ts';
import { type OperationsServer, startOperationsServer } from './operations-server.ts';
import { Releases } from './releases.ts';
import type { Tracer } from './tracing.ts';
import type { Tracing } from './tracing-otel.ts';
import { EnvironmentInvalid, type LOGGING, type OPERATIONS, readVariables, type ServiceName } from './variables.ts';

/** What every service reads. */
type CommonSettings = z.output<z.ZodObject<typeof LOGGING & typeof OPERATIONS>>;

export interface ServiceContext<Settings> {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Undefined where tracing is off. */
  readonly tracer: Tracer | undefined;
  /** Closed in reverse when the service stops. */
  readonly releases: Releases;
  /** Aborted when the service is to stop. */
  readonly stopping: AbortSignal;
  /** Ends the process with exit code 1, after a graceful stop; the first fault counts. */
  readonly onFailed: (fault: unknown) => void;
}

/** What a started service tells of itself. */
export interface Started {
  /** What keeps it from its work, in words; none: it is ready. */
  readonly notReady: () => readonly string[];
}

/** How long a graceful stop may take; what was acknowledged is safe in any case. */
const STOP_MS = 60_000;

/** A fault of native code must end the process: a handler would come back to the fault, for ever. */
const CRASHES = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] satisfies NodeJS.Signals[];

/**
 * Runs one service as this process: reads what the environment says, logs to stdout, serves `/livez`, `/readyz` and `/metrics`, and on
 * SIGTERM or SIGINT lets what is under way be finished. A service that does not come up, or that fails, ends with exit code 1:
 * whoever runs it starts it again.
 */
export async function runService<Settings extends CommonSettings>(
  name: ServiceName,
  variables: z.ZodType<Settings>,
  environment: NodeJS.ProcessEnv,
  start: (context: ServiceContext<Settings>) => Promise<Started>,
): Promise<void> {
  const settings = readSettings(name, variables, environment);
  if (settings === undefined) return;
  const { TOLLGATE_LOG_LEVEL: level } = settings;
  const destination = pino.destination({ dest: 1, sync: true });
  const logger = jsonLogger({ level, base: { service: name, pid: process.pid } }, destination);
  const metrics = new Registry();
  metrics.setDefaultLabels({ service: name });
  collectDefaultMetrics({ register: metrics });
  const releases = new Releases();
  const stopping = new AbortController();
  let failed = false;
  const grace = closeWithGrace(
    { delay: STOP_MS, logger: { error: (why) => logger.fatal({ err: why }, 'stopping failed') }, skip: CRASHES },
    async ({ err, signal }) => {
      if (err === undefined) logger.info({ signal }, 'stopping');
      else logger.fatal({ err }, 'stopping after a fault');
      stopping.abort();
      await releases.release();
      if (failed) throw new Error(`${name} had failed`);
    },
  );
  const onFailed = (fault: unknown): void => {
    if (failed) return;
    failed = true;
    logger.fatal({ err: fault }, 'the service has failed');
    grace.close();
  };
  let started: Started | undefined;
  try {
    const tracing = settings.TOLLGATE_TRACING ? await traceAs(name, environment) : undefined;
    if (tracing !== undefined) releases.add(() => tracing.stop());
    const operations = await openOperations(settings, metrics, () => started?.notReady() ?? ['starting']);
    releases.add(() => operations.close());
    logger.info({ url: operations.url }, 'operations');
    const { tracer } = tracing ?? { tracer: undefined };
    started = await start({ settings, logger, metrics, tracer, releases, stopping: stopping.signal, onFailed });
    logger.info('started');
  } catch (fault) {
    if (!stopping.signal.aborted) onFailed(fault);
  }
}

function readSettings<Settings>(
  name: ServiceName,
  variables: z.ZodType<Settings>,
  environment: NodeJS.ProcessEnv,
): Settings | undefined {
  try {
    return readVariables(variables, environment);
  } catch (fault) {
    if (!(fault instanceof EnvironmentInvalid)) throw fault;
    process.stderr.write(`tollgate ${name}: ${fault.message}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Loads tracing, which is a lot, only where it is wanted. */
async function traceAs(name: ServiceName, environment: NodeJS.ProcessEnv): Promise<Tracing> {
  const { openTracing } = await import('./tracing-otel.ts');
  return openTracing({ serviceName: environment.OTEL_SERVICE_NAME ?? `tollgate-${name}` });
}

function openOperations(
  settings: CommonSettings,
  metrics: Registry,
  notReady: () => readonly string[],
): Promise<OperationsServer> {
  const { TOLLGATE_OPERATIONS_HOST: host, TOLLGATE_OPERATIONS_PORT: port } = settings;
  return startOperationsServer({ host, port, metrics, notReady });
}
