import { isTlsRefusal } from '../tls/refusal.ts';

/** What can go wrong between Tollgate and Redis: code, and what to do about it. Nothing else is thrown from here. */
export const REDIS_ERRORS = {
  RedisUnreachable: 'no connection, or it was lost; see that the server runs and that address and network are right',
  RedisTimedOut:
    'no answer in time; see what holds the server up (SLOWLOG, disk latency, a long script) or give more time',
  RedisLoading: 'the server is reading its data from disk; wait until it is done',
  RedisReadOnly: 'this server is a replica; connect to the one that is written to',
  RedisMasterDown: 'this replica has lost its master; connect to the one that is written to, or restore it',
  RedisClusterDown: 'slots of the cluster are not served; look at CLUSTER INFO and bring the missing masters back',
  RedisOutOfMemory: 'the server is at its maxmemory; give it more: nothing may be evicted',
  RedisNoReplicas: 'fewer replicas are in step than min-replicas-to-write asks for; bring them back',
  RedisNotAllowed: 'user, password or rights are not enough; see the ACL rules in platform/redis/README.md',
  RedisNotTrusted: 'no TLS with the server: see its certificate, the authorities that are trusted, and the port',
  RedisDiskBroken: 'the server cannot write to its disk; mend the disk, then look at its log',
  RedisBusy: 'a script of someone else runs for too long; find it, SCRIPT KILL ends one that has not written',
  RedisWrongMode: 'a server in cluster mode needs `cluster: true`, and a server by itself `cluster: false`',
  RedisWrongType: 'a key holds what Tollgate does not write; see who else writes below its prefix, restore from a copy',
  RedisTooOld: 'scripts need Redis 7.0 or later, or Valkey',
  RedisUnsafe:
    'the server may lose or evict what it acknowledged; set what the message names and make it last (CONFIG REWRITE)',
  RedisRefused: 'the server refused the command; the message says why',
} as const;

export type RedisErrorCode = keyof typeof REDIS_ERRORS;

/** The one error of the connection to Redis. `name` is its code. */
export class RedisError extends Error {
  readonly code: RedisErrorCode;

  constructor(code: RedisErrorCode, detail: string, options?: ErrorOptions) {
    super(`${detail}: ${REDIS_ERRORS[code]}`, options);
    this.name = code;
    this.code = code;
  }
}

/** Replies are told by their first word, which is what Redis promises of them; ioredis' own errors have only words. */
const BY_FIRST_WORD: ReadonlyMap<string, RedisErrorCode> = new Map([
  ['LOADING', 'RedisLoading'],
  ['READONLY', 'RedisReadOnly'],
  ['MASTERDOWN', 'RedisMasterDown'],
  ['CLUSTERDOWN', 'RedisClusterDown'],
  ['TRYAGAIN', 'RedisClusterDown'],
  ['OOM', 'RedisOutOfMemory'],
  ['NOREPLICAS', 'RedisNoReplicas'],
  ['NOAUTH', 'RedisNotAllowed'],
  ['WRONGPASS', 'RedisNotAllowed'],
  ['NOPERM', 'RedisNotAllowed'],
  ['MISCONF', 'RedisDiskBroken'],
  ['BUSY', 'RedisBusy'],
  ['MOVED', 'RedisWrongMode'],
  ['WRONGTYPE', 'RedisWrongType'],
]);

const BY_WORDS: readonly (readonly [words: RegExp, code: RedisErrorCode])[] = [
  [/^Command timed out|ETIMEDOUT|Socket timeout/, 'RedisTimedOut'],
  [/cluster support disabled/, 'RedisWrongMode'],
  [/can't run this command|can't access/, 'RedisNotAllowed'],
  [/Too many Cluster redirections|slots? (is|are) not (served|covered)/, 'RedisClusterDown'],
  [
    /Connection is closed|isn't ready|isn't writeable|max retries per request|Failed to refresh slots|Cluster is|startup nodes/,
    'RedisUnreachable',
  ],
  [/ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOST|ENET|disconnect/, 'RedisUnreachable'],
];

/** What a client or a reply said, by name; `what` is what was being done. A `RedisError` is given back as it is. */
export function redisError(what: string, error: unknown): RedisError {
  if (error instanceof RedisError) return error;
  const told = lastTold(error);
  const said = told instanceof Error ? told.message.replace(/\s+/g, ' ').trim() : String(told);
  const code = isTlsRefusal(told) ? 'RedisNotTrusted' : codeOf(said);
  for (const each of [error, told]) hideCommand(each);
  return new RedisError(code, `${what}: ${said}`, { cause: error });
}

/** Of a cluster whose nodes all failed, what the last of them said. */
function lastTold(error: unknown): unknown {
  return error instanceof Error && 'lastNodeError' in error ? (error.lastNodeError ?? error) : error;
}

/** The client hangs the command that was refused on its error, arguments and all: the password of a login, accounts. */
function hideCommand(error: unknown): void {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command');
}

function codeOf(said: string): RedisErrorCode {
  const [first = ''] = said.split(' ', 1);
  const byFirst = BY_FIRST_WORD.get(first);
  if (byFirst !== undefined) return byFirst;
  for (const [words, code] of BY_WORDS) if (words.test(said)) return code;
  return 'RedisRefused';
}
