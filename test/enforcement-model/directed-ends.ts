import { around, type Directed } from './directed.ts';
import { cancel, extend, gpus, grant, hour, log, long, minute, reserve, tick } from './log.ts';

const debt = gpus('c9', 1, 0, minute);

/** N6, N10: ends of reservations, and of grants. */
export const ends: readonly Directed[] = [
  ...around('N6: cancelled to now with decommission, notices before, at and after it', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 48 * hour),
      gpus('c1', 4, 0, hour),
      cancel(24 * hour + ms, 'r1', 24 * hour, true),
      tick(50 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: cancelled with decommission when less than the shortest notice is left', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 48 * hour),
      gpus('c1', 4, 0, hour),
      cancel(47 * hour + ms, 'r1', 24 * hour, true),
      tick(50 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: cancelled without decommission: the cluster goes on, and is paused for want of credits', (ms) => ({
    lines: log(
      long,
      debt,
      reserve(minute, 'r1', 0, 48 * hour),
      gpus('c1', 6, 0, hour),
      cancel(2 * hour + minute + ms, 'r1', hour),
      tick(90 * hour),
    ),
    sees: 'pause cluster',
  })),
  ...around('N6: cancelled, and then with decommission', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r1', 0, 100 * hour),
      gpus('c1', 4, 0, hour),
      cancel(2 * hour, 'r1', 52 * hour),
      cancel(28 * hour + ms, 'r1', 52 * hour, true),
      tick(90 * hour),
    ),
    sees: 'alert reservation_ending',
  })),
  ...around('N6: extended around an alert of its end, and at its end', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r1', 0, 30 * hour),
      gpus('c1', 6, 0, hour),
      extend(29 * hour + ms, 'r1', 30 * hour + 20 * minute),
      extend(30 * hour + 20 * minute - 1 + ms, 'r1', 80 * hour),
      tick(90 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: new notice times around a notice', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 100 * hour),
      gpus('c1', 4, 0, hour),
      [28 * hour + ms, 'policy.set', { policy: { reservation_end_notices: ['73h', '72h', '60h'] } }],
      [40 * hour + ms, 'policy.set', { policy: { reservation_end_notices: ['61h', '1m'] } }],
      tick(101 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: new notice times when none was sent yet', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 100 * hour),
      gpus('c1', 4, 0, hour),
      [20 * hour + ms, 'policy.set', { policy: { reservation_end_notices: ['80h', '79h'] } }],
      tick(101 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: another begins within 72 h, exactly included', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 30 * hour),
      reserve(0, 'r2', 102 * hour + ms, 200 * hour),
      gpus('c1', 4, 0, hour),
      gpus('c1', 6, 29 * hour, 30 * hour - minute),
      tick(201 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: several end together, or nearly; the lowest is cancelled', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r2', 0, 30 * hour),
      reserve(0, 'r1', 0, 40 * hour),
      reserve(0, 'r3', 0, 30 * hour + ms, { gpu_type: 'A100' }),
      gpus('c1', 14, 0, hour),
      cancel(2 * hour, 'r1', 30 * hour),
      tick(40 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6, C4: charged when its cluster is provisioned, after a notice time', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 72 * hour + ms, { payment: 'on_provision', price_per_gpu_hour: '1' }),
      reserve(0, 'r2', 0, 48 * hour, { payment: 'on_provision', cluster_id: 'c2' }),
      [ms + 1, 'cluster.provisioned', { cluster_id: 'c1' }],
      tick(80 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N6: decommissioned by the control plane around its end, used again or not', (ms) => ({
    lines: log(
      {},
      reserve(0, 'r1', 0, 30 * hour),
      reserve(0, 'r2', 0, 31 * hour),
      gpus('c1', 4, 0, hour),
      [31 * hour + ms, 'cluster.decommissioned', { cluster_id: 'c1' }],
      gpus('c1', 4, 31 * hour, 31 * hour + minute),
      tick(40 * hour),
    ),
    sees: 'alert reservation_ending',
  })),
  ...around('N5, N6: a cluster ordered away at an end is reserved anew', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r1', 0, 30 * hour),
      gpus('c1', 4, 0, hour),
      reserve(30 * hour + ms, 'r2', 31 * hour + ms, 40 * hour),
      tick(41 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N3, N6: a grant expires at the instant of an end', (ms) => ({
    lines: log(
      { ...long, credit_expiry_notices: ['1h', '30h', '31h'] },
      grant(0, 'g1', '900', 30 * hour + ms),
      reserve(0, 'r1', 0, 30 * hour),
      gpus('c1', 6, 0, hour),
      gpus('c2', 1, 0, hour),
      tick(40 * hour),
    ),
    sees: 'decommission cluster',
  })),
  ...around('N10: a grant that expires comes late, is used up before an alert, and has new notice times', (ms) => ({
    lines: log(
      { credit_expiry_notices: ['2d', '1d', '12h'] },
      grant(0, 'g1', '3', 24 * hour + ms),
      grant(0, 'g2', '3', 48 * hour + ms),
      grant(0, 'g3', '3', 49 * hour),
      gpus('c1', 1, 11 * hour, 12 * hour + ms),
      [24 * hour, 'policy.set', { policy: { credit_expiry_notices: ['25h', '2h'] } }],
      tick(50 * hour),
    ),
    sees: 'alert credits_expiring',
  })),
];
