import { mkdir } from 'node:fs/promises';
import type { PlannedProcess } from './plan.ts';

export interface RedisOptions {
  /** Made if absent; the append-only file. */
  readonly dataDir: string;
  readonly port: number;
}

const STOP_MS = 20_000;

/** Redis as the state needs it: nothing acknowledged before it is synced, nothing evicted. */
export async function prepareRedis({ dataDir, port }: RedisOptions): Promise<PlannedProcess> {
  await mkdir(dataDir, { recursive: true });
  const settings = {
    ...{ bind: '127.0.0.1', port, dir: dataDir, 'protected-mode': 'yes' },
    ...{ appendonly: 'yes', appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no', save: '' },
    'maxmemory-policy': 'noeviction',
  };
  const { PATH = '' } = process.env;
  return {
    name: 'redis',
    command: 'redis-server',
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    env: { PATH, LANG: 'C.UTF-8', TZ: 'UTC' },
    url: `redis://127.0.0.1:${port}`,
    // it takes connections while it still loads its file, and says LOADING then
    readiness: { kind: 'tcp', port, ask: { send: 'PING\r\n', expect: '+PONG' } },
    restart: true,
    stopMs: STOP_MS,
  };
}
