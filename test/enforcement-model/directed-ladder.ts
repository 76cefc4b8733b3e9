import { around, type Directed } from './directed.ts';
import { day, gpus, grant, hour, log, long, reserve, storage, tick, unpaid } from './log.ts';

/** N2-N4: what comes to an account without credits, and whether it is still to be done at its time. */
export const ladder: readonly Directed[] = [
  ...around('N3: a balance of a nano more, of 0, of a nano less', (nanos) => ({
    lines: log({}, grant(0, 'g1', `${3 * 10 ** 9 - nanos}`.replace(/^(\d)/, '$1.')), unpaid, tick(30 * hour)),
    sees: nanos < 0 ? 'alert credits_low' : 'alert credits_exhausted',
  })),
  ...around('N4: a pause that waits up to 24 h', (ms) => ({
    lines: log({}, unpaid, gpus('c1', 1, 25 * hour, 26 * hour + ms), tick(120 * hour)),
    sees: ms < 0 ? 'pause cluster' : 'alert resource_unfunded',
  })),
  ...around('N4: a revoke that waits, and the reminders of what moves with it', (ms) => ({
    lines: log({}, storage('v1', 100, 0, hour), storage('v1', 100, 30 * hour, 32 * hour + ms), tick(20 * day)),
    sees: 'decommission volume',
  })),
  ...around('N4: an activity window made longer while a pause waits', (ms) => ({
    lines: log({}, unpaid, [25 * hour + ms, 'policy.set', { policy: { activity_window: '25h' } }], tick(200 * hour)),
    sees: 'pause cluster',
  })),
  ...around('N4: a pause that waits as a reservation begins', (ms) => ({
    lines: log(
      {},
      unpaid,
      reserve(3 * hour, 'r1', 5 * hour, 40 * hour),
      gpus('c1', 6, 4 * hour, 5 * hour + ms),
      tick(90 * hour),
    ),
    sees: ms < 0 ? 'pause cluster' : 'alert resource_unfunded',
  })),
  ...around('N5: restored as a pause waits, and exhausted again', (ms) => ({
    lines: log(
      {},
      unpaid,
      grant(20 * hour, 'g1', '3.000000001'),
      gpus('c1', 1, 21 * hour, 22 * hour + ms),
      tick(110 * hour),
    ),
    sees: 'alert credits_restored',
  })),
  ...around('N4: still idle, or just active, at its time', (ms) => ({
    lines: log(
      { activity_window: '1h' },
      gpus('c1', 1, 0, hour + ms),
      gpus('c1', 1, 2 * hour, 3 * hour),
      tick(90 * hour),
    ),
    sees: 'pause cluster',
  })),
  ...around('N4: a reminder at the instant of the pause', (seconds) => ({
    lines: log({ ...long, decommission_paused_after: `${86400 + seconds}s` }, unpaid, tick(40 * hour)),
    sees: 'alert action_reminder',
  })),
  ...around('N4: a reminder at the instant of the notice is left out', (seconds) => ({
    lines: log({ ...long, revoke_after: `${3601 + seconds}s` }, storage('v1', 9, 0, hour), tick(16 * day)),
    sees: 'alert action_reminder',
  })),
  ...around('N3: announced times stand, whatever a later policy says', (ms) => ({
    lines: log(
      long,
      unpaid,
      storage('v1', 9, 0, hour),
      [
        2 * hour + ms,
        'policy.set',
        { policy: { ...long, pause_after: '5m', decommission_paused_after: '1h', revoke_after: '2h' } },
      ],
      gpus('c2', 1, 2 * hour, 3 * hour),
      tick(20 * day),
    ),
    sees: 'decommission volume',
  })),
  ...around('N2: the same threshold again after realert_after', (ms) => ({
    lines: log(
      { ...long, low_runway: ['4h', '2h'], realert_after: '6h' },
      grant(0, 'g1', '15'),
      unpaid,
      [2 * hour, 'policy.set', { policy: { ...long, low_runway: [], realert_after: '6h' } }],
      [7 * hour + ms, 'policy.set', { policy: { ...long, low_runway: ['4h'], realert_after: '6h' } }],
      gpus('c1', 2, 8 * hour, 10 * hour),
      grant(11 * hour, 'g2', '40'),
      gpus('c1', 7, 11 * hour, 12 * hour),
    ),
    sees: 'alert credits_low',
  })),
];
