import { around, type Directed } from './directed.ts';
import { cancel, day, gpus, grant, hour, log, long, minute, reserve, tick } from './log.ts';

/** N3-N5: clusters of an account without credits of which a reservation holds, or is to begin. */
export const reserved: readonly Directed[] = [
  ...around('N4: a reservation that is to begin: bought after the notice, cancelled before the decommission', (ms) => ({
    lines: log(
      { ...long, decommission_paused_after: '10h' },
      gpus('c1', 1, 0, hour),
      gpus('c2', 1, 0, hour),
      reserve(11 * hour + ms, 'r1', 20 * hour, 40 * hour),
      reserve(11 * hour, 'r2', 20 * hour, 40 * hour, { cluster_id: 'c2' }),
      cancel(12 * hour + ms, 'r2', 20 * hour),
      tick(30 * hour),
    ),
    sees: 'pause cluster',
  })),
  ...around('N4: a reservation is to begin as the episode does', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r1', 2 * hour + ms, 40 * hour),
      gpus('c1', 6, 0, hour),
      gpus('c1', 6, hour, hour + minute),
      tick(90 * hour),
    ),
    sees: 'decommission burst',
  })),
  ...around('N5: a paused cluster of which a reservation comes to hold, with credits and without', (ms) => ({
    lines: log(
      long,
      gpus('c1', 1, 0, hour),
      gpus('c2', 1, 0, hour),
      reserve(2 * hour, 'r1', 3 * hour + ms, 5 * hour),
      grant(3 * hour, 'g1', '5'),
      tick(4 * hour),
    ),
    sees: 'resume cluster',
  })),
  ...around('N3: a burst is due as its reservation ends and another holds on', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r1', 0, 2 * hour + ms),
      reserve(0, 'r2', 0, 9 * hour, { gpu_type: 'A100' }),
      gpus('c1', 6, 0, hour),
      gpus('c1', 3, 0, hour, 'n2'),
      tick(20 * hour),
    ),
    sees: 'decommission burst',
  })),
  ...around('N3: a burst that is ordered away, and then no reservation holds', (ms) => ({
    lines: log(
      long,
      reserve(0, 'r1', 0, 4 * hour),
      reserve(0, 'r2', 4 * hour + ms, 9 * day),
      gpus('c1', 6, 0, hour),
      tick(20 * hour),
    ),
    sees: 'decommission burst 2',
  })),
];
