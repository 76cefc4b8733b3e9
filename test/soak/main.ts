import { parseArgs } from 'node:util';
import { FAULT_KINDS } from './faults.ts';
import { countsFor, WHOLE } from './schedule.ts';
import { soak } from './soak.ts';
import { faultTable, verdictText } from './table.ts';

/**
 * `npm run soak -- [--data DIR] [--faults N] [--minutes M] [--seed S]`: exactly once, under faults, on real servers. A run
 * that was interrupted goes on by the same command. Exit code 0 if all holds, 1 if not or if it was interrupted.
 */
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.tollgate-soak' },
    faults: { type: 'string', default: `${FAULT_KINDS.reduce((sum, kind) => sum + WHOLE[kind], 0)}` },
    minutes: { type: 'string', default: '120' },
    seed: { type: 'string', default: '20260504' },
  },
});
const [faults, minutes, seed] = [Number(values.faults), Number(values.minutes), Number(values.seed)];
if (![faults, minutes, seed].every((value) => Number.isFinite(value) && value > 0)) {
  throw new Error('--faults, --minutes and --seed are numbers above 0');
}
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const begun = performance.now();
const tell = (line: string): void => {
  const seconds = Math.floor((performance.now() - begun) / 1000);
  process.stdout.write(`${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')} ${line}\n`);
};
tell(`seed ${seed}, ${faults} faults, at most ${minutes} minutes of them, in ${values.data}`);
const counts = countsFor(faults);
const { inflicted, verdict, deaths } = await soak({
  ...{ folder: values.data, seed, counts, partitions: 8, services: { ingest: 2, rater: 3, enforcer: 2 } },
  ...{ accounts: 48, senders: 4, rate: 250, faultsMs: minutes * 60_000, signal: interrupted.signal, tell },
});
for (const [name, of] of Object.entries(deaths)) if (of.length > 0) tell(`${name} ended by itself ${of.length} times`);
process.stdout.write(`${faultTable(inflicted, counts)}\n`);
if (verdict === undefined) tell('interrupted: the same command goes on');
else process.stdout.write(`${verdictText(verdict)}\n`);
process.exitCode = verdict?.faults.length === 0 ? 0 : 1;
