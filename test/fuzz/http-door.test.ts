import { describe, expect, it } from 'vitest';
import { MemorySink } from '../ingest/harness.ts';
import { fuzzDoor, PARTITIONS } from './http-door.ts';

/** `FUZZ_INPUTS=100000 FUZZ_SEED=7 npx vitest run test/fuzz/http-door.test.ts` runs longer, or again. */
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 2000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_504);

describe('the HTTP door under hostile input', () => {
  it(
    `E4: loses nothing and never crashes: ${INPUTS} inputs from seed ${SEED}`,
    async () => {
      const { statuses, accepted, rejected } = await fuzzDoor(SEED, INPUTS);
      const counts = [...statuses].sort(([, a], [, b]) => b - a).map(([status, count]) => `${status}: ${count}`);
      process.stdout.write(
        `fuzz of the door, seed ${SEED}: ${accepted} accepted, ${rejected} rejected; ${counts.join(', ')}\n`,
      );
      expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(INPUTS);
      // A fuzzer that is turned away at the first check proves nothing about the others.
      expect(accepted).toBeGreaterThan(INPUTS / 4);
      expect(rejected).toBeGreaterThan(INPUTS / 4);
      const seen = [...statuses.keys()].join('\n');
      for (const status of [202, 400, 401, 403, 404, 413, 415]) expect(seen).toContain(String(status));
    },
    60_000 + INPUTS * 20,
  );

  it('is caught by this fuzzer if its log loses, swaps or changes a record, or a refusal is not kept', async () => {
    for (const Broken of [Losing, Swapping, Changing, Forgetting]) {
      await expect(fuzzDoor(SEED, 2000, new Broken(PARTITIONS))).rejects.toThrow(`seed ${SEED}, input `);
    }
  });
});

class Losing extends MemorySink {
  override append(...[partition, records]: Parameters<MemorySink['append']>): ReturnType<MemorySink['append']> {
    return super.append(partition, records.slice(0, 2));
  }
}

class Swapping extends MemorySink {
  override append(...[partition, records]: Parameters<MemorySink['append']>): ReturnType<MemorySink['append']> {
    return super.append(partition, records.toReversed());
  }
}

class Changing extends MemorySink {
  override append(...[partition, records]: Parameters<MemorySink['append']>): ReturnType<MemorySink['append']> {
    return super.append(
      partition,
      records.map((record) => ({ ...record, text: record.text.replace('"gpus":', '"gpu":') })),
    );
  }
}

class Forgetting extends MemorySink {
  override async reject(): ReturnType<MemorySink['reject']> {
    return { kind: 'kept' };
  }
}
