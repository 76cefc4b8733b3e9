import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../services/shared/partition.ts';

describe('partitionOf', () => {
  it("E1: hashes as Kafka's own partitioner does", () => {
    const known: readonly (readonly [string, number])[] = [
      ['21', -973_932_308],
      ['foobar', -790_332_482],
      ['a-little-bit-long-string', -985_981_536],
      ['a-little-bit-longer-string', -1_486_304_829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
      ['abc', 479_470_107],
    ];
    for (const [key, hash] of known) expect([key, murmur2(key)]).toEqual([key, hash]);
  });

  it('E1: gives every account one partition of those that there are', () => {
    const used = new Set<number>();
    for (let index = 0; index < 1000; index += 1) used.add(partitionOf(`account-${index}`, 48));
    expect([...used].sort((a, b) => a - b)).toEqual(Array.from({ length: 48 }, (_, at) => at));
    expect(partitionOf('anything', 1)).toBe(0);
    expect(partitionOf('foobar', 7)).toBe((-790_332_482 & 0x7fffffff) % 7);
  });
});
