import { around, type Directed } from './directed.ts';
import { day, gpus, grant, hour, log, long, minute, reserve, storage, tick, unpaid } from './log.ts';

/** N5, N7: orders that go on, are taken back or are confirmed. */
export const orders: readonly Directed[] = [
  ...around('N7: attempts, one that stops just before a look, and overdue_after as it was', (ms) => ({
    lines: log(
      { overdue_after: '1h', activity_window: `1h` },
      gpus('c1', 1, 0, hour),
      [2 * hour, 'policy.set', { policy: { overdue_after: '1m', activity_window: '1h' } }],
      gpus('c1', 1, hour, 2 * hour + ms),
      gpus('c1', 1, 3 * hour, 4 * hour),
      tick(100 * hour),
    ),
    sees: 'pause cluster',
  })),
  {
    title: 'N7: attempts 2, 3, 24, 48 and 72 come after an alert',
    lines: log(long, unpaid, tick(80 * hour)),
    sees: 'pause cluster 72',
  },
  {
    title: 'N7: attempts of a burst, of a decommission and of a volume go on for days',
    lines: log(
      { ...long, decommission_paused_after: '1h', decommission_revoked_after: '1h' },
      reserve(0, 'r1', 0, 60 * day),
      gpus('c1', 6, 0, hour),
      gpus('c2', 6, hour, 2 * hour),
      storage('v1', 6, 0, 2 * hour),
      tick(5 * day),
    ),
    sees: 'decommission burst 96',
  },
  ...around('N5: resume_runway covered exactly, by a nano more or less', (nanos) => ({
    lines: log(
      { ...long, resume_runway: '2h' },
      unpaid,
      gpus('c2', 2, hour, hour + minute),
      grant(5 * hour, 'g1', '3.100000001'),
      grant(6 * hour, 'g2', `${17 + (nanos >= 0 ? 1 : 0)}.${String(10 ** 9 - 1 + nanos).slice(-9)}`),
      grant(7 * hour, 'g3', '9'),
      tick(9 * hour),
    ),
    sees: 'resume cluster',
  })),
  ...around('N5: a revoked volume that went idle, given back, and revoked again', (ms) => ({
    lines: log(
      { revoke_after: '1h' },
      storage('v1', 100, 0, hour),
      storage('v1', 100, hour, 2 * hour - minute),
      grant(40 * hour, 'g1', '5'),
      storage('v1', 100, 41 * hour, 41 * hour + minute),
      storage('v1', 9000, 50 * hour, 60 * hour + ms),
      storage('v1', 9000, 60 * hour + ms, 61 * hour),
      tick(20 * day),
    ),
    sees: 'restore volume',
  })),
  ...around('N5: a decommission that was not confirmed is taken back, and announced anew', (ms) => ({
    lines: log(
      { ...long, decommission_paused_after: '1h', decommission_revoked_after: '1h', resume_runway: '100h' },
      unpaid,
      storage('v1', 100, 0, hour),
      grant(3 * hour + ms, 'g1', '4'),
      gpus('c1', 4, 4 * hour, 5 * hour),
      grant(26 * hour + ms, 'g2', '12'),
      gpus('c1', 4, 30 * hour, 31 * hour),
      tick(20 * day),
    ),
    sees: 'decommission cluster',
  })),
  ...around('C6, N3: provisioned and used again after a decommission', (ms) => ({
    lines: log(
      { ...long, decommission_paused_after: '1h' },
      unpaid,
      [3 * hour + ms, 'cluster.decommissioned', { cluster_id: 'c1' }],
      [3 * hour + ms, 'cluster.provisioned', { cluster_id: 'c1' }],
      gpus('c1', 1, 3 * hour + minute, 4 * hour, 'n2'),
      tick(8 * hour),
    ),
    sees: 'alert resource_unfunded',
  })),
  ...around('C6, N7: a decommission confirmed as it is due, and due again', (ms) => ({
    lines: log(
      { ...long, decommission_paused_after: '1h', revoke_after: '1h', decommission_revoked_after: '1h' },
      unpaid,
      storage('v1', 1, 0, hour),
      [3 * hour + ms, 'volume.decommissioned', { volume_id: 'v1' }],
      [3 * hour + 30 * minute + ms, 'cluster.decommissioned', { cluster_id: 'c1' }],
      storage('v1', 1, 3 * hour, 4 * hour),
      tick(8 * hour),
    ),
    sees: 'revoke volume',
  })),
  ...around('C6: decommissioned twice at one instant, used in between', (ms) => ({
    lines: log(
      long,
      [hour, 'cluster.decommissioned', { cluster_id: 'c1' }],
      [hour, 'usage.gpu', { ...unpaid[2], end: hour + ms + 1 }],
      [hour, 'cluster.decommissioned', { cluster_id: 'c1' }],
      gpus('c1', 1, hour + minute, 2 * hour + ms),
      tick(4 * hour),
    ),
    sees: ms < 0 ? 'pause cluster' : 'alert resource_unfunded',
  })),
  ...around(
    'N7: an order stands though its volume was not used for so long that nothing else is known of it',
    (ms) => ({
      lines: log(
        { decommission_revoked_after: '1h', revoke_after: '1h', activity_window: '12h' },
        [0, 'volume.decommissioned', { volume_id: 'v1' }],
        storage('v1', 9, hour, 2 * hour),
        tick(50 * day),
        storage('v1', 9, 90 * day, 90 * day + hour + ms),
        tick(91 * day),
      ),
      sees: 'decommission volume 2',
    }),
  ),
];
