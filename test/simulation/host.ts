import type { EventLog } from '../../platform/log/port.ts';
import { isLogError } from '../../platform/log/port.ts';
import { SimulatedCrash, SimulatedProcess } from '../../platform/memory/simulation.ts';
import type { StateStore } from '../../platform/state/port.ts';
import { isStateError } from '../../platform/state/port.ts';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { type BooksCheck, IDENTITIES } from '../../services/rater/books.ts';
import { Rater } from '../../services/rater/rater.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { type SimulatedWarehouse, WarehouseFailed } from './memory-warehouse.ts';
import type { Settings } from './settings.ts';
import type { VirtualTime } from './virtual-time.ts';

export type Service = 'rater' | 'enforcer';

/** What a process is connected to. */
export interface Connections {
  readonly log: EventLog;
  readonly state: StateStore;
  readonly rows: Pick<SimulatedWarehouse, 'insertBlock' | 'countRows'>;
}

export class Process extends SimulatedProcess {
  /** It hangs: no call of it is answered before then. */
  frozenUntil = 0;
  readonly #gone: Promise<never>;
  #end: (fault: SimulatedCrash) => void = () => undefined;

  constructor() {
    super();
    this.#gone = new Promise((_resolve, reject) => {
      this.#end = reject;
    });
    this.#gone.catch(() => undefined);
  }

  /** Rejects once the process is gone, whatever in it still waits for something. */
  get gone(): Promise<never> {
    return this.#gone;
  }

  override crash(): void {
    super.crash();
    this.#end(new SimulatedCrash('the simulated process has crashed'));
  }
}

/** One process of one partition's rater, enforcer or both. */
export class Host {
  readonly process = new Process();
  readonly rater: Rater | undefined;
  readonly enforcer: Enforcer | undefined;
  readonly #stop = new AbortController();

  constructor(
    services: readonly Service[],
    partition: number,
    settings: Settings,
    time: VirtualTime,
    connect: (process: Process) => Connections,
  ) {
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const observer = {
      ...{ folded: () => undefined, committed: () => undefined, issued: () => undefined, outbox: () => undefined },
      booked: assertBooksAgree,
    };
    const deps = {
      ...connect(this.process),
      wire: JSON_WIRE,
      logger: quiet,
      observer,
      now: time.now,
      sleep: time.sleep,
    };
    const { live, partitions } = settings;
    if (services.includes('rater')) {
      this.rater = new Rater(deps, {
        ...{ partition, partitions },
        groupRecordsMax: settings.groupRecordsMax,
        groupMs: settings.groupMs,
        runRecordsMax: settings.runRecordsMax,
        runBytesMax: 1 << 20,
        accountsMax: settings.accountsMax,
        clockJumpMaxMs: live ? 600_000 : undefined,
      });
    }
    if (services.includes('enforcer')) {
      this.enforcer = new Enforcer(deps, {
        ...{ partition, live, past: false },
        runRecordsMax: settings.enforcerRunRecordsMax,
        runBytesMax: 1 << 20,
        wallClockMs: settings.wallClockMs,
        checkpointRecordsMax: settings.checkpointRecordsMax,
      });
    }
  }

  /** Runs until it is stopped or anything in it fails; then the whole process is gone. */
  async run(): Promise<void> {
    try {
      await Promise.race([this.#work(), this.process.gone]);
    } finally {
      this.process.crash();
    }
  }

  async #work(): Promise<void> {
    await this.rater?.start();
    await this.enforcer?.start();
    await Promise.all([this.rater?.run(this.#stop.signal), this.enforcer?.run(this.#stop.signal)]);
  }

  /** Has it finish what it has begun, as at a shutdown. */
  stop(): void {
    this.#stop.abort();
  }
}

/** What may end a process in a simulation, and only be followed by another one. */
export function isExpected(fault: unknown): boolean {
  return (
    fault instanceof SimulatedCrash ||
    fault instanceof WarehouseFailed ||
    isLogError(fault, 'LogWriteFailed') ||
    isLogError(fault, 'LogUnavailable') ||
    isStateError(fault, 'StateWriteFailed') ||
    isStateError(fault, 'StateUnavailable') ||
    isStateError(fault, 'Fenced')
  );
}

/** L7: whatever happens to the process, no group of records leaves books that disagree. */
function assertBooksAgree(partition: number, check: BooksCheck): void {
  const off = IDENTITIES.filter((identity) => check[identity] !== 0n);
  if (off.length > 0) throw new Error(`partition ${partition}: the books disagree in ${off.join(', ')}`);
}
