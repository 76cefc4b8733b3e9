import { MemorySink } from '../ingest/harness.ts';

/** A log with a fault for a fuzzer to find: one record in a thousand is in it so many times, and not once. */
export class UnevenSink extends MemorySink {
  readonly #times: number;
  #records = 0;

  /** @param times 0 loses the record, 2 writes it twice */
  constructor(times: number, partitions?: number) {
    super(partitions);
    this.#times = times;
  }

  override append(...[partition, records]: Parameters<MemorySink['append']>): ReturnType<MemorySink['append']> {
    const uneven = records.flatMap((record) => {
      this.#records += 1;
      return Array.from({ length: this.#records % 1000 === 0 ? this.#times : 1 }, () => record);
    });
    return super.append(partition, uneven);
  }
}
