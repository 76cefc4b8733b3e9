import { isStateError } from '../../../platform/state/port.ts';

/** The work on one partition: taken over by `start`, done by `run` until aborted. Made anew for each try. */
export interface PartitionWorker {
  start(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

export interface WorkersLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
}

/** `stopped`: what it found needs a person; it is tried again when the partition is assigned anew. */
export type WorkerState = 'starting' | 'running' | 'failing' | 'stopped';

export interface WorkersOptions<Worker extends PartitionWorker> {
  readonly make: (partition: number) => Worker;
  /** Whether a fault is such that trying again cannot help: the stores contradict each other, a clock is wrong. */
  readonly needsPerson: (fault: unknown) => boolean;
  /** Told of every try that ended with a fault. */
  readonly onFault: (partition: number, fault: unknown) => void;
  /** Told when a partition has failed so often in a row that the process should end. */
  readonly onGivenUp: (fault: unknown) => void;
  readonly logger: WorkersLogger;
  /** Resolves after that long, or at once when aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface Assigned<Worker> {
  readonly stop: AbortController;
  ended: Promise<void>;
  worker: Worker | undefined;
  state: WorkerState;
  fault: unknown;
}

const PAUSE_MS = 200;
const PAUSE_MS_MAX = 5_000;
/** Some minutes of failing: longer than a broker, Redis or ClickHouse take to come back. */
const FAILURES_MAX = 200;

/** The partition has failed too often in a row. */
export class PartitionKeepsFailing extends Error {
  override readonly name = 'PartitionKeepsFailing';
}

/**
 * One worker for each partition that this process owns: begun when it is assigned, ended when it is taken away, tried again
 * after a fault of a store, with a bound. Whether two processes work on one partition for a moment does not matter here:
 * every write is fenced (ARCHITECTURE).
 */
export class PartitionWorkers<Worker extends PartitionWorker> {
  readonly #options: WorkersOptions<Worker>;
  readonly #assigned = new Map<number, Assigned<Worker>>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: WorkersOptions<Worker>) {
    this.#options = options;
  }

  /** The partitions that this process owns from now on. What it goes on owning is not disturbed. */
  assign(partitions: ReadonlySet<number>): void {
    for (const [partition, { stop, ended }] of this.#assigned) {
      if (partitions.has(partition)) continue;
      this.#assigned.delete(partition);
      stop.abort();
      const done: Promise<void> = ended.finally(() => this.#ending.delete(done));
      this.#ending.add(done);
    }
    for (const partition of partitions) {
      if (!this.#assigned.has(partition)) this.#begin(partition);
    }
  }

  /** Lets every worker write what is open; resolves once all have ended. */
  async stop(): Promise<void> {
    this.assign(new Set());
    await Promise.all(this.#ending);
  }

  /** By partition: what is done for it now, and by whom; no worker between two tries. */
  *entries(): Iterable<{
    readonly partition: number;
    readonly state: WorkerState;
    readonly worker: Worker | undefined;
    readonly fault: unknown;
  }> {
    for (const [partition, { state, worker, fault }] of this.#assigned) yield { partition, state, worker, fault };
  }

  #begin(partition: number): void {
    const assigned: Assigned<Worker> = {
      ...{ stop: new AbortController(), ended: Promise.resolve(), worker: undefined },
      ...{ state: 'starting' as const, fault: undefined },
    };
    this.#assigned.set(partition, assigned);
    assigned.ended = this.#work(partition, assigned);
  }

  async #work(partition: number, assigned: Assigned<Worker>): Promise<void> {
    const { logger, needsPerson, onFault, onGivenUp, sleep } = this.#options;
    const { signal } = assigned.stop;
    for (let failures = 0; !signal.aborted; ) {
      const before = assigned.worker;
      try {
        await this.#try(partition, assigned);
        return;
      } catch (fault) {
        assigned.fault = fault;
        onFault(partition, fault);
        const ran = assigned.state === 'running' && assigned.worker !== before;
        assigned.worker = undefined;
        if (needsPerson(fault)) {
          assigned.state = 'stopped';
          logger.fatal({ partition, err: fault }, 'the partition has stopped');
          return;
        }
        if (signal.aborted) {
          logger.info(
            { partition, err: fault },
            'given away before its last group was written; the next owner repeats it',
          );
          return;
        }
        assigned.state = 'failing';
        failures = ran ? 1 : failures + 1;
        if (isStateError(fault, 'Fenced')) logger.info({ partition, err: fault }, 'another owner or step came before');
        else logger.warn({ partition, failures, err: fault }, 'trying the partition again');
        if (failures >= FAILURES_MAX) {
          onGivenUp(new PartitionKeepsFailing(`partition ${partition}, ${failures} times in a row`, { cause: fault }));
          return;
        }
        await sleep(Math.min(PAUSE_MS * failures, PAUSE_MS_MAX), signal);
      }
    }
  }

  async #try(partition: number, assigned: Assigned<Worker>): Promise<void> {
    const worker = this.#options.make(partition);
    assigned.state = 'starting';
    assigned.worker = worker;
    await worker.start();
    assigned.state = 'running';
    await worker.run(assigned.stop.signal);
  }
}
