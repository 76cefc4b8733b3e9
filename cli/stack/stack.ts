import { join, resolve } from 'node:path';
import { z } from 'zod';
import { prepareClickHouse } from './clickhouse.ts';
import { StackError } from './errors.ts';
import { runFolder } from './folder.ts';
import { fetchJars } from './jars.ts';
import { prepareKafka } from './kafka.ts';
import type { Plan } from './plan.ts';
import { freePorts, isFree } from './ports.ts';
import { runs } from './process-identity.ts';
import { prepareRedis } from './redis.ts';
import { prepareRegistry } from './registry.ts';
import { requireRequirements } from './requirements.ts';
import { bringDown, bringUp, statusOf, type Tell } from './run.ts';
import { type PlanStatus, readJsonFile, writeJsonFile } from './status.ts';

/** The servers of the stack. */
export const SERVERS = ['kafka', 'registry', 'redis', 'clickhouse'] as const;
export type Server = (typeof SERVERS)[number];

/** Where `tollgate stack` keeps everything, unless told otherwise. */
export const DEFAULT_STACK = '.tollgate-stack';

export interface StackOptions {
  readonly dir: string;
  /** Ports that are asked for; others are those of before, or free ones. */
  readonly ports: Partial<Record<Server, number>>;
  readonly tell: Tell;
}

/** What one server of a running stack is, as `status` prints it. */
export interface ServerStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly url: string;
  readonly running: boolean;
  readonly state: string;
  readonly restarts: number;
  readonly log: string;
}

/**
 * Runs the stack; resolves once all of it takes requests. Running it twice is running it once.
 * @throws StackError
 */
export async function stackUp({ dir, ports, tell }: StackOptions): Promise<readonly ServerStatus[]> {
  const status = await bringUp({
    ...{ dir, tell },
    plan: async () => {
      requireRequirements();
      const chosen = await choosePorts(portsFile(dir), ports);
      return planStack({ dir, ports: chosen, tell });
    },
    accept: () => requireSamePorts(portsFile(dir), ports),
  });
  return serversOf(status);
}

/** Stops the stack, and nothing else. @returns whether there was one @throws StackError */
export async function stackDown({ dir, tell }: Pick<StackOptions, 'dir' | 'tell'>): Promise<boolean> {
  return (await bringDown({ dir, tell })) !== undefined;
}

/** What there is of the stack; empty if none was ever started in the folder. @throws StackError */
export function stackStatus(dir: string): readonly ServerStatus[] {
  const status = statusOf(dir);
  return status === undefined ? [] : serversOf(status);
}

const portNumber = z.int().min(1).max(65_535);
const knownPorts = z.object({
  kafka: portNumber,
  registry: portNumber,
  redis: portNumber,
  clickhouse: portNumber,
  /** The broker's as its own controller. */
  controller: portNumber,
});
export type StackPorts = z.infer<typeof knownPorts>;

/**
 * Makes ready what the servers need, jars and folders, and says how they are started.
 * @throws StackError `stack_jars_unavailable`, `stack_prepare_failed`
 */
export async function planStack(options: {
  readonly dir: string;
  readonly ports: StackPorts;
  readonly tell: Tell;
}): Promise<Plan> {
  const { ports, tell } = options;
  const root = resolve(options.dir);
  const dataOf = (server: Server) => ({ dataDir: join(root, server), port: ports[server] });
  const jars = await fetchJars(tell);
  // together: none needs another
  return [
    [
      await prepareKafka({ ...dataOf('kafka'), controllerPort: ports.controller, jars }),
      await prepareRegistry({ ...dataOf('registry'), jars }),
      await prepareRedis(dataOf('redis')),
      await prepareClickHouse(dataOf('clickhouse')),
    ],
  ];
}

/**
 * The ports that were asked for, else those of the last time, so that clients find what they knew, else free ones; and
 * remembers them.
 * @throws StackError `stack_port_in_use`
 */
export async function choosePorts(file: string, asked: StackOptions['ports']): Promise<StackPorts> {
  const remembered: Partial<StackPorts> = readJsonFile(file, knownPorts) ?? {};
  const [kafka = 0, registry = 0, redis = 0, clickhouse = 0, controller = 0] = await freePorts(5);
  const ports: StackPorts = { ...{ kafka, registry, redis, clickhouse, controller }, ...remembered, ...asked };
  // nobody else knows this one
  if (!(await isFree(ports.controller))) ports.controller = controller;
  for (const server of SERVERS) {
    const port = ports[server];
    const rival = SERVERS.find((other) => other !== server && ports[other] === port);
    if (rival !== undefined) throw new StackError('stack_port_in_use', `${port} for both ${rival} and ${server}`);
    if (!(await isFree(port))) throw new StackError('stack_port_in_use', `${port} (--${server}-port)`);
  }
  writeJsonFile(file, ports);
  return ports;
}

function requireSamePorts(file: string, asked: StackOptions['ports']): void {
  const running: Partial<StackPorts> = readJsonFile(file, knownPorts) ?? {};
  for (const server of SERVERS) {
    const port = asked[server];
    if (port === undefined || port === running[server]) continue;
    throw new StackError('stack_running_otherwise', `${server} is at port ${running[server] ?? 0}, not ${port}`);
  }
}

function portsFile(dir: string): string {
  return join(runFolder(dir).root, 'ports.json');
}

function serversOf({ processes }: PlanStatus): ServerStatus[] {
  return processes.map(({ name, url, state, process, restarts, logFile }) => {
    const running = process !== null && runs(process);
    return { name, pid: running ? process.pid : null, url, running, state, restarts, log: logFile };
  });
}
