import type { RedisText } from '../redis/connection.ts';
import { encodeTextUnlessUtf8 as bytesOf } from '../text/ordered-text.ts';
import type { Commit, Fence } from './port.ts';
import { hashKey, type RedisKeys } from './redis-keys.ts';

/** The fence as the scripts compare it. A fence without a mark is nobody's. */
export function fenceArguments(fence: Fence): string[] {
  return [`${fence.epoch}`, fence.nextOffset === undefined ? '' : `${fence.nextOffset}`, fence.mark ?? ''];
}

/** KEYS and ARGV of the script COMMIT for a step: of several writes of one thing only the last is sent. */
export function commitArguments(
  keys: RedisKeys,
  fence: Fence,
  step: Commit,
): { readonly keys: RedisText[]; readonly args: RedisText[] } {
  const { next } = step;
  const timers = new Map(step.timers);
  const timersSet = [...timers].filter(([, at]) => at !== null);
  const timersDeleted = [...timers].filter(([, at]) => at === null);
  const args: RedisText[] = [
    ...fenceArguments(fence),
    ...[`${next.nextOffset}`, bytesOf(next.version), bytesOf(next.meta)],
    ...[`${keys.hashPrefix.length}`, `${timersSet.length}`, `${timersDeleted.length}`],
  ];
  for (const [member, at] of timersSet) args.push(`${at}`, bytesOf(member));
  for (const [member] of timersDeleted) args.push(bytesOf(member));
  const scriptKeys: RedisText[] = [keys.meta, keys.keys, keys.timers];
  for (const [key, { dropped, fields }] of hashChanges(step)) {
    scriptKeys.push(hashKey(keys, key));
    pushHash(args, dropped, fields);
  }
  return { keys: scriptKeys, args };
}

interface HashChange {
  readonly dropped: boolean;
  readonly fields: Map<string, string | null>;
}

function hashChanges(step: Commit): Map<string, HashChange> {
  const changes = new Map<string, HashChange>();
  for (const key of step.dropKeys ?? []) changes.set(key, { dropped: true, fields: new Map() });
  for (const [key, field, value] of step.writes) {
    const change = changes.get(key);
    if (change === undefined) changes.set(key, { dropped: false, fields: new Map([[field, value]]) });
    else change.fields.set(field, value);
  }
  return changes;
}

function pushHash(args: RedisText[], dropped: boolean, fields: ReadonlyMap<string, string | null>): void {
  const counts = args.length + 1;
  args.push(dropped ? '1' : '0', '0', '0');
  const deleted: RedisText[] = [];
  let sets = 0;
  for (const [field, value] of fields) {
    if (value === null) {
      deleted.push(bytesOf(field));
    } else {
      args.push(bytesOf(field), bytesOf(value));
      sets += 1;
    }
  }
  // Of a hash that was dropped nothing is left to delete.
  const deletes = dropped ? [] : deleted;
  args[counts] = `${sets}`;
  args[counts + 1] = `${deletes.length}`;
  for (const field of deletes) args.push(field);
}
