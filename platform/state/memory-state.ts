import { type FaultPlan, FaultyCalls, type Operation, SimulatedProcess } from '../memory/simulation.ts';
import { checkCommit, checkFence, checkLimit, checkText, checkUpTo } from './check.ts';
import {
  type Checkpoint,
  type Claim,
  type Commit,
  type Fence,
  type Peek,
  StateError,
  type StateStore,
  type Timer,
} from './port.ts';

interface StoredScope {
  epoch: number;
  checkpoint: Checkpoint | undefined;
  readonly hashes: Map<string, Map<string, string>>;
  readonly timers: Map<string, number>;
  /** The same timers, by instant, then member. */
  readonly order: Timer[];
}

/** What outlives a simulated crash; open a store on it again. */
export class MemoryStateDisk {
  readonly scopes = new Map<string, StoredScope>();
}

export interface MemoryStateOptions {
  readonly disk?: MemoryStateDisk;
  readonly faults?: FaultPlan;
  readonly process?: SimulatedProcess;
}

/** The state store in memory, for tests and simulations: no timer, no chance. */
export function openMemoryState(options: MemoryStateOptions = {}): StateStore {
  return new MemoryState(options);
}

class MemoryState implements StateStore {
  readonly #disk: MemoryStateDisk;
  readonly #process: SimulatedProcess;
  readonly #calls: FaultyCalls;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: MemoryStateOptions) {
    this.#disk = options.disk ?? new MemoryStateDisk();
    this.#process = options.process ?? new SimulatedProcess();
    this.#calls = new FaultyCalls(this.#process, options.faults);
  }

  async claim(scope: string): Promise<Claim> {
    this.#check(scope);
    return this.#call('claim', scope, () => {
      const stored = this.#disk.scopes.get(scope) ?? emptyScope();
      this.#disk.scopes.set(scope, stored);
      stored.epoch += 1;
      const { epoch, checkpoint } = stored;
      return { fence: { epoch, nextOffset: checkpoint?.nextOffset }, checkpoint };
    });
  }

  async load(scope: string, fence: Fence, keys: readonly string[]): Promise<Map<string, Map<string, string>>> {
    this.#check(scope);
    for (const key of keys) checkText('key', key);
    return this.#call('load', scope, () => copyHashes(this.#fenced(scope, fence), keys));
  }

  async due(scope: string, fence: Fence, upTo: number, limit: number): Promise<Timer[]> {
    this.#check(scope);
    checkLimit(limit);
    checkUpTo(upTo);
    return this.#call('due', scope, () => {
      const page = this.#fenced(scope, fence).order.slice(0, limit);
      const end = page.findIndex((timer) => timer.at > upTo);
      return end < 0 ? page : page.slice(0, end);
    });
  }

  async commit(scope: string, fence: Fence, step: Commit): Promise<Fence> {
    this.#check(scope);
    checkCommit(fence, step);
    return this.#call('commit', scope, () => {
      apply(this.#fenced(scope, fence), step);
      return { epoch: fence.epoch, nextOffset: step.next.nextOffset };
    });
  }

  async peek(scope: string, keys: readonly string[]): Promise<Peek> {
    this.#check(scope);
    for (const key of keys) checkText('key', key);
    return this.#call('peek', scope, () => {
      const stored = this.#disk.scopes.get(scope) ?? emptyScope();
      return { checkpoint: stored.checkpoint, hashes: copyHashes(stored, keys) };
    });
  }

  async scan(scope: string, page: { after?: string; limit: number; fence?: Fence }): Promise<string[]> {
    this.#check(scope);
    checkLimit(page.limit);
    return this.#call('scan', scope, () => {
      const { after, fence } = page;
      const stored = fence === undefined ? this.#disk.scopes.get(scope) : this.#fenced(scope, fence);
      const keys = [...(stored?.hashes.keys() ?? [])].filter((key) => after === undefined || key > after);
      return keys.sort(compareText).slice(0, page.limit);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#running]);
  }

  #check(scope: string): void {
    this.#process.assertRuns();
    if (this.#closed) throw new StateError('StateClosed', `scope ${scope}`);
    checkText('scope', scope);
  }

  #fenced(scope: string, fence: Fence): StoredScope {
    const stored = this.#disk.scopes.get(scope) ?? emptyScope();
    checkFence(scope, fence, stored.epoch, stored.checkpoint);
    return stored;
  }

  async #call<T>(name: Operation['name'], scope: string, effect: () => T): Promise<T> {
    const writes = name === 'claim' || name === 'commit';
    const failure = () => new StateError(writes ? 'StateWriteFailed' : 'StateUnavailable', `scope ${scope}: injected`);
    const running = this.#calls.call(name, scope, effect, failure);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

function emptyScope(): StoredScope {
  return { epoch: 0, checkpoint: undefined, hashes: new Map(), timers: new Map(), order: [] };
}

function copyHashes(stored: StoredScope, keys: readonly string[]): Map<string, Map<string, string>> {
  const copies = new Map<string, Map<string, string>>();
  for (const key of keys) {
    const hash = stored.hashes.get(key);
    if (hash !== undefined) copies.set(key, new Map(hash));
  }
  return copies;
}

function apply(stored: StoredScope, step: Commit): void {
  for (const key of step.dropKeys ?? []) stored.hashes.delete(key);
  for (const [key, field, value] of step.writes) {
    const hash = stored.hashes.get(key) ?? new Map<string, string>();
    if (value === null) hash.delete(field);
    else hash.set(field, value);
    if (hash.size === 0) stored.hashes.delete(key);
    else stored.hashes.set(key, hash);
  }
  for (const [member, at] of step.timers) setTimer(stored, member, at);
  stored.checkpoint = { ...step.next };
}

function setTimer(stored: StoredScope, member: string, at: number | null): void {
  const before = stored.timers.get(member);
  if (before !== undefined) stored.order.splice(rank(stored.order, { member, at: before }), 1);
  if (at === null) {
    stored.timers.delete(member);
    return;
  }
  stored.timers.set(member, at);
  stored.order.splice(rank(stored.order, { member, at }), 0, { member, at });
}

/** How many timers come before this one. */
function rank(order: readonly Timer[], timer: Timer): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = order[middle];
    if (other !== undefined && (other.at - timer.at || compareText(other.member, timer.member)) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
