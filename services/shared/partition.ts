/** E1: what belongs to no account (`prices.published`) is judged here, and forwarded from here to the others. */
export const PARTITION_OF_PRICES = 0;

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * E1: the partition of an account, the same as Kafka's default partitioner gives for it as the key (murmur2 over its UTF-8,
 * sign bit cleared). Fixed for ever: another answer would split an account's order in two.
 * @param partitions how many there are, at least 1
 */
export function partitionOf(accountId: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(accountId) & 0x7fffffff) % partitions;
}

/** Kafka's murmur2, as a signed 32-bit integer. Ids are ASCII (E), so a character is a byte; others go by their UTF-8. */
export function murmur2(key: string): number {
  const bytes = Buffer.from(key, 'utf8');
  const length = bytes.length;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), M);
    word ^= word >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = length - at;
  if (rest === 3) hash ^= (bytes[at + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (bytes[at + 1] ?? 0) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
