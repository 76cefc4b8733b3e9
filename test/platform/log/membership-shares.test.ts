import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GroupMember, sharePartitions } from '../../../platform/log/membership-shares.ts';

/** Members with claims of any kind: overlapping, doubled, of partitions that do not exist. */
const MEMBERS = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 4 }),
    generation: fc.integer({ min: -1, max: 3 }),
    partitions: fc.array(fc.oneof(fc.integer({ min: -2, max: 40 }), fc.double()), { maxLength: 20 }),
  }),
  { selector: (member) => member.id, minLength: 1, maxLength: 9 },
);
const PARTITIONS = fc.integer({ min: 1, max: 33 });

describe('sharing partitions among members', () => {
  it('each partition is on one member, and no member has two more than another', () => {
    fc.assert(
      fc.property(PARTITIONS, MEMBERS, (partitions, members) => {
        const shares = [...sharePartitions(partitions, members).values()];
        expect(shares.flat().sort((left, right) => left - right)).toEqual(
          Array.from({ length: partitions }, (_, partition) => partition),
        );
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(shares).toHaveLength(members.length);
      }),
    );
  });

  it('the order in which members are told of makes no difference', () => {
    fc.assert(
      fc.property(PARTITIONS, MEMBERS, (partitions, members) => {
        const turned = sharePartitions(partitions, [...members].reverse());
        for (const [id, share] of sharePartitions(partitions, members)) expect(turned.get(id)).toEqual(share);
      }),
    );
  });

  it('what was shared stays where it is while the members stay', () => {
    fc.assert(
      fc.property(PARTITIONS, MEMBERS, (partitions, members) => {
        const shares = sharePartitions(partitions, members);
        expect(sharePartitions(partitions, said(shares, 7))).toEqual(shares);
      }),
    );
  });

  it('no more than must be moves when one joins or leaves', () => {
    fc.assert(
      fc.property(PARTITIONS, MEMBERS, (partitions, members) => {
        const before = sharePartitions(partitions, members);
        const held = said(before, 7);
        const grown = sharePartitions(partitions, [...held, { id: 'new one', generation: -1, partitions: [] }]);
        expect(movedFrom(before, grown)).toBe(grown.get('new one')?.length);
        const [leaver, ...rest] = held;
        if (rest.length === 0) return;
        const shrunk = sharePartitions(partitions, rest);
        expect(movedFrom(before, shrunk)).toBe(leaver?.partitions.length);
      }),
    );
  });

  it('where two claim one partition, the later word counts', () => {
    const stale: GroupMember = { id: 'a', generation: 4, partitions: [0, 1] };
    const fresh: GroupMember = { id: 'b', generation: 5, partitions: [0, 1] };
    const none: GroupMember = { id: 'c', generation: -1, partitions: [] };
    expect(sharePartitions(3, [stale, fresh, none]).get('b')).toEqual([0]);
    expect(sharePartitions(2, [stale, fresh]).get('b')).toEqual([0]);
  });
});

function said(shares: ReadonlyMap<string, readonly number[]>, generation: number): GroupMember[] {
  return [...shares].map(([id, partitions]) => ({ id, generation, partitions }));
}

/** How many partitions are on another member than before. */
function movedFrom(
  before: ReadonlyMap<string, readonly number[]>,
  after: ReadonlyMap<string, readonly number[]>,
): number {
  let moved = 0;
  for (const [id, share] of after) moved += share.filter((partition) => !before.get(id)?.includes(partition)).length;
  return moved;
}
