import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';

/** On 2 March 2026 c1, decommissioned the day before, is provisioned anew for r1, that ends at 1:00, and is never used. */
const log = [
  ['2026-03-01T00:00', 'account.opened', {}],
  ['2026-03-01T00:00', 'credits.granted', { grant_id: 'g1', amount: '1000', kind: 'paid' }],
  ['2026-03-01T23:30', 'cluster.decommissioned', { cluster_id: 'c1' }],
  ['2026-03-02T00:00', 'reservation.purchased', reservation('r1', '2026-03-02T00:00', '2026-03-02T01:00')],
  ['2026-03-02T00:15', 'cluster.provisioned', { cluster_id: 'c1' }],
  ['2026-03-04T01:30', 'reservation.purchased', reservation('r2', '2026-03-04T01:30', '2026-03-04T09:00')],
] as const;

test('N5: a cluster that was ordered off unused is resumed when a reservation comes to hold', () => {
  const lines = log.map(([time, type, data], index) =>
    JSON.stringify({
      specversion: '1.0',
      id: `e${index}`,
      source: 'ops',
      type,
      subject: 'acme',
      time: `${time}:00.000Z`,
      data,
    }),
  );
  const { commands } = replayLines(lines, '2026-03-04T01:30:00.000Z');
  const orders = commands.filter((command) => !('alert' in Object(command)));
  expect(orders).toMatchObject([
    { command: 'decommission', reason: 'reservation_ended', issued_at: '2026-03-02T01:00:00.000Z' },
    { command: 'resume', reason: 'reserved', issued_at: '2026-03-04T01:30:00.000Z' },
  ]);
});

function reservation(id: string, from: string, to: string): object {
  return {
    reservation_id: id,
    cluster_id: 'c1',
    gpu_type: 'H100',
    gpus: 3,
    starts_at: `${from}:00.000Z`,
    ends_at: `${to}:00.000Z`,
    price_per_gpu_hour: '1',
    payment: 'on_provision',
  };
}
