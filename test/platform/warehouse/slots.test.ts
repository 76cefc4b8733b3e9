import { expect, test } from 'vitest';
import { createSlots, SlotsFullError } from '../../../platform/warehouse/slots.ts';

test('slots bound what runs and what waits, keep the order, and survive work that throws', async () => {
  const slots = createSlots(1, 2);
  const order: string[] = [];
  let open: () => void = () => {};
  const first = slots.run(
    () =>
      new Promise<void>((resolve) => {
        open = () => {
          order.push('first');
          resolve();
        };
      }),
  );
  const second = slots.run(async () => {
    order.push('second');
    throw new Error('planned');
  });
  const third = slots.run(async () => void order.push('third'));
  await expect(slots.run(async () => {})).rejects.toBeInstanceOf(SlotsFullError);
  open();
  await first;
  await expect(second).rejects.toThrow('planned');
  await third;
  expect(order).toEqual(['first', 'second', 'third']);
  await expect(slots.run(async () => 'free again')).resolves.toBe('free again');
});
