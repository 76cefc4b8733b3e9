/** One call that an in-memory adapter is about to carry out: the `nth` (from 1) of its name in this adapter. */
export interface Operation {
  readonly name: 'append' | 'trim' | 'read' | 'claim' | 'load' | 'due' | 'commit' | 'peek' | 'scan';
  readonly nth: number;
  /** The topic and partition (`metering.events/0`) or the scope. */
  readonly target: string;
}

/**
 * `fail`: the call rejects and the process goes on. `crash`: the process is gone. `when` is before or after the call
 * took effect; the caller of a failed write cannot tell the two apart.
 */
export interface Fault {
  readonly kind: 'fail' | 'crash';
  readonly when: 'before' | 'after';
}

/**
 * Decides what goes wrong. A plan that answers with a promise also decides when: the call waits for it, so that a
 * simulator can hold calls back in its own time.
 */
export type FaultPlan = (operation: Operation) => Fault | undefined | Promise<Fault | undefined>;

/** A plan in which the `nth` call of a name goes wrong, for each entry once. */
export function faultsAt(faults: readonly (Fault & Pick<Operation, 'name' | 'nth'>)[]): FaultPlan {
  return (operation) => faults.find((fault) => fault.name === operation.name && fault.nth === operation.nth);
}

/** The process was killed in a simulation: nothing it still does reaches a disk. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/** What the adapters of one simulated process share: when one crashes, all are gone. Their disks stay. */
export class SimulatedProcess {
  #crashed = false;

  get crashed(): boolean {
    return this.#crashed;
  }

  crash(): void {
    this.#crashed = true;
  }

  /** Throws `SimulatedCrash` once the process has crashed. */
  assertRuns(): void {
    if (this.#crashed) throw new SimulatedCrash('the simulated process has crashed');
  }
}

/** Carries out calls under a plan; one for each adapter. */
export class FaultyCalls {
  readonly #process: SimulatedProcess;
  readonly #plan: FaultPlan | undefined;
  readonly #counts = new Map<string, number>();

  constructor(process: SimulatedProcess, plan: FaultPlan | undefined) {
    this.#process = process;
    this.#plan = plan;
  }

  /**
   * Runs `effect`, as the plan has it. Throws `SimulatedCrash`, or what `failure` makes where the plan says `fail`.
   */
  async call<T>(name: Operation['name'], target: string, effect: () => T, failure: () => Error): Promise<T> {
    this.#process.assertRuns();
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    const fault = await this.#plan?.({ name, nth, target });
    this.#process.assertRuns();
    if (fault?.when === 'before') this.#strike(fault, failure);
    const result = effect();
    if (fault?.when === 'after') this.#strike(fault, failure);
    return result;
  }

  #strike(fault: Fault, failure: () => Error): never {
    if (fault.kind === 'fail') throw failure();
    this.#process.crash();
    this.#process.assertRuns();
    throw failure();
  }
}
