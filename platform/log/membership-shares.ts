/** A member of a group, with what it had by its last word. */
export interface GroupMember {
  readonly id: string;
  /** Of which generation of the group its partitions are; the later word counts where two claim one partition. */
  readonly generation: number;
  readonly partitions: readonly number[];
}

/**
 * Shares partitions `0 .. partitions - 1` among the members: each on one member, as many on each as on any other or one
 * more, and as few as that allows move. Depends on nothing but its arguments, and not on the order of the members.
 */
export function sharePartitions(
  partitions: number,
  members: readonly GroupMember[],
): ReadonlyMap<string, readonly number[]> {
  const held = heldByEach(partitions, members);
  // Those who hold most keep one more: that is what moves least.
  const byHolding = [...held].sort(
    ([leftId, left], [rightId, right]) => right.length - left.length || compare(leftId, rightId),
  );
  const least = Math.floor(partitions / members.length);
  const withOneMore = partitions % members.length;
  const quotas = byHolding.map(([id, own], index) => ({ id, own, quota: index < withOneMore ? least + 1 : least }));
  const kept = new Set(quotas.flatMap(({ own, quota }) => own.slice(0, quota)));
  const free = Array.from({ length: partitions }, (_, partition) => partition).filter((number) => !kept.has(number));
  return new Map(
    quotas.map(({ id, own, quota }) => {
      const share = own.slice(0, quota);
      return [id, [...share, ...free.splice(0, quota - share.length)].sort((left, right) => left - right)];
    }),
  );
}

/** What each member held, ascending, each partition by one: the one whose word is the latest, then the first by id. */
function heldByEach(partitions: number, members: readonly GroupMember[]): Map<string, number[]> {
  const byWord = [...members].sort((left, right) => right.generation - left.generation || compare(left.id, right.id));
  const taken = new Set<number>();
  return new Map(
    byWord.map(({ id, partitions: claimed }) => {
      const own = [...new Set(claimed)]
        .filter((number) => Number.isInteger(number) && number >= 0 && number < partitions && !taken.has(number))
        .sort((left, right) => left - right);
      for (const number of own) taken.add(number);
      return [id, own];
    }),
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
