import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { REDIS_ERRORS, RedisError, redisError } from '../../../platform/redis/errors.ts';

/** As Redis 7.0 and ioredis 6 say them. */
const SAID: readonly (readonly [said: string, code: keyof typeof REDIS_ERRORS])[] = [
  ['LOADING Redis is loading the dataset in memory', 'RedisLoading'],
  ["READONLY You can't write against a read only replica.", 'RedisReadOnly'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'RedisMasterDown'],
  ['CLUSTERDOWN Hash slot not served', 'RedisClusterDown'],
  ['CLUSTERDOWN The cluster is down', 'RedisClusterDown'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'RedisClusterDown'],
  ['Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1', 'RedisClusterDown'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'RedisOutOfMemory'],
  ['NOREPLICAS Not enough good replicas to write.', 'RedisNoReplicas'],
  ['NOAUTH Authentication required.', 'RedisNotAllowed'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'RedisNotAllowed'],
  ["NOPERM this user has no permissions to run the 'eval' command", 'RedisNotAllowed'],
  [
    "ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:7.",
    'RedisNotAllowed',
  ],
  [
    "ERR The user executing the script can't access at least one of the keys mentioned in the command",
    'RedisNotAllowed',
  ],
  [
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
    'RedisDiskBroken',
  ],
  ['MISCONF Errors writing to the AOF file: No space left on device', 'RedisDiskBroken'],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'RedisBusy'],
  ['MOVED 6257 127.0.0.1:7001', 'RedisWrongMode'],
  ['ERR This instance has cluster support disabled', 'RedisWrongMode'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value script: 1, on @user_script:9.', 'RedisWrongType'],
  ['Command timed out', 'RedisTimedOut'],
  ['connect ETIMEDOUT', 'RedisTimedOut'],
  ['Connection is closed.', 'RedisUnreachable'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'RedisUnreachable'],
  ["Cluster isn't ready and enableOfflineQueue options is false", 'RedisUnreachable'],
  [
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    'RedisUnreachable',
  ],
  ['None of startup nodes is available', 'RedisUnreachable'],
  ['connect ECONNREFUSED 127.0.0.1:1', 'RedisUnreachable'],
  ['read ECONNRESET', 'RedisUnreachable'],
  ['getaddrinfo ENOTFOUND redis', 'RedisUnreachable'],
  ['ERR unknown command', 'RedisRefused'],
];

it.each(SAID)('"%s" is %s', (said, code) => {
  const cause = new Error(said);
  const error = redisError('script', cause);
  expect(error).toMatchObject({ name: code, code, cause });
  expect(error.message).toBe(`script: ${said}: ${REDIS_ERRORS[code]}`);
  expect(redisError('again', error)).toBe(error);
});

it.each(['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])(
  'a TLS that does not come about (%s) is RedisNotTrusted',
  (code) => {
    expect(redisError('connection', Object.assign(new Error('said'), { code })).code).toBe('RedisNotTrusted');
  },
);

it('what was sent with a command that is refused is not told with the error', () => {
  const refused = Object.assign(new Error('WRONGPASS invalid'), { command: { name: 'auth', args: ['me', 'secret'] } });
  expect(inspect(redisError('connection', refused), { depth: 9 })).not.toContain('secret');
});

it('every code but those of the check at opening is given for something that is said', () => {
  const given = new Set([...SAID.map(([, code]) => code), 'RedisNotTrusted', 'RedisTooOld', 'RedisUnsafe']);
  expect(Object.keys(REDIS_ERRORS).filter((code) => !given.has(code))).toEqual([]);
  expect(new RedisError('RedisTooOld', 'version 6.2').message).toContain('7.0');
});
