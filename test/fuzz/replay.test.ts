import { describe, expect, test } from 'vitest';
import { REPLAY_FILES, type ReplayFile, type ReplaySink } from '../../cli/replay/fold.ts';
import { fuzzReplay, type Through } from './replay.ts';

/** `TOLLGATE_RUNS=100000 npx vitest run test/fuzz/replay.test.ts` runs longer; TOLLGATE_SEED begins elsewhere. */
const INPUTS = Number(process.env.TOLLGATE_RUNS ?? 2000);
const SEED = Number(process.env.TOLLGATE_SEED ?? 1);
const GROWTH_MAX_BYTES = 32 << 20;

test(
  `E4, X: replay loses nothing, never crashes and keeps the laws: ${INPUTS} hostile lines from seed ${SEED}`,
  async () => {
    const { files, inputs, events, applied, duplicates, rejected, commands, ...heap } = await fuzzReplay(SEED, INPUTS);
    const reasons = [...rejected].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${reason} ${count}`);
    const refused = [...rejected.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `fuzz of replay, seed ${SEED}: ${inputs} hostile lines in ${files} files; ${events} events = ${applied} applied + ` +
        `${duplicates} duplicates + ${refused} rejected; ${commands} commands; rejected: ${reasons.join(', ')}; heap ` +
        `${heap.heapEarlyBytes >> 20} to ${heap.heapLateBytes >> 20} MiB\n`,
    );
    expect(inputs).toBeGreaterThanOrEqual(INPUTS);
    expect(applied + duplicates + refused).toBe(events);
    expect(applied).toBeGreaterThan(events / 5);
    for (const reason of ['malformed', 'unknown_type', 'invalid_field', 'interval_invalid', 'conflict', 'no_price']) {
      expect(rejected.get(reason) ?? 0, reason).toBeGreaterThan(0);
    }
    expect(heap.heapLateBytes - heap.heapEarlyBytes).toBeLessThan(GROWTH_MAX_BYTES);
  },
  60_000 + INPUTS * 30,
);

describe('this fuzzer notices a replay', () => {
  test.each(REPLAY_FILES)('that loses one row in a hundred of %s.ndjson', async (name) => {
    await expect(fuzzReplay(1, 4000, everyHundredth(name, []))).rejects.toThrow(/^seed \d+, kept as /);
  });

  test.each(['ledger', 'commands', 'rejected'] as const)(
    'that writes one row in a hundred of %s.ndjson twice',
    async (name) => {
      await expect(fuzzReplay(1, 4000, everyHundredth(name, ['', '']))).rejects.toThrow(/^seed \d+, kept as /);
    },
  );

  test('that cuts off one rejected event in a hundred', async () => {
    const cut: Through = (sink) => ({
      ...sink,
      row: (file, json) => sink.row(file, file === 'rejected' ? json.replace(/^(.{200}).+$/, '$1"}') : json),
    });
    await expect(fuzzReplay(1, 4000, cut)).rejects.toThrow(/^seed \d+, kept as /);
  });
});

/** Writes every hundredth row of a file as often as there are places. */
function everyHundredth(name: ReplayFile, places: readonly string[]): Through {
  let rows = 0;
  return (sink: ReplaySink) => ({
    ...sink,
    row: (file, json) => {
      if (file === name) rows += 1;
      if (file !== name || rows % 100 !== 0) sink.row(file, json);
      else for (const _ of places) sink.row(file, json);
    },
  });
}
