import type { RedisText } from '../redis/connection.ts';
import { encodeText, encodeTextUnlessUtf8 } from '../text/ordered-text.ts';

/**
 * Where the state of one scope is, for the prefix `tollgate` and the scope `rater/17`. All of a partition's keys have the
 * hash tag `{p17}`, so that in a cluster they are on one node and a script may touch them together.
 *
 * - `tollgate:{p17}:rater:meta`: hash of `epoch`, `owner`, `revision`, `next`, `version`, `meta`
 * - `tollgate:{p17}:rater:keys`: sorted set, all scores 0: the keys that have fields, by the order of their bytes
 * - `tollgate:{p17}:rater:timers`: sorted set: members by instant, then by the order of their bytes
 * - `tollgate:{p17}:rater:h:<key>`: hash of the fields of one key
 *
 * Texts are bytes of ordered-text, which loses nothing and whose order is that of UTF-16. A scope of another form has
 * the tag `s` and its bytes in base64url, and the group `-`.
 */
export interface RedisKeys {
  readonly meta: string;
  readonly keys: string;
  readonly timers: string;
  /** What comes before the key of a hash; ASCII, so as many bytes as units. */
  readonly hashPrefix: string;
}

const PARTITION_SCOPE = /^([a-z][a-z0-9-]*)\/(0|[1-9][0-9]{0,9})$/;

export function redisKeys(prefix: string, scope: string): RedisKeys {
  const [, group, partition] = PARTITION_SCOPE.exec(scope) ?? [];
  const base =
    group === undefined || partition === undefined
      ? `${prefix}:{s${encodeText(scope).toString('base64url')}}:-`
      : `${prefix}:{p${partition}}:${group}`;
  return { meta: `${base}:meta`, keys: `${base}:keys`, timers: `${base}:timers`, hashPrefix: `${base}:h:` };
}

export function hashKey({ hashPrefix }: RedisKeys, key: string): RedisText {
  const text = encodeTextUnlessUtf8(key);
  return typeof text === 'string' ? hashPrefix + text : Buffer.concat([Buffer.from(hashPrefix), text]);
}
