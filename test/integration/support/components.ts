import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe } from 'vitest';
import { prepareClickHouse } from '../../../cli/stack/clickhouse.ts';
import { fetchJars } from '../../../cli/stack/jars.ts';
import { prepareKafka } from '../../../cli/stack/kafka.ts';
import type { PlannedProcess } from '../../../cli/stack/plan.ts';
import { freePorts } from '../../../cli/stack/ports.ts';
import { prepareRedis } from '../../../cli/stack/redis.ts';
import { prepareRegistry } from '../../../cli/stack/registry.ts';
import { missingRequirements } from '../../../cli/stack/requirements.ts';
import { end, type Running, start } from '../../../cli/stack/running.ts';

export interface ComponentOptions {
  /** Default: a new one below the system's temporary folder, which `stop` removes. One that is given stays. */
  readonly dataDir?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** A real server of the stack, on loopback, at one address for as long as the test lives. */
export interface Component {
  /** The present process, or the last one. */
  readonly pid: number;
  readonly dataDir: string;
  readonly port: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it on the same port and data (ending it in order first if it runs); resolves when it takes requests. */
  restart(): Promise<void>;
  /** Ends it and removes its data, if that was its own. May be called more than once. */
  stop(): Promise<void>;
}

export type KafkaComponent = Component & { readonly bootstrap: string };
export type WithUrl = Component & { readonly url: string };

const READY_MS = 120_000;
const FETCH_MS = 900_000;

/** A Kafka broker, its own controller. Topics are not made by themselves. */
export async function startKafka(options: ComponentOptions = {}): Promise<KafkaComponent> {
  const jars = await fetchJars(tell);
  const [controllerPort = 0] = await freePorts(1);
  const component = await startComponent('kafka', options, (dataDir, port) =>
    prepareKafka({ dataDir, port, controllerPort, jars, shortLived: true }),
  );
  return withFields(component, { bootstrap: `127.0.0.1:${component.port}` });
}

/** A schema registry; `url` is what a client of Confluent's interface takes as host. */
export async function startRegistry(options: ComponentOptions = {}): Promise<WithUrl> {
  const jars = await fetchJars(tell);
  const component = await startComponent('registry', options, (dataDir, port) =>
    prepareRegistry({ dataDir, port, jars }),
  );
  return withFields(component, { url: `http://127.0.0.1:${component.port}/apis/ccompat/v7` });
}

/** A Redis that syncs each write. */
export async function startRedis(options: ComponentOptions = {}): Promise<WithUrl> {
  const component = await startComponent('redis', options, (dataDir, port) => prepareRedis({ dataDir, port }));
  return withFields(component, { url: `redis://127.0.0.1:${component.port}` });
}

/** The ClickHouse engine behind its HTTP face. */
export async function startClickHouse(options: ComponentOptions = {}): Promise<WithUrl> {
  const component = await startComponent('clickhouse', options, (dataDir, port) =>
    prepareClickHouse({ dataDir, port }),
  );
  return withFields(component, { url: `http://127.0.0.1:${component.port}` });
}

/** Why suites on the real stack cannot run here; undefined if they can. */
export function missingForStack(): string | undefined {
  return missingRequirements();
}

/**
 * A suite that needs the real stack. In CI (`CI=true`) it always runs, and fails if something is missing; elsewhere it
 * is then left out, and the reason is in its name, which is told at the end of the run.
 */
export function describeOnStack(name: string, suite: () => void): void {
  const missing = missingForStack();
  if (missing !== undefined && process.env.CI !== 'true') {
    describe.skip(`${name} [not run, missing: ${missing}]`, suite);
    return;
  }
  describe(name, () => {
    beforeAll(async () => {
      if (missing !== undefined) throw new Error(`this suite needs ${missing}`);
      await fetchJars(tell);
    }, FETCH_MS);
    suite();
  });
}

async function startComponent(
  name: string,
  options: ComponentOptions,
  prepare: (dataDir: string, port: number) => Promise<PlannedProcess>,
): Promise<Component> {
  const folder = mkdtempSync(join(tmpdir(), `tollgate-${name}-`));
  const dataDir = options.dataDir ?? join(folder, 'data');
  mkdirSync(dataDir, { recursive: true });
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const planned = await prepare(dataDir, port);
  let running: Running | undefined;
  const launch = () =>
    start(planned, {
      logFile: join(folder, `${name}.log`),
      readyMs: READY_MS,
      onSpawned: (spawned) => {
        running = spawned;
        killAtExit(spawned);
      },
    });
  const stopRunning = async (stopMs: number): Promise<void> => {
    if (running === undefined) return;
    await end(running.identity, stopMs);
    await running.exited;
  };
  const removeAtExit = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const removeFolder = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    process.off('exit', removeAtExit);
  };
  await launch().catch(async (fault: unknown) => {
    await removeFolder();
    throw fault;
  });
  return {
    ...{ dataDir, port },
    get pid() {
      return running?.identity.pid ?? 0;
    },
    kill: () => stopRunning(0),
    async restart() {
      await stopRunning(planned.stopMs);
      await launch();
    },
    async stop() {
      await stopRunning(planned.stopMs);
      await removeFolder();
    },
  };
}

/** The component with what is particular to it; `pid` stays what it is at the moment. */
function withFields<Fields extends object>(component: Component, fields: Fields): Component & Fields {
  return Object.assign(component, fields);
}

/** A test process that ends early must not leave servers behind. */
function killAtExit({ identity, exited }: Running): void {
  const kill = (): void => {
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch {
      // it is gone
    }
  };
  process.prependOnceListener('exit', kill); // before its folder is removed
  void exited.then(() => process.off('exit', kill));
}

function tell(line: string): void {
  process.stderr.write(`tollgate: ${line}\n`);
}
