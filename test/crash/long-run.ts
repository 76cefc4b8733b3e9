import { parseArgs } from 'node:util';
import { crashRun } from './support/crash-run.ts';

/** `npx tsx test/crash/long-run.ts --kills 50 --engine-kills 20 [--seed N]`: the long form of crash.test.ts, shared by both kinds of log. */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    'engine-kills': { type: 'string', default: '20' },
    seed: { type: 'string', default: '20260504' },
  },
});
const kills = Number(values.kills);
const engineKills = Number(values['engine-kills']);
const seed = Number(values.seed);
for (const [index, logTime] of (['append', 'event'] as const).entries()) {
  const share = (of: number): number => (index === 0 ? Math.ceil(of / 2) : Math.floor(of / 2));
  const report = await crashRun({
    seed: seed + index,
    logTime,
    kills: share(kills),
    engineKills: share(engineKills),
    tell: (line) => process.stdout.write(`${logTime}: ${line}\n`),
  });
  process.stdout.write(`${logTime}: ${JSON.stringify(report)}\n`);
}
