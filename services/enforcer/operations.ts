import type { EventLog } from '../../platform/log/port.ts';
import { type Operation, readOperation } from '../shared/contracts/operation.ts';
import { TOPICS } from '../shared/topics.ts';
import type { WireFormat } from '../shared/wire/wire-format.ts';

const LIMITS = { recordsMax: 1000, bytesMax: 1 << 20 } as const;

/** N11: one partition of the log of operations, read as it grows. */
export class Operations {
  readonly #log: EventLog;
  readonly #wire: WireFormat;
  readonly #partition: number;
  #offset: number;
  /** Something may stand at `#offset`. */
  #grown = true;
  #fault: Error | undefined;
  #watch: () => void = () => undefined;

  constructor(deps: { readonly log: EventLog; readonly wire: WireFormat }, partition: number, offset: number) {
    this.#log = deps.log;
    this.#wire = deps.wire;
    this.#partition = partition;
    this.#offset = offset;
  }

  /** Of the first operation that was not taken. */
  get nextOffset(): number {
    return this.#offset;
  }

  /** Whether `take` may have something to give. */
  get waiting(): boolean {
    return this.#grown;
  }

  /** From now on calls `onGrown` when there is something to take, until aborted. */
  watch(signal: AbortSignal, onGrown: () => void): void {
    this.#watch = () => {
      this.#log.waitFor(TOPICS.operations, this.#partition, this.#offset, signal).then(
        (grown) => {
          if (!grown) return;
          this.#grown = true;
          onGrown();
        },
        (fault: unknown) => {
          this.#fault = fault instanceof Error ? fault : new Error(String(fault));
          this.#grown = true;
          onGrown();
        },
      );
    };
  }

  /** The operations that came since the last call, some at a time. @throws the fault of the log */
  async take(): Promise<readonly Operation[]> {
    if (this.#fault !== undefined) throw this.#fault;
    if (!this.#grown) return [];
    const records = await this.#log.read(TOPICS.operations, this.#partition, this.#offset, LIMITS);
    await this.#wire.learn(
      TOPICS.operations,
      records.map(({ value }) => value),
    );
    this.#offset += records.length;
    if (records.length === 0) {
      this.#grown = false;
      this.#watch();
    }
    return records.map(({ value }) => readOperation(this.#wire.decode(TOPICS.operations, value)));
  }
}
