import { join, resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import { z } from 'zod';
import { LOG_TIMES, type LogTime } from '../../platform/log/port.ts';
import { CLUSTER_VARIABLES, readVariables, type ServiceName } from '../../services/shared/runtime/variables.ts';
import { instanceKeys, instancePaths } from '../embedded/instance.ts';
import type { Plan, PlannedProcess } from '../stack/plan.ts';
import { freePorts, isFree } from '../stack/ports.ts';
import { runs } from '../stack/process-identity.ts';
import { bringDown, bringUp, statusOf, type Tell } from '../stack/run.ts';
import { type ServerStatus, stackDown, stackStatus, stackUp } from '../stack/stack.ts';
import { type PlanStatus, readJsonFile, writeJsonFile } from '../stack/status.ts';
import { prepareCluster } from './prepare.ts';
import { plannedService } from './services.ts';

/** Where `tollgate cluster` keeps everything, unless told otherwise. */
export const DEFAULT_CLUSTER = '.tollgate-cluster';

export interface ClusterOptions {
  readonly dir: string;
  /** Of the first ingest's HTTP door; undefined: that of before, or a free one. */
  readonly port: number | undefined;
  /** Fixed by the first `up`; undefined: what it fixed, at first 8. */
  readonly partitions: number | undefined;
  /** How many of each service; undefined: as many as before, at first one. */
  readonly ingests: number | undefined;
  readonly raters: number | undefined;
  readonly enforcers: number | undefined;
  /** Fixed by the first `up`; undefined: what it fixed, at first that of the append. */
  readonly logTime: LogTime | undefined;
  readonly tell: Tell;
}

/** What one process of a cluster is, as `status` prints it. */
export interface ProcessOfCluster {
  readonly service: string;
  readonly pid: number | null;
  readonly url: string;
  readonly running: boolean;
  readonly state: string;
  readonly restarts: number;
  readonly log: string;
}

const clusterFile = z.object({
  /** How the servers are reached: variables of services/shared/runtime/variables.ts. */
  environment: z.record(z.string(), z.string()),
  /** Of the first ingest. */
  door: z.string(),
});

/** What a cluster on this machine says of itself to the commands that look into it. */
export type ClusterFile = z.infer<typeof clusterFile>;

/** What the topics of a cluster were made with. */
const topicsFile = z.object({ partitions: z.int(), logTime: z.enum(LOG_TIMES) });

type Topics = Readonly<z.infer<typeof topicsFile>>;

/** What `up` left in a folder; undefined if it holds no cluster. @throws StackError `stack_folder_invalid` */
export function readClusterFile(dir: string): ClusterFile | undefined {
  return readJsonFile(fileOf(dir), clusterFile);
}

/**
 * Runs the stack in DIR/stack, prepares topics, schemas and tables, and runs the services on it as processes of their own,
 * started again when they die. Resolves once all are ready. Running it twice is running it once; with other numbers of services
 * those that run finish what they do and are started anew, in as many processes.
 * @throws StackError, LogError `LogTopicChanged` for another number of partitions or time than at first
 */
export async function clusterUp(options: ClusterOptions): Promise<readonly ProcessOfCluster[]> {
  const { dir, tell } = options;
  const servers = await stackUp({ dir: stackOf(dir), ports: {}, tell });
  const environment = environmentOf(servers);
  const logger: Logger = pino({ level: 'silent' });
  const topics = topicsOf(options, readJsonFile(topicsIn(dir), topicsFile));
  tell('topics, schemas and tables ...');
  const settings = readVariables(CLUSTER_VARIABLES, environment);
  await prepareCluster(settings, { ...topics, replicationFactor: 1 }, logger);
  writeJsonFile(topicsIn(dir), topics);
  const paths = instancePaths(resolve(dir));
  instanceKeys(paths);
  const services = servicesOf(dir);
  const counts = countsOf(options, statusOf(services));
  const plan = (): Promise<Plan> => planServices(options, counts, { ...environment, TOLLGATE_KEYS_FILE: paths.keys });
  const outdated = (running: PlanStatus): string | undefined => differenceOf(countsIn(running), counts);
  const status = await bringUp({ dir: services, tell, plan, outdated });
  const door = status.processes.find(({ name }) => name === 'ingest-1')?.url ?? '';
  writeJsonFile(fileOf(dir), { environment, door } satisfies ClusterFile);
  return [...servers.map(serverOf), ...servicesIn(status)];
}

/** Stops the services, then the stack, and nothing else. @returns whether there was anything @throws StackError */
export async function clusterDown({ dir, tell }: Pick<ClusterOptions, 'dir' | 'tell'>): Promise<boolean> {
  const services = await bringDown({ dir: servicesOf(dir), tell });
  const stack = await stackDown({ dir: stackOf(dir), tell });
  return services !== undefined || stack;
}

/** What there is of a cluster; empty if none was ever started in the folder. @throws StackError */
export function clusterStatus(dir: string): readonly ProcessOfCluster[] {
  const services = statusOf(servicesOf(dir));
  return [...stackStatus(stackOf(dir)).map(serverOf), ...(services === undefined ? [] : servicesIn(services))];
}

/** The variables by which services reach the servers of a stack. */
export function environmentOf(servers: readonly Pick<ServerStatus, 'name' | 'url'>[]): Record<string, string> {
  const urlOf = (name: string): string => servers.find((server) => server.name === name)?.url ?? '';
  return {
    TOLLGATE_KAFKA_BROKERS: urlOf('kafka'),
    TOLLGATE_REGISTRY_URL: urlOf('registry'),
    TOLLGATE_REDIS_NODES: urlOf('redis').replace('redis://', ''),
    TOLLGATE_CLICKHOUSE_URL: urlOf('clickhouse'),
  };
}

function topicsOf({ partitions, logTime }: ClusterOptions, before: Topics | undefined): Topics {
  return { partitions: partitions ?? before?.partitions ?? 8, logTime: logTime ?? before?.logTime ?? 'append' };
}

/** How many processes of each service there are to be. */
type Counts = Readonly<Record<ServiceName, number>>;

function countsOf({ ingests, raters, enforcers }: ClusterOptions, before: PlanStatus | undefined): Counts {
  const known = before === undefined ? undefined : countsIn(before);
  return {
    ingest: ingests ?? known?.ingest ?? 1,
    rater: raters ?? known?.rater ?? 1,
    enforcer: enforcers ?? known?.enforcer ?? 1,
  };
}

function countsIn({ processes }: PlanStatus): Counts {
  const of = (service: ServiceName): number => processes.filter(({ name }) => name.startsWith(`${service}-`)).length;
  return { ingest: of('ingest'), rater: of('rater'), enforcer: of('enforcer') };
}

/** What is to be different, as a line; undefined if nothing is. */
function differenceOf(before: Counts, counts: Counts): string | undefined {
  const services = ['ingest', 'rater', 'enforcer'] as const;
  const changes = services.filter((service) => before[service] !== counts[service]);
  if (changes.length === 0) return undefined;
  return changes.map((service) => `${service}: ${counts[service]} instead of ${before[service]}`).join(', ');
}

/** Doors that clients may know keep their ports from one `up` to the next. */
async function planServices(
  { dir, port }: ClusterOptions,
  { ingest: ingests, rater: raters, enforcer: enforcers }: Counts,
  environment: Record<string, string>,
): Promise<Plan> {
  const known = readJsonFile(portsOf(dir), z.array(z.int())) ?? [];
  const doors = [...(port === undefined ? known.slice(0, 1) : [port]), ...known.slice(1)].slice(0, ingests);
  const free = await freePorts(2 * ingests + raters + enforcers);
  const takePort = (): number => free.pop() ?? 0;
  for (const [index, door] of doors.entries())
    if (port === undefined && !(await isFree(door))) doors[index] = takePort();
  while (doors.length < ingests) doors.push(takePort());
  writeJsonFile(portsOf(dir), doors);
  const ofService = (service: ServiceName, count: number): PlannedProcess[] =>
    Array.from({ length: count }, (_, index) => {
      const doorPort = service === 'ingest' ? doors[index] : undefined;
      return plannedService({
        ...{ service, name: `${service}-${index + 1}`, environment, operationsPort: takePort(), restart: true },
        ...(doorPort === undefined ? {} : { doorPort }),
      });
    });
  return [[...ofService('rater', raters), ...ofService('enforcer', enforcers)], ofService('ingest', ingests)];
}

function serverOf({ name, ...rest }: ServerStatus): ProcessOfCluster {
  return { service: name, ...rest };
}

function servicesIn({ processes }: PlanStatus): ProcessOfCluster[] {
  return processes.map(({ name, url, state, process, restarts, logFile }) => {
    const running = process !== null && runs(process);
    return { service: name, pid: running ? process.pid : null, url, running, state, restarts, log: logFile };
  });
}

function stackOf(dir: string): string {
  return join(dir, 'stack');
}

function servicesOf(dir: string): string {
  return join(dir, 'services');
}

function fileOf(dir: string): string {
  return join(resolve(dir), 'cluster.json');
}

function topicsIn(dir: string): string {
  return join(resolve(dir), 'topics.json');
}

function portsOf(dir: string): string {
  return join(resolve(dir), 'door-ports.json');
}
