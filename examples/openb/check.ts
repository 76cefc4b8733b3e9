import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { type PartOptions, toPart, withPartOptions } from './arguments.ts';
import { compare, compareLabels } from './compare.ts';
import { daysOf } from './convert-file.ts';
import { expectedLabels, expectedSums } from './expected.ts';
import { type Replayed, type ReplayedSum, readReplayed } from './replayed.ts';
import { HOUR_MS } from './time.ts';
import { readWarehouse } from './warehouse.ts';

/**
 * Compares what a replay, or a running Tollgate, made of a converted log with the pod list itself, by expected.sql. Prints
 * what was billed and what differs, as JSON. Exit code 0 if nothing differs, 1 if something does, 2 for a bad call.
 */
const program = withPartOptions(
  new Command('check')
    .description('Compares what was billed with what SQL finds in the pod list. Give the options that converted it.')
    .option('--replayed <dir>', 'the directory that `tollgate replay` wrote')
    .option('--clickhouse <url>', 'or the ClickHouse of a Tollgate into which the log, and nothing else, was published')
    .requiredOption('--events <file>', 'the converted log: its reservations say what is reserved and burst'),
);
program.parse();

const GIB_MONTH_HOURS = 730;
const options = program.opts<PartOptions & { replayed?: string; clickhouse?: string; events: string }>();
const chosen = toPart(options);
const part = { ...chosen, days: chosen.days ?? (await daysOf(chosen.podsPath, chosen.fromDay)) };
const scratch = mkdtempSync(join(tmpdir(), 'openb-check-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
const { replayed, rejectedPath, summary } = await read();
const comparison = compare(await expectedSums(part), replayed.sums);
const labels = await expectedLabels(part, options.events, rejectedPath);
const differences = [...comparison.differences, ...compareLabels(labels, replayed.sums)];
process.stdout.write(
  `${JSON.stringify(
    {
      ...(summary === undefined ? {} : { summary }),
      rejected: Object.fromEntries(replayed.rejections),
      rated_lines: replayed.lines,
      billed: billedByCategory(replayed.sums),
      commands: Object.fromEntries(replayed.commands),
      compared: { ...comparison, labels: labels.length * 3, differences: differences.length },
      differences: differences.slice(0, 20),
    },
    undefined,
    2,
  )}\n`,
);
process.exitCode = differences.length === 0 ? 0 : 1;

/** What is to be compared, and a file of the events that were rejected. */
async function read(): Promise<{ replayed: Replayed; rejectedPath: string; summary?: unknown }> {
  const { replayed: dir, clickhouse } = options;
  if (dir !== undefined && clickhouse === undefined) {
    const summary: unknown = JSON.parse(await readFile(join(dir, 'summary.json'), 'utf8'));
    return { replayed: await readReplayed(dir), rejectedPath: join(dir, 'rejected.ndjson'), summary };
  }
  if (clickhouse === undefined || dir !== undefined) return program.error('Give one of --replayed and --clickhouse.');
  const replayed = await readWarehouse(clickhouse);
  const rejectedPath = join(scratch, 'rejected.ndjson');
  await writeFile(rejectedPath, replayed.rejected);
  return { replayed, rejectedPath };
}

/** Quantities in GPU-hours or GiB-months to two places, and the exact amounts in USD. */
function billedByCategory(sums: readonly ReplayedSum[]): Record<string, unknown> {
  const totals = new Map<string, { quantityMs: bigint; amountNanos: bigint; listNanos: bigint }>();
  for (const { category, correction, quantityMs, amountNanos, listNanos } of sums) {
    const key = correction ? `${category}, correction` : category;
    const total = totals.get(key) ?? { quantityMs: 0n, amountNanos: 0n, listNanos: 0n };
    total.quantityMs += quantityMs;
    total.amountNanos += amountNanos;
    total.listNanos += listNanos;
    totals.set(key, total);
  }
  const rows = [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    rows.map(([category, { quantityMs, amountNanos, listNanos }]) => {
      const hours = Number(quantityMs) / HOUR_MS;
      const quantity = category.startsWith('storage')
        ? { gib_months: (hours / GIB_MONTH_HOURS).toFixed(2) }
        : { gpu_hours: hours.toFixed(2) };
      return [category, { ...quantity, amount: usd(amountNanos), list_amount: usd(listNanos) }];
    }),
  );
}

function usd(nanos: bigint): string {
  const digits = nanos.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
