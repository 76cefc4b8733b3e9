import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWarehouseClient, type WarehouseClient } from '../../../platform/warehouse/client.ts';
import { type Engine, type EngineOptions, startEngine } from '../../../platform/warehouse/engine-process.ts';
import type { WarehouseError } from '../../../platform/warehouse/errors.ts';

export const MIGRATIONS = fileURLToPath(new URL('../../../schemas/clickhouse', import.meta.url));

export type TestEngine = {
  readonly engine: Engine;
  readonly client: WarehouseClient;
  readonly dataDir: string;
  readonly failures: WarehouseError[];
  /** What the engine printed and the supervisor logged. */
  readonly log: string[];
  close(): Promise<void>;
};

/** An engine of its own in a directory of its own, with the client that the services use. */
export async function startTestEngine(options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const dataDir = options.dataDir ?? (await temporaryDirectory());
  const failures: WarehouseError[] = [];
  const log: string[] = [];
  const record = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const engine = await startEngine({
    dataDir,
    logger: { info: record, warn: record, error: record },
    onFailed: (error) => void failures.push(error),
    ...options,
  });
  const client = createWarehouseClient({ url: engine.url });
  return {
    engine,
    client,
    dataDir,
    failures,
    log,
    async close() {
      await client.close();
      await engine.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tollgate-warehouse-'));
}

/** All rows of a query, as objects. */
export async function rowsOf(client: WarehouseClient, query: string, params = {}): Promise<unknown[]> {
  const result = await client.query({ query, format: 'JSONEachRow', query_params: params });
  return result.json();
}

/** Waits for a condition, by asking again; gives up loudly. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain until ${what}`);
}

/** Whether a process of that id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
