import { expect, test } from 'vitest';
import { crashRun } from './support/crash-run.ts';

const SEED = 20260504;
const MINUTES = 60_000;

test.each([
  { logTime: 'append', kills: 2, engineKills: 2 },
  { logTime: 'event', kills: 2, engineKills: 1 },
] as const)(
  `L10: after kill -9 under load nothing acknowledged is missing, and the export is the replay of the log: log time $logTime, process killed $kills times, engine $engineKills times (seed ${SEED})`,
  async (plan) => {
    const report = await crashRun({ seed: SEED, ...plan });
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(report.events).toBeGreaterThanOrEqual(report.acknowledged);
    expect(report.lines['rated.ndjson']).toBeGreaterThan(100);
  },
  5 * MINUTES,
);
