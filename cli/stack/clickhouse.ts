import { mkdir } from 'node:fs/promises';
import { engineCommand } from '../../platform/warehouse/engine-process.ts';
import type { PlannedProcess } from './plan.ts';

export interface ClickHouseOptions {
  /** Made if absent; the tables. One process at a time can have it open. */
  readonly dataDir: string;
  readonly port: number;
}

const STOP_MS = 20_000;

/** The ClickHouse engine behind its HTTP face, as a process of its own. */
export async function prepareClickHouse({ dataDir, port }: ClickHouseOptions): Promise<PlannedProcess> {
  await mkdir(dataDir, { recursive: true });
  const { execArgv, file, args, env } = engineCommand({ dataDir, port });
  const url = `http://127.0.0.1:${port}`;
  return {
    name: 'clickhouse',
    command: process.execPath,
    args: [...execArgv, file, ...args],
    env,
    url,
    readiness: { kind: 'http', url: `${url}/ping` },
    restart: true,
    stopMs: STOP_MS,
  };
}
