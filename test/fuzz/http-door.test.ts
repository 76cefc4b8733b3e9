import { describe, expect, it } from 'vitest';
import { MemorySink } from '../ingest/harness.ts';
import { fuzzDoor, PARTITIONS } from './http-door.ts';
import { UnevenSink } from './uneven-sink.ts';

/** `TOLLGATE_RUNS=100000 npx vitest run test/fuzz/http-door.test.ts` runs longer; TOLLGATE_SEED begins elsewhere. */
const INPUTS = Number(process.env.TOLLGATE_RUNS ?? 2000);
const SEED = Number(process.env.TOLLGATE_SEED ?? 20_260_504);

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

  it.each([
    ['loses what comes after two records', () => new Losing(PARTITIONS)],
    ['loses one record in a thousand', () => new UnevenSink(0, PARTITIONS)],
    ['swaps records', () => new Swapping(PARTITIONS)],
    ['changes a record', () => new Changing(PARTITIONS)],
    ['keeps no refusal', () => new Forgetting(PARTITIONS)],
    ['forgets one refusal in a thousand', () => new ForgettingFew(PARTITIONS)],
  ])('is caught by this fuzzer if its log %s', async (_, broken) => {
    await expect(fuzzDoor(SEED, 4000, broken())).rejects.toThrow(`seed ${SEED}, input `);
  });
});

class Losing extends MemorySink {
  override append(...[partition, records]: Parameters<MemorySink['append']>): ReturnType<MemorySink['append']> {
    return super.append(partition, records.slice(0, 2));
  }
}

class ForgettingFew extends MemorySink {
  #records = 0;

  override reject(records: Parameters<MemorySink['reject']>[0]): ReturnType<MemorySink['reject']> {
    return super.reject(records.filter(() => ++this.#records % 1000 !== 0));
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
