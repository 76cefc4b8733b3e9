import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';
import { gpus, grant, hour, log } from '../enforcement-model/log.ts';

interface Row {
  readonly issued_at: string;
  readonly command: string;
  readonly alert?: string;
  readonly resource: { readonly id: string };
}

/** What a replay says of each command, in its order. */
function commands(lines: readonly string[], until?: string): string[] {
  return replayLines(lines, until).commands.map((row) => {
    const { issued_at, command, alert, resource } = JSON.parse(JSON.stringify(row)) as Row;
    return [issued_at, command, alert, resource.id].filter((part) => part !== undefined).join(' ');
  });
}

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
