import { cpus } from 'node:os';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { benchEmbedded } from './embedded.ts';
import { benchLog } from './log-append.ts';
import { benchRate } from './rate.ts';
import { benchReplay, benchReplayMemory } from './replay.ts';
import type { Result } from './result.ts';

const MEMORY_SIZES = [1_000_000, 10_000_000];

type Bench = () => readonly Result[] | Promise<readonly Result[]>;

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1');
  return value;
};

const program = new Command('bench')
  .description('Measures what docs and README claim. All figures of one claim come from one run on one machine.')
  .argument('[claims...]', 'rate, replay, memory, embedded, log; rate, replay and embedded without any')
  .option('--samples <n>', 'samples of replay and embedded', count, 500_000)
  .parse();

const { samples } = program.opts<{ samples: number }>();
const benches: ReadonlyMap<string, Bench> = new Map<string, Bench>([
  ['rate', benchRate],
  ['replay', () => benchReplay(samples)],
  ['memory', () => benchReplayMemory(MEMORY_SIZES)],
  ['embedded', () => benchEmbedded(samples)],
  ['log', benchLog],
]);
const chosen = program.args.length > 0 ? program.args : ['rate', 'replay', 'embedded'];
const table = new Table({ head: ['claim', 'measured', 'aim'] });
for (const name of chosen) {
  const bench = benches.get(name);
  if (bench === undefined)
    program.error(`no claim ${name}; there are ${[...benches.keys()].join(', ')}`, { exitCode: 2 });
  process.stderr.write(`${name} ...\n`);
  for (const { claim, value, aim } of (await bench?.()) ?? []) table.push([claim, value, aim]);
}
const [cpu] = cpus();
process.stdout.write(`${table.toString()}\n${cpus().length} x ${cpu?.model ?? 'unknown'}, Node ${process.version}\n`);
