import type { RootDatabase } from 'lmdb';

/** One all-or-nothing piece of work for a `GroupWriter`. */
export interface WriteJob {
  /** Two jobs of one lane are never in the same group, so that the later one reads what the earlier one wrote. */
  readonly lane: string;
  /** What the job weighs; a group is closed once it weighs `groupBytesMax`. */
  readonly bytes: number;
  /** Reads what is committed and checks; throwing refuses this job alone. */
  stage(): StagedWrite;
}

export interface StagedWrite {
  /** Calls the puts and removes of the job. Must not throw: lmdb keeps what was put before. */
  write(): void;
  /** Called once all is durable, before the next group is staged: here memory follows the disk. */
  committed?(): void;
}

export interface GroupWriterOptions {
  readonly groupBytesMax: number;
  readonly queueJobsMax: number;
}

interface Waiting {
  readonly job: WriteJob;
  resolve(): void;
  reject(error: unknown): void;
}

/** A write failed or was refused by the disk: whether it took effect is unknown, and nothing is written after it. */
export class WriterBrokenError extends Error {
  override readonly name = 'WriterBrokenError';
}

/** More jobs wait than `queueJobsMax`; this one was not taken. */
export class WriterFullError extends Error {
  override readonly name = 'WriterFullError';
}

/**
 * Group commit: all writes of the environment go through here, one transaction and one fsync at a time; jobs that come
 * while one is under way share the next. A job resolves once its transaction is on the disk. It relies on LMDB's own
 * synchronous commit (the environment is opened without overlapping sync), in which an error anywhere in a transaction
 * aborts all of it. After a failed transaction nothing else is written: what is stored is known again only after a
 * restart.
 */
export class GroupWriter {
  readonly #root: Pick<RootDatabase, 'batch'>;
  readonly #options: GroupWriterOptions;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #broken: WriterBrokenError | undefined;

  constructor(root: Pick<RootDatabase, 'batch'>, options: GroupWriterOptions) {
    this.#root = root;
    this.#options = options;
  }

  /**
   * Resolves when the job is durable. Rejects with what its `stage` threw (nothing was written), `WriterFullError`
   * (nothing was written) or `WriterBrokenError`.
   */
  submit(job: WriteJob): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (this.#queue.length >= this.#options.queueJobsMax) {
      return Promise.reject(new WriterFullError(`${this.#queue.length} writes wait`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves once nothing waits. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // what is submitted in the same turn shares the first transaction
    while (this.#queue.length > 0) await this.#writeGroup();
    this.#running = undefined;
  }

  async #writeGroup(): Promise<void> {
    const group: { waiting: Waiting; staged: StagedWrite }[] = [];
    for (const waiting of this.#takeGroup()) {
      try {
        group.push({ waiting, staged: waiting.job.stage() });
      } catch (error) {
        waiting.reject(error);
      }
    }
    if (group.length === 0) return;
    try {
      await this.#root.batch(() => {
        for (const { staged } of group) staged.write();
      });
      for (const { waiting, staged } of group) {
        staged.committed?.();
        waiting.resolve();
      }
    } catch (error) {
      this.#break(await realCause(error));
      for (const { waiting } of group) waiting.reject(this.#broken);
    }
  }

  #takeGroup(): Waiting[] {
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    const lanes = new Set<string>();
    let bytes = 0;
    for (const waiting of this.#queue) {
      if (lanes.has(waiting.job.lane) || bytes >= this.#options.groupBytesMax) {
        left.push(waiting);
      } else {
        taken.push(waiting);
        bytes += waiting.job.bytes;
      }
      lanes.add(waiting.job.lane); // one that is left keeps its lane's later ones behind it
    }
    this.#queue = left;
    return taken;
  }

  #break(cause: unknown): void {
    this.#broken = new WriterBrokenError('a transaction failed', { cause });
    for (const waiting of this.#queue) waiting.reject(this.#broken);
    this.#queue = [];
  }
}

/** lmdb rejects with a summary, whose `commitError` is a promise that rejects with the reason. */
async function realCause(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await Promise.race([error.commitError, new Promise<void>((resolve) => setImmediate(resolve))]);
    return error;
  } catch (reason) {
    return reason;
  }
}
