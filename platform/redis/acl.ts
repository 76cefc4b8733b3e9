/** Each command and subcommand that the adapter sends, or that its scripts call; an ACL is asked for those too. */
const COMMANDS = [
  ...['eval', 'hget', 'hmget', 'hgetall', 'hlen', 'hset', 'hdel', 'hincrby', 'unlink'],
  ...['zadd', 'zrem', 'zcard', 'zrangebyscore', 'zrangebylex'],
  ...['info', 'config|get', 'client|setname'],
];
const CLUSTER_COMMANDS = ['cluster|slots', 'cluster|info'];

/**
 * What a user of the server must be allowed, and no more: the arguments of ACL SETUSER after the name and the password
 * (`on >password`). `prefix` is what the keys begin with.
 */
export function redisAclRules(prefix: string, cluster: boolean): string[] {
  const commands = cluster ? [...COMMANDS, ...CLUSTER_COMMANDS] : COMMANDS;
  return ['resetkeys', 'resetchannels', '-@all', `~${prefix}:*`, ...commands.map((command) => `+${command}`)];
}
