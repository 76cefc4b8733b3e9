import { cpus } from 'node:os';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { benchCluster, benchClusterTimes, type ClusterBenchOptions } from './cluster.ts';
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

const counts = (text: string): readonly number[] => text.split(',').map(count);

const program = new Command('bench')
  .description('Measures what docs and README claim. All figures of one claim come from one run on one machine.')
  .argument(
    '[claims...]',
    'rate, replay, memory, embedded, log, cluster, cluster-times; rate, replay and embedded without any',
  )
  .option('--samples <n>', 'samples of replay, embedded and the clusters (500,000; of the clusters 2,000,000)', count)
  .option('--rounds <n>', 'how often the cluster is measured; the median counts', count, 3)
  .option('--partitions <n,...>', 'of the log of the cluster, each measured', counts, [4, 16])
  .option('--skeleton <folder>', 'of a ceiling.mjs that is measured beside our own skeleton')
  .parse();

type Options = Omit<ClusterBenchOptions, 'samples'> & { readonly samples?: number };
const { samples, rounds, partitions, skeleton } = program.opts<Options>();
const few = samples ?? 500_000;
const cluster = { samples: samples ?? 2_000_000, rounds, partitions, skeleton };
const benches: ReadonlyMap<string, Bench> = new Map<string, Bench>([
  ['rate', benchRate],
  ['replay', () => benchReplay(few)],
  ['memory', () => benchReplayMemory(MEMORY_SIZES)],
  ['embedded', () => benchEmbedded(few)],
  ['log', benchLog],
  ['cluster', () => benchCluster(cluster)],
  ['cluster-times', () => benchClusterTimes(cluster)],
]);
const chosen = program.args.length > 0 ? program.args : ['rate', 'replay', 'embedded'];
const unknown = chosen.filter((name) => !benches.has(name));
if (unknown.length > 0) {
  program.error(`no claim ${unknown.join(', ')}; there are ${[...benches.keys()].join(', ')}`, { exitCode: 2 });
}
const table = new Table({ head: ['claim', 'measured', 'aim'] });
for (const name of chosen) {
  process.stderr.write(`${name} ...\n`);
  for (const { claim, value, aim } of (await benches.get(name)?.()) ?? []) table.push([claim, value, aim]);
}
const [cpu] = cpus();
process.stdout.write(`${table.toString()}\n${cpus().length} x ${cpu?.model ?? 'unknown'}, Node ${process.version}\n`);
