import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { z } from 'zod';
import type { ClusterFile } from '../../../cli/cluster/cluster.ts';
import { prepareCluster } from '../../../cli/cluster/prepare.ts';
import { instanceKeys, instancePaths, operatorKey } from '../../../cli/embedded/instance.ts';
import { fetchJars } from '../../../cli/stack/jars.ts';
import { prepareKafka } from '../../../cli/stack/kafka.ts';
import type { PlannedProcess } from '../../../cli/stack/plan.ts';
import { freePorts } from '../../../cli/stack/ports.ts';
import { gone, type ProcessIdentity, signal } from '../../../cli/stack/process-identity.ts';
import { prepareRedis } from '../../../cli/stack/redis.ts';
import { prepareRegistry } from '../../../cli/stack/registry.ts';
import { readJsonFile, writeJsonFile } from '../../../cli/stack/status.ts';
import type { LogTime } from '../../../platform/log/port.ts';
import {
  CLUSTER_VARIABLES,
  type ClusterSettings,
  readVariables,
  type ServiceName,
} from '../../../services/shared/runtime/variables.ts';
import { type RealProcess, realProcess } from './real-process.ts';

export type ServerName = 'kafka' | 'registry' | 'redis' | 'clickhouse';

export interface TestClusterOptions {
  /**
   * Data, keys and logs. A cluster that was stopped or killed there goes on, on other ports. Default: a new one below the
   * system's temporary folder, which `stop` removes.
   */
  readonly folder?: string;
  /** Of every topic; fixed by the first start in a folder, as the time of the log is. */
  readonly partitions: number;
  readonly logTime: LogTime;
  /** How many processes of each service; default 1. */
  readonly services?: Partial<Readonly<Record<ServiceName, number>>>;
  /** Variables of services/shared/runtime/variables.ts that all services get beside those of the servers. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The address by which services reach ClickHouse, given its own: for who stands in between. */
  readonly warehouseUrl?: (url: string) => Promise<string>;
  readonly tell?: (line: string) => void;
}

/** A process of the cluster: a server, or a service at work on the servers. */
export type ClusterServer = RealProcess & { readonly dataDir: string };
export type ClusterService = RealProcess & { readonly service: ServiceName };

/**
 * A whole cluster of real processes on loopback: Kafka, schema registry, Redis, the ClickHouse engine, and the services on
 * them. Each can be killed, paused and started again by itself, and is started again when it ends by itself.
 */
export interface TestCluster {
  readonly folder: string;
  /** Folder of `NAME.log` of each process. */
  readonly logs: string;
  /** How commands and clients reach the servers; `folder` is also what `tollgate ... --data` takes. */
  readonly settings: ClusterSettings;
  readonly operatorKey: string;
  readonly servers: Readonly<Record<ServerName, ClusterServer>>;
  /** In the order in which they were added. `url` of an ingest is its HTTP door. */
  readonly services: readonly ClusterService[];
  /** A further process of a service; resolves once it is ready. */
  add(service: ServiceName): Promise<ClusterService>;
  /** Stops it in order and forgets it. */
  remove(service: ClusterService): Promise<void>;
  /** Ends all, services first, and removes the folder if it was its own. May be called more than once. */
  stop(): Promise<void>;
}

/** Starts the servers, prepares topics, schemas and tables, then starts the services. Resolves once all are ready. */
export async function startCluster(options: TestClusterOptions): Promise<TestCluster> {
  const { partitions, logTime, tell = () => undefined } = options;
  const own = options.folder === undefined;
  const folder = resolve(options.folder ?? mkdtempSync(join(tmpdir(), 'tollgate-cluster-')));
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const spawned = await spawnedIn(folder);
  const program = await loadProgram();
  tell(`services run ${program.compiled ? 'compiled' : 'from their sources'}`);
  const launch = (planned: PlannedProcess): RealProcess =>
    realProcess(planned, { logFile: join(logs, `${planned.name}.log`), onSpawned: spawned.note });

  const servers = await planServers(join(folder, 'servers'), program, launch);
  const services: ClusterService[] = [];
  const endAll = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    if (own) await rm(folder, { recursive: true, force: true });
  };
  try {
    tell('starting the servers ...');
    await Promise.all(Object.values(servers).map((server) => server.start()));
    const environment = environmentOf(servers);
    const settings = readVariables(CLUSTER_VARIABLES, environment);
    tell('topics, schemas and tables ...');
    await prepareCluster(settings, { partitions, logTime, replicationFactor: 1 }, pino({ level: 'silent' }));
    const paths = instancePaths(folder);
    instanceKeys(paths);
    const ofServices = {
      ...environment,
      TOLLGATE_CLICKHOUSE_URL: (await options.warehouseUrl?.(servers.clickhouse.url)) ?? servers.clickhouse.url,
      TOLLGATE_KEYS_FILE: paths.keys,
      ...options.environment,
    };
    const counts: Record<ServiceName, number> = { ingest: 0, rater: 0, enforcer: 0 };
    const place = async (service: ServiceName): Promise<ClusterService> => {
      counts[service] += 1;
      const [operationsPort = 0, doorPort = 0] = await freePorts(2);
      const planned = program.plannedService({
        ...{ service, name: `${service}-${counts[service]}`, environment: ofServices, operationsPort, restart: true },
        ...(service === 'ingest' ? { doorPort } : {}),
      });
      const placed = withFields(launch(planned), { service });
      services.push(placed);
      return placed;
    };
    tell('starting the services ...');
    for (const service of ['rater', 'enforcer', 'ingest'] as const) {
      for (let left = options.services?.[service] ?? 1; left > 0; left -= 1) await place(service);
    }
    await Promise.all(services.map((service) => service.start()));
    const door = services.find(({ service }) => service === 'ingest')?.url ?? '';
    writeJsonFile(join(folder, 'cluster.json'), { environment, door } satisfies ClusterFile);
    return {
      ...{ folder, logs, settings, operatorKey: operatorKey(paths), servers, services },
      async add(service) {
        const placed = await place(service);
        await placed.start();
        return placed;
      },
      async remove(service) {
        await service.stop();
        const at = services.indexOf(service);
        if (at !== -1) services.splice(at, 1);
      },
      stop: endAll,
    };
  } catch (fault) {
    await endAll().catch(() => undefined);
    throw fault;
  }
}

