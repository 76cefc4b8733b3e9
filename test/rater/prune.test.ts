import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const JUNE = Date.UTC(2026, 5, 1);

function event(type: string, time: number, data: object, subject?: string): string {
  const id = `${type}:${time}`;
  return JSON.stringify({ specversion: '1.0', id, source: 'test', type, ...(subject ? { subject } : {}), time, data });
}

const OPENED = [
  event('prices.published', JUNE, { effective_from: JUNE - 40 * DAY_MS, gpu_hour: { H100: '3' }, gib_month: '0.73' }),
  event('account.opened', JUNE, {}, 'acme'),
];

/** A sample of a resource that was decommissioned after the sample's end: it is billed, but never makes it active. */
const LATE = {
  cluster: event(
    'usage.gpu',
    JUNE + 2 * DAY_MS,
    { cluster_id: 'c1', node_id: 'n1', gpu_type: 'H100', gpus: 1, start: JUNE - 4 * DAY_MS, end: JUNE - 3 * DAY_MS },
    'acme',
  ),
  volume: event(
    'usage.storage',
    JUNE + 2 * DAY_MS,
    { volume_id: 'v1', size_gib: 10, start: JUNE - 4 * DAY_MS, end: JUNE - 3 * DAY_MS },
    'acme',
  ),
};

test.each(['cluster', 'volume'] as const)(
  'R2, L8: late usage of a decommissioned %s is billed once, also when it comes again after a month became final',
  (kind) => {
    const gone = event(
      `${kind}.decommissioned`,
      JUNE + DAY_MS,
      { [`${kind}_id`]: kind === 'cluster' ? 'c1' : 'v1' },
      'acme',
    );
    const tick = event('clock.tick', JUNE + 20 * DAY_MS, {});
    const { summary } = replayLines([...OPENED, gone, LATE[kind], tick, LATE[kind]]);
    expect(summary).toMatchObject({ applied: 5, duplicates: 1, rejected: 0 });
  },
);

test('R2: what no sample can reach any more is forgotten: the same interval 36 days later is too late, not billed', () => {
  const tick = event('clock.tick', JUNE + 45 * DAY_MS, {});
  const { summary, rejected } = replayLines([...OPENED, LATE.cluster, tick, LATE.cluster]);
  expect(summary).toMatchObject({ rejected: 1 });
  expect(rejected).toMatchObject([{ reason: 'too_late' }]);
});
