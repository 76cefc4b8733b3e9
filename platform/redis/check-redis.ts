import type { Redis } from 'ioredis';
import { RedisError, redisError } from './errors.ts';
import type { RedisLogger } from './logger.ts';

/** What an acknowledged write rests on: it is in a file that was fsynced, and nothing evicts it. */
const DURABLE: readonly (readonly [setting: string, value: string])[] = [
  ['appendonly', 'yes'],
  ['appendfsync', 'always'],
  ['maxmemory-policy', 'noeviction'],
];

const MAJOR_VERSION_MIN = 7;

export interface RedisCheck {
  readonly cluster: boolean;
  readonly allowUnsafe?: boolean;
  readonly logger: RedisLogger;
}

/**
 * Throws `RedisTooOld`, `RedisWrongMode`, `RedisReadOnly` or, unless `allowUnsafe`, `RedisUnsafe` for a server that
 * state must not be kept on, with the settings that would mend it.
 */
export async function checkRedis(server: Redis, check: RedisCheck): Promise<void> {
  const info = parseInfo(await server.info());
  const version = info.get('redis_version') ?? '0';
  if (Number.parseInt(version, 10) < MAJOR_VERSION_MIN) throw new RedisError('RedisTooOld', `version ${version}`);
  const clustered = info.get('cluster_enabled') === '1';
  if (clustered !== check.cluster) {
    throw new RedisError('RedisWrongMode', `cluster_enabled is ${clustered}, expected ${check.cluster}`);
  }
  if (info.get('role') === 'slave') throw new RedisError('RedisReadOnly', 'the role of the server is replica');
  const faults = await unsafeSettings(server);
  if (faults.length === 0) return;
  if (check.allowUnsafe !== true) throw new RedisError('RedisUnsafe', faults.join(', '));
  check.logger.warn({ faults }, 'redis may lose what it acknowledged, which was allowed');
}

async function unsafeSettings(server: Redis): Promise<string[]> {
  const faults: string[] = [];
  for (const [setting, wanted] of DURABLE) {
    const found = await readSetting(server, setting);
    if (found !== wanted) faults.push(`${setting} is ${found}, not ${wanted}`);
  }
  return faults;
}

/** Managed servers refuse CONFIG, and so may the ACL: then nothing is known. */
async function readSetting(server: Redis, setting: string): Promise<string> {
  try {
    const reply: unknown = await server.config('GET', setting);
    const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
    return typeof value === 'string' ? value : 'unknown';
  } catch (error) {
    const fault = redisError(`CONFIG GET ${setting}`, error);
    if (fault.code !== 'RedisNotAllowed' && fault.code !== 'RedisRefused') throw fault;
    return 'unknown';
  }
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