async function planServers(
  folder: string,
  program: Program,
  launch: (planned: PlannedProcess) => RealProcess,
): Promise<TestCluster['servers']> {
  const jars = await fetchJars((line) => process.stderr.write(`tollgate: ${line}\n`));
  const [kafka = 0, controllerPort = 0, registry = 0, redis = 0, clickhouse = 0] = await freePorts(5);
  const server = async (
    name: ServerName,
    port: number,
    prepare: (at: { readonly dataDir: string; readonly port: number }) => Promise<PlannedProcess>,
  ): Promise<ClusterServer> => {
    const dataDir = join(folder, name);
    await mkdir(dataDir, { recursive: true });
    return withFields(launch(await prepare({ dataDir, port })), { dataDir });
  };
  return {
    kafka: await server('kafka', kafka, (at) => prepareKafka({ ...at, controllerPort, jars, shortLived: true })),
    registry: await server('registry', registry, (at) => prepareRegistry({ ...at, jars })),
    redis: await server('redis', redis, prepareRedis),
    clickhouse: await server('clickhouse', clickhouse, program.prepareClickHouse),
  };
}

function environmentOf({ kafka, registry, redis, clickhouse }: TestCluster['servers']): Record<string, string> {
  return {
    TOLLGATE_KAFKA_BROKERS: kafka.url,
    TOLLGATE_REGISTRY_URL: registry.url,
    TOLLGATE_REDIS_NODES: redis.url.replace('redis://', ''),
    TOLLGATE_CLICKHOUSE_URL: clickhouse.url,
  };
}

/** What starts a Node of our own: it starts compiled files if it is one. */
type Program = Pick<typeof import('../../../cli/cluster/services.ts'), 'plannedService'> &
  Pick<typeof import('../../../cli/stack/clickhouse.ts'), 'prepareClickHouse'> & { readonly compiled: boolean };

const ROOT = new URL('../../../', import.meta.url);
const SOURCES = ['cli', 'platform', 'schemas', 'services'];

/** Compiled files start in half the time, if they are those of the sources. */
async function loadProgram(): Promise<Program> {
  const compiled = isCompiled();
  const moduleOf = (path: string): string => new URL(compiled ? `dist/${path}.js` : `${path}.ts`, ROOT).href;
  const services: Pick<Program, 'plannedService'> = await import(moduleOf('cli/cluster/services'));
  const clickhouse: Pick<Program, 'prepareClickHouse'> = await import(moduleOf('cli/stack/clickhouse'));
  const { plannedService } = services;
  const { prepareClickHouse } = clickhouse;
  return { plannedService, prepareClickHouse, compiled };
}

function isCompiled(): boolean {
  const stamp = statSync(new URL('dist/.sources', ROOT), { throwIfNoEntry: false });
  if (stamp === undefined) return false;
  return SOURCES.every((folder) =>
    readdirSync(new URL(folder, ROOT), { recursive: true, withFileTypes: true }).every(
      (entry) => !entry.isFile() || statSync(join(entry.parentPath, entry.name)).mtimeMs <= stamp.mtimeMs,
    ),
  );
}

const spawnedFile = z.record(z.string(), z.object({ pid: z.int(), startedAtTicks: z.int() }));
const GONE_MS = 20_000;

/** Ends what a test that was killed has left running in a folder, and keeps account of what is spawned from now on. */
async function spawnedIn(
  folder: string,
): Promise<{ readonly note: (name: string, identity: ProcessIdentity) => void }> {
  const file = join(folder, 'spawned.json');
  const before = readJsonFile(file, spawnedFile) ?? {};
  for (const identity of Object.values(before)) signal(identity, 'SIGKILL');
  for (const identity of Object.values(before)) await gone(identity, GONE_MS);
  const spawned: Record<string, ProcessIdentity> = {};
  return {
    note(name, identity) {
      spawned[name] = identity;
      writeJsonFile(file, spawned);
    },
  };
}

/** The process with what is particular to it; `pid` stays what it is at the moment. */
function withFields<Fields extends object>(process: RealProcess, fields: Fields): RealProcess & Fields {
  return Object.assign(process, fields);
}
