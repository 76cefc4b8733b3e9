import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { expect } from 'vitest';
import { openClusterReading } from '../../../cli/access/cluster.ts';
import { textsOf } from '../../../cli/access/records.ts';
import type { EventLog } from '../../../platform/log/port.ts';
import { CONTROL_TOPICS } from '../../../services/shared/contracts/command-line.ts';
import { kafkaConnection, openClusterLog } from '../../../services/shared/runtime/connect.ts';
import type { ServiceName } from '../../../services/shared/runtime/variables.ts';
import { TOPICS, type Topic } from '../../../services/shared/topics.ts';
import { type Ran, run } from '../../cli/support/run.ts';
import type { ClusterService, TestCluster } from './cluster.ts';

const LOOK_MS = 100;
const LOOKS_MAX = 1800;

/** Does to a cluster what docs/recovery.md says, by the commands that it names, and looks at what became of it. */
export class Operator {
  readonly #cluster: TestCluster;
  readonly partitions: number;

  constructor(cluster: TestCluster, partitions: number) {
    this.#cluster = cluster;
    this.partitions = partitions;
  }

  /** `tollgate ARGS --data FOLDER`, which must succeed. @returns its stdout */
  async tollgate(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.call(...args);
    expect(code, `tollgate ${args.join(' ')}: ${stderr}`).toBe(0);
    return stdout;
  }

  /** The same, whatever comes of it. */
  call(...args: readonly string[]): Promise<Ran> {
    return run([...args, '--data', this.#cluster.folder]);
  }

  /** `tollgate ARGS` with the servers in the environment, which must succeed. @returns its stdout */
  async release(...args: readonly string[]): Promise<string> {
    const { environment } = JSON.parse(await readFile(join(this.#cluster.folder, 'cluster.json'), 'utf8'));
    const { code, stdout, stderr } = await run(args, { env: environment });
    expect(code, `tollgate ${args.join(' ')}: ${stderr}`).toBe(0);
    return stdout;
  }

  /** Sends events by the HTTP door. */
  async send(lines: readonly string[]): Promise<void> {
    const file = join(this.#cluster.folder, 'sent.ndjson');
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    await this.tollgate('publish', file);
  }

  /** Export = replay of the log, byte for byte, of every partition; and no command was published with two contents. */
  async proveAll(): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition += 1) {
      const found: { readonly end: number } = JSON.parse(
        await this.tollgate('verify', '--partition', `${partition}`, '--json'),
      );
      expect(found).toEqual({ end: found.end, verified: true, differences: {} });
      expect(found.end).toBeGreaterThan(0);
    }
    for (const [id, lines] of await this.published()) expect([id, ...new Set(lines)]).toEqual([id, lines[0]]);
  }

  /** By id, each time that a command stands in the control topics. */
  async published(): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, string[]>();
    const reading = await openClusterReading(this.#cluster.settings);
    try {
      for (const topic of CONTROL_TOPICS) {
        for (let partition = 0; partition < this.partitions; partition += 1) {
          const from = await reading.log.startOffset(topic, partition);
          const to = await reading.log.endOffset(topic, partition);
          for await (const records of textsOf(reading, topic, partition, { from, to })) {
            for (const { text } of records) {
              const { command_id: id }: { command_id: string } = JSON.parse(text);
              found.set(id, [...(found.get(id) ?? []), text]);
            }
          }
        }
      }
    } finally {
      await reading.close();
    }
    return found;
  }

  /** Retention, at once: of a topic only what comes from now on is there. */
  trim(topic: Topic): Promise<void> {
    return this.withLog(async (log) => {
      for (let partition = 0; partition < this.partitions; partition += 1) {
        await log.trimBefore(topic, partition, await log.endOffset(topic, partition));
      }
    });
  }

  /** Where each partition of the log of events ends. */
  eventsEnds(): Promise<readonly number[]> {
    return this.withLog((log) => {
      return Promise.all(Array.from({ length: this.partitions }, (_, n) => log.endOffset(TOPICS.events, n)));
    });
  }

  async withLog<Result>(work: (log: EventLog) => Promise<Result>): Promise<Result> {
    const logger = pino({ level: 'silent' });
    const { log } = await openClusterLog(kafkaConnection(this.#cluster.settings, 'test', logger));
    try {
      return await work(log);
    } finally {
      await log.close();
    }
  }

  /** `redis-cli --scan --pattern PATTERN | xargs redis-cli unlink` */
  async forget(pattern: string): Promise<void> {
    const redis = new Redis(this.#cluster.servers.redis.url);
    try {
      const keys = await redis.keys(pattern);
      expect(keys.length, pattern).toBeGreaterThan(0);
      await redis.unlink(keys);
    } finally {
      redis.disconnect();
    }
  }

  /** A server dies, and comes back with other data or none. @param restore puts data into its empty folder */
  async replace(
    name: 'redis' | 'clickhouse',
    restore: (dataDir: string) => void | Promise<void> = () => undefined,
  ): Promise<void> {
    const server = this.#cluster.servers[name];
    await server.kill();
    rmSync(server.dataDir, { recursive: true });
    mkdirSync(server.dataDir);
    await restore(server.dataDir);
    await server.start();
  }

  async restart(...names: readonly ServiceName[]): Promise<void> {
    for (const name of names) for (const service of this.servicesOf(name)) await service.restart();
  }

  servicesOf(name: ServiceName): readonly ClusterService[] {
    return this.#cluster.services.filter(({ service }) => service === name);
  }

  /**
   * Resolves once so many partitions have stopped because of a fault, as metrics and log say; the process stays ready: what
   * needs a person in one partition must not take the others down with it.
   */
  async stopped(name: ServiceName, fault: string, partitions: number): Promise<void> {
    await eventually(async () => {
      let stopped = 0;
      for (const { url } of this.servicesOf(name)) {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        stopped += (metrics.match(/^tollgate_partition_state\{[^}]*state="stopped"[^}]*\} 1$/gm) ?? []).length;
        expect((await fetch(`${url}/readyz`)).status).toBe(200);
      }
      expect(stopped).toBe(partitions);
    });
    for (const service of this.servicesOf(name)) {
      const log = await readFile(join(this.#cluster.logs, `${service.name}.log`), 'utf8');
      expect(log).toContain('the partition has stopped');
      expect(log).toContain(fault);
    }
  }
}

/** Looks again and again until it holds, with a bound. */
export async function eventually<Result>(look: () => Promise<Result>): Promise<Result> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await look();
    } catch (fault) {
      if (looks >= LOOKS_MAX) throw fault;
    }
    await delay(LOOK_MS);
  }
}
