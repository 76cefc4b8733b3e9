import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ReplayOutput, replayLines } from '../../cli/replay.ts';
import { ALERT_KINDS } from '../../services/shared/contracts/command.ts';
import { type Census, type Counted, census, printCensus } from '../histories/census.ts';
import { type History, historyArbitrary } from '../histories/history.ts';
import { keptLines, keptNames } from '../histories/kept.ts';
import { checkLaws } from './check-laws.ts';
import { replayInPieces } from './in-pieces.ts';

/** A long run sets TOLLGATE_RUNS, and TOLLGATE_SEED to begin elsewhere; LONG-RUN.md has the counts of one. */
const runs = Number(process.env.TOLLGATE_RUNS ?? 5000);
const seed = Number(process.env.TOLLGATE_SEED ?? 20260501);

/** How often everything has to come up: in a run of 50,000 at least 100 times. */
const leastOfEach = Math.floor(runs / 500);

/** `enforcement_suspended` cannot come up: it looks at the wall clock, and a replay has none (N9). */
const alerts = ALERT_KINDS.filter((kind) => kind !== 'enforcement_suspended');
const names = [
  ...prefixed(
    'event',
    'usage.gpu usage.storage account.opened policy.set credits.granted reservation.purchased reservation.extended ' +
      'reservation.cancelled cluster.provisioned cluster.decommissioned volume.created volume.decommissioned ' +
      'prices.published contract.priced clock.tick',
  ),
  ...prefixed(
    'reason',
    'malformed unknown_type invalid_field interval_invalid interval_too_long in_future too_late unknown_account ' +
      'conflict no_price retroactive_price unknown_reservation not_allowed insufficient_credits',
  ),
  ...prefixed('category', 'reserved burst on_demand storage correction'),
  ...prefixed('ledger', 'grant usage reservation expiry refund'),
  ...prefixed('level', 'active low exhausted'),
  ...alerts.map((kind) => `alert ${kind}`),
  'command pause cluster credits_exhausted',
  'command pause cluster credits_exhausted again',
  'command decommission burst credits_exhausted',
  'command decommission burst credits_exhausted again',
  'command decommission cluster credits_exhausted',
  'command decommission cluster credits_exhausted again',
  'command decommission cluster reservation_ended',
  'command decommission cluster reservation_ended again',
  'command decommission volume credits_exhausted',
  'command decommission volume credits_exhausted again',
  'command revoke volume credits_exhausted',
  'command resume cluster credits_restored',
  'command resume cluster reserved',
  'command restore volume credits_restored',
];

test(`L1-L10: hold of ${runs} random histories (seed ${seed})`, () => {
  const counts: Census = new Map();
  const lengths: number[] = [];
  const checked = { instants: 0, reservedInstants: 0, hours: 0, hoursLeftOut: 0 };
  fc.assert(
    fc.property(historyArbitrary(), ({ lines, until }) => {
      const output = replayLines(lines, until);
      lengths.push(lines.length);
      expect(checkLaws(lines, output, until, checked)).toEqual([]);
      expect(unlikeInPieces({ lines, ...(until === undefined ? {} : { until }) }, output)).toBeUndefined();
      census(lines, counted(output), counts);
    }),
    { numRuns: runs, seed, endOnFailure: false },
  );
  const median = lengths.sort((left, right) => left - right)[Math.floor(lengths.length / 2)] ?? 0;
  process.stdout.write(
    `seed ${seed}: ${runs} histories, ${median} events at the median; L9 ${JSON.stringify(checked)}\n`,
  );
  process.stdout.write(`${printCensus(counts)}\n`);
  expect(median).toBeGreaterThanOrEqual(40);
  expect(checked.reservedInstants).toBeGreaterThan(runs);
  const rare = names.filter((name) => (counts.get(name) ?? 0) < leastOfEach);
  expect(rare, `fewer than ${leastOfEach} times`).toEqual([]);
}, 7_200_000);

test.each(keptNames())('L1-L10: hold of a history worth keeping: %s', (name) => {
  const lines = keptLines(name);
  const output = replayLines(lines);
  expect(checkLaws(lines, output, undefined)).toEqual([]);
  expect(unlikeInPieces({ lines }, output)).toBeUndefined();
});

/** L10: a second run that restarts after every so many lines gives the same bytes; undefined, or the file that differs. */
function unlikeInPieces({ lines, until }: History, output: ReplayOutput): string | undefined {
  const pieces = replayInPieces(lines, until, [2, 5, 17, 60][lines.length % 4] ?? 2);
  for (const file of ['rated', 'ledger', 'balances', 'commands', 'invoices'] as const) {
    const again = pieces[file].map((row): unknown => JSON.parse(row));
    if (JSON.stringify(again) !== JSON.stringify(output[file])) return file;
  }
  return undefined;
}

function counted({ rated, ledger, rejected, balances, commands }: ReplayOutput): Counted {
  return { rated, ledger, rejected, balances, commands } as Counted;
}

function prefixed(prefix: string, words: string): string[] {
  return words.split(' ').map((word) => `${prefix} ${word}`);
}
