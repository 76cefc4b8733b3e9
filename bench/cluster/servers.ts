import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { environmentOf } from '../../cli/cluster/cluster.ts';
import { migrateWarehouse, prepareCluster } from '../../cli/cluster/prepare.ts';
import { plannedService } from '../../cli/cluster/services.ts';
import { prepareClickHouse } from '../../cli/stack/clickhouse.ts';
import { fetchJars } from '../../cli/stack/jars.ts';
import { prepareKafka } from '../../cli/stack/kafka.ts';
import type { PlannedProcess } from '../../cli/stack/plan.ts';
import { freePorts } from '../../cli/stack/ports.ts';
import { prepareRedis } from '../../cli/stack/redis.ts';
import { prepareRegistry } from '../../cli/stack/registry.ts';
import { end, type Running, start } from '../../cli/stack/running.ts';
import { clusterWarehouse } from '../../services/shared/runtime/connect.ts';
import { CLUSTER_VARIABLES, type ClusterSettings, readVariables } from '../../services/shared/runtime/variables.ts';

const READY_MS = 120_000;
const STOP_MS = 60_000;
/** USER_HZ: what /proc counts processor time in. */
const TICKS_A_SECOND = 100;

export const SILENT = pino({ level: 'silent' });

export type Environment = Readonly<Record<string, string>>;

/** A service that runs, and where it tells of itself. */
export interface Service {
  readonly pid: number;
  readonly operations: string;
  /** Lets it finish what is under way. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Kafka, registry, Redis (every write synced) and ClickHouse's engine on loopback, with topics and schemas. */
export interface Servers {
  readonly environment: Environment;
  /** Processor time that a server has taken until now, seconds. */
  cpuSeconds(server: 'kafka' | 'redis' | 'clickhouse'): number;
  /** An environment with a state and a warehouse of its own, both empty, on the same log. */
  newWorld(): Promise<Environment>;
  /** Starts a service and resolves as soon as its process exists. */
  launch(service: 'rater' | 'enforcer', environment: Environment): Promise<Service>;
  /** Ends everything that was started, and removes its data. */
  stop(): Promise<void>;
}

/** Starts the servers below the system's temporary folder. @throws StackError */
export async function startServers(partitions: number): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
  const started: Running[] = [];
  const options = (planned: PlannedProcess, onSpawned?: (running: Running) => void) => ({
    logFile: join(folder, `${planned.name}.log`),
    readyMs: READY_MS,
    onSpawned: (running: Running): void => {
      started.push(running);
      killAtExit(running);
      onSpawned?.(running);
    },
  });
  const stop = async (): Promise<void> => {
    for (const { identity } of started.reverse()) await end(identity, STOP_MS);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const plan = await planServers(folder);
    const running = new Map<string, Running>();
    for (const planned of plan) running.set(planned.name, await start(planned, options(planned)));
    const environment = environmentOf(plan);
    const settings = settingsOf(environment);
    await prepareCluster(settings, { partitions, logTime: 'event', replicationFactor: 1 }, SILENT);
    let worlds = 0;
    return {
      environment,
      stop,
      cpuSeconds: (server) => cpuSeconds(running.get(server)?.identity.pid ?? 0),
      newWorld: async () => {
        worlds += 1;
        return newWorld(environment, `world${worlds}`);
      },
      launch: async (service, own) => {
        const [operationsPort = 0] = await freePorts(1);
        const name = `${service}-${operationsPort}`;
        const planned = plannedService({ service, name, environment: own, operationsPort, restart: false });
        // It is not waited for: its start is part of what is measured.
        const { identity } = await new Promise<Running>((resolve, reject) => {
          start(planned, options(planned, resolve)).catch(reject);
        });
        return {
          pid: identity.pid,
          operations: `http://127.0.0.1:${operationsPort}`,
          stop: () => end(identity, STOP_MS),
          kill: () => end(identity, 0),
        };
      },
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

/** What an environment says of the servers. */
export function settingsOf(environment: Environment): ClusterSettings {
  return readVariables(CLUSTER_VARIABLES, environment);
}

/** Processor time that a process has taken until now, in user and kernel, seconds; 0 once it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the name before the last `)` may hold anything; user and kernel time are the 14th and 15th fields
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
}

async function planServers(folder: string): Promise<readonly PlannedProcess[]> {
  const jars = await fetchJars((line) => process.stderr.write(`${line}\n`));
  const [kafka = 0, controllerPort = 0, registry = 0, redis = 0, clickhouse = 0] = await freePorts(5);
  return [
    await prepareKafka({ dataDir: join(folder, 'kafka'), port: kafka, controllerPort, jars }),
    await prepareRegistry({ dataDir: join(folder, 'registry'), port: registry, jars }),
    await prepareRedis({ dataDir: join(folder, 'redis'), port: redis }),
    await prepareClickHouse({ dataDir: join(folder, 'clickhouse'), port: clickhouse }),
  ];
}

async function newWorld(environment: Environment, name: string): Promise<Environment> {
  const engine = clusterWarehouse(settingsOf(environment));
  await engine.command({ query: `CREATE DATABASE ${name}` });
  await engine.close();
  const own = { ...environment, TOLLGATE_REDIS_PREFIX: name, TOLLGATE_CLICKHOUSE_DATABASE: name };
  await migrateWarehouse(settingsOf(own));
  return own;
}

/** A bench that ends early must not leave servers behind. */
function killAtExit({ identity, exited }: Running): void {
  const kill = (): void => {
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch {
      // it is gone
    }
  };
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));
}
