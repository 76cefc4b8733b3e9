/**
 * What the server runs, one script an operation: a script is one step that nothing comes between, so the fence and what
 * it guards are of one moment. All of it is checked before anything is written, since a script that fails half-way keeps
 * what it wrote; the shebang has the server check memory, disk and role before it begins. Numbers stay strings: those
 * of Lua are doubles. The texts are constants, as the server keeps every text it has ever run.
 */

/** ARGV: 1 epoch, 2 offset or '', 3 mark, as the caller believes them. */
const FENCE = `
-- The reply to a caller whose belief is not what is stored, or false: {0, epoch, owner, revision, next}.
local function refusal()
  local found = redis.call('HMGET', KEYS[1], 'epoch', 'owner', 'revision', 'next')
  local epoch, owner, revision, next = found[1], found[2], found[3], found[4] or ''
  if epoch == ARGV[1] and next == ARGV[2] and owner and revision and owner .. '.' .. revision == ARGV[3] then
    return false
  end
  return {0, found[1], found[2], found[3], found[4]}
end
local refused = refusal()
if refused then return refused end
`;

/**
 * KEYS: 1 meta. ARGV: 1 a name for this claim that no other has.
 * Returns: epoch, owner, revision, next, version, meta; null for those that are not there.
 */
export const CLAIM = `#!lua
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return redis.call('HMGET', KEYS[1], 'epoch', 'owner', 'revision', 'next', 'version', 'meta')
`;

/**
 * KEYS: 1 meta, 2... hashes. ARGV: 1-3 fence.
 * Returns: 1, then for each hash its fields and values in turn; or the refusal of the fence.
 */
export const LOAD = `#!lua flags=no-writes
${FENCE}
local reply = {1}
for index = 2, #KEYS do reply[index] = redis.call('HGETALL', KEYS[index]) end
return reply
`;

/**
 * KEYS: 1 meta, 2 timers. ARGV: 1-3 fence, 4 greatest instant, 5 how many.
 * Returns: 1, then members and instants in turn; or the refusal of the fence.
 */
export const DUE = `#!lua flags=no-writes
${FENCE}
return {1, redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[4], 'WITHSCORES', 'LIMIT', 0, ARGV[5])}
`;

/**
 * KEYS: 1 meta, 2 keys. ARGV: 1-3 fence, 4 the least key as ZRANGEBYLEX takes it, 5 how many.
 * Returns: 1, then keys; or the refusal of the fence.
 */
export const SCAN_FENCED = `#!lua flags=no-writes
${FENCE}
return {1, redis.call('ZRANGEBYLEX', KEYS[2], ARGV[4], '+', 'LIMIT', 0, ARGV[5])}
`;

/** KEYS: 1 keys. ARGV: 1 the least key as ZRANGEBYLEX takes it, 2 how many. Returns: keys. */
export const SCAN = `#!lua flags=no-writes
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
`;

/**
 * KEYS: 1 meta, 2... hashes. ARGV: none.
 * Returns: {next, version, meta}, null for those that are not there; then for each hash its fields and values in turn.
 */
export const PEEK = `#!lua flags=no-writes
local reply = {redis.call('HMGET', KEYS[1], 'next', 'version', 'meta')}
for index = 2, #KEYS do reply[index] = redis.call('HGETALL', KEYS[index]) end
return reply
`;

/**
 * KEYS: 1 meta, 2 keys, 3 timers, 4... hashes.
 * ARGV: 1-3 fence, 4 next, 5 version, 6 meta, 7 the length of what comes before a hash's key, 8 timers set, 9 timers
 * deleted; then the instant and member of each timer set, the member of each deleted; then for each hash: 1 if it is
 * dropped first or 0, fields set, fields deleted, the field and value of each set, the field of each deleted.
 * Returns: {1, the new revision}; or the refusal of the fence.
 */
export const COMMIT = `#!lua
${FENCE}
-- What fails on a key of the wrong type fails here, where nothing is written yet.
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[3])
local fields_before = {}
for index = 4, #KEYS do fields_before[index] = redis.call('HLEN', KEYS[index]) end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('HSET', KEYS[1], 'next', ARGV[4], 'version', ARGV[5], 'meta', ARGV[6])

-- Takes so many arguments, in slices: unpack can lay 8,000 values on the stack. Even, so that no pair is torn.
local SLICE = 2000
local from = 10
local function take(count, command, key)
  local last = from + count - 1
  while from <= last do
    local to = math.min(from + SLICE - 1, last)
    redis.call(command, key, unpack(ARGV, from, to))
    from = to + 1
  end
end

take(2 * tonumber(ARGV[8]), 'ZADD', KEYS[3])
take(tonumber(ARGV[9]), 'ZREM', KEYS[3])
for index = 4, #KEYS do
  local hash = KEYS[index]
  local dropped, sets, deletes = ARGV[from] == '1', tonumber(ARGV[from + 1]), tonumber(ARGV[from + 2])
  from = from + 3
  if dropped then redis.call('UNLINK', hash) end
  take(2 * sets, 'HSET', hash)
  take(deletes, 'HDEL', hash)
  local before, after = fields_before[index] > 0, sets > 0
  if not dropped and sets == 0 then after = redis.call('HLEN', hash) > 0 end
  if before ~= after then
    local key = string.sub(hash, ARGV[7] + 1)
    if after then redis.call('ZADD', KEYS[2], 0, key) else redis.call('ZREM', KEYS[2], key) end
  end
end
return {1, redis.call('HGET', KEYS[1], 'revision')}
`;
