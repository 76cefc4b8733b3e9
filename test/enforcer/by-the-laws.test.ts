import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';
import { day, type Entry, grant, hour, log, minute, reserve } from '../enforcement-model/log.ts';

/** On 5 May 2026 c1, decommissioned the day before, is provisioned anew for r1, that ends at 1:00, and is never used. */
const lines = log(
  {},
  grant(0, 'g1', '1000'),
  [day - 30 * minute, 'cluster.decommissioned', { cluster_id: 'c1' }],
  onProvision('r1', day, day + hour),
  [day + 15 * minute, 'cluster.provisioned', { cluster_id: 'c1' }],
  onProvision('r2', 3 * day + 90 * minute, 3 * day + 9 * hour),
);

test('N5: a cluster that was ordered off unused is resumed when a reservation comes to hold', () => {
  const { commands } = replayLines(lines, '2026-05-07T01:30:00.000Z');
  const orders = commands.filter((command) => !('alert' in Object(command)));
  expect(orders).toMatchObject([
    { command: 'decommission', reason: 'reservation_ended', issued_at: '2026-05-05T01:00:00.000Z' },
    { command: 'resume', reason: 'reserved', issued_at: '2026-05-07T01:30:00.000Z' },
  ]);
});

function onProvision(id: string, from: number, to: number): Entry {
  const terms = { gpus: 3, price_per_gpu_hour: '1', payment: 'on_provision', overdraft: false };
  return reserve(from, id, from, to, terms);
}
