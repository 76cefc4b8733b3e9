import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';
import { cancel, gpus, grant, hour, log, reserve, tick } from '../enforcement-model/log.ts';

interface Row {
  readonly issued_at: string;
  readonly command: string;
  readonly alert?: string;
  readonly resource: { readonly id: string };
  readonly reason: string;
  readonly detail?: { readonly follows?: string };
}

function rowOf(row: unknown): Row {
  return JSON.parse(JSON.stringify(row)) as Row;
}

/** What a replay says of each command, in its order. */
function commands(lines: readonly string[], until?: string): string[] {
  return replayLines(lines, until).commands.map((row) => {
    const { issued_at, command, alert, resource } = rowOf(row);
    return [issued_at, command, alert, resource.id].filter((part) => part !== undefined).join(' ');
  });
}

test('N6: what follows an end that another reservation shares, whose end decommissions the cluster, is its decommission', () => {
  const until = 40 * hour;
  const lines = log(
    {},
    grant(0, 'g1', '1000'),
    reserve(0, 'r1', 0, until),
    reserve(0, 'r2', 0, 30 * hour),
    gpus('c1', 8, 0, hour),
    cancel(2 * hour, 'r1', 30 * hour),
    tick(until),
  );
  const follows = replayLines(lines).commands.map((row) => rowOf(row).detail?.follows ?? rowOf(row).reason);
  const shared = Array<string>(5).fill('decommission');
  expect(follows).toEqual(['decommission', 'nothing', ...shared, 'reservation_ended']);
});

test('N2: a threshold that a policy leaves out for a while does not alert again before realert_after', () => {
  const low = { low_runway: ['4h'], activity_window: '72h' };
  const lines = log(
    low,
    grant(0, 'g1', '15'),
    gpus('c1', 1, 0, hour),
    [2 * hour, 'policy.set', { policy: { ...low, low_runway: [] } }],
    [3 * hour, 'policy.set', { policy: low }],
    [25 * hour - 1, 'policy.set', { policy: { ...low, low_runway: [] } }],
    [25 * hour, 'policy.set', { policy: low }],
  );
  const at = ['2026-05-04T01:00:00.000Z', '2026-05-05T01:00:00.000Z'];
  expect(commands(lines)).toEqual(at.map((instant) => `${instant} alert credits_low acme`));
});
