import type { Membership, ReadOffset } from '../../../platform/log/membership.ts';

/** So often the group is told: what `kafka-consumer-groups` and its like show is as old as that. */
export const GROUP_OFFSETS_MS = 5_000;

/**
 * Tells the group every `everyMs` how far its partitions of `topic` were made durable, so that the field's own tools show
 * the lag. A telling that takes longer than that puts off the next. Returns what ends it.
 */
export function tellGroup(
  membership: Pick<Membership, 'tell'>,
  topic: string,
  readers: () => Iterable<ReadOffset>,
  everyMs: number,
): () => void {
  let telling = false;
  const timer = setInterval(() => {
    if (telling) return;
    telling = true;
    void membership.tell(topic, [...readers()]).finally(() => {
      telling = false;
    });
  }, everyMs);
  return () => clearInterval(timer);
}
