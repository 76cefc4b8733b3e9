import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ReadOffset } from '../../../platform/log/membership.ts';
import { tellGroup } from '../../../services/shared/runtime/group-offsets.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the group is told how far readers are now, one telling at a time, until the end', async () => {
  const told: (readonly ReadOffset[])[] = [];
  let answer = (): void => undefined;
  const membership = {
    tell: (topic: string, offsets: readonly ReadOffset[]): Promise<void> => {
      expect(topic).toBe('metering.events');
      told.push(offsets);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
  let offset = 0;
  const end = tellGroup(membership, 'metering.events', () => [{ partition: 3, offset }], 5_000);
  await vi.advanceTimersByTimeAsync(5_000);
  offset = 70;
  await vi.advanceTimersByTimeAsync(20_000); // a broker that does not answer is not asked again
  expect(told).toEqual([[{ partition: 3, offset: 0 }]]);
  answer();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told.slice(1)).toEqual([[{ partition: 3, offset: 70 }]]);
  answer();
  end();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toHaveLength(2);
});
