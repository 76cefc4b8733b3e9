import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../histories/random.ts';
import { type ChosenFault, chooseFault, FAULT_KINDS, type FaultKind, type FaultWorld } from './faults.ts';

/** How many faults of each kind. */
export type FaultCounts = Readonly<Record<FaultKind, number>>;

/** The whole list: 200 faults. */
export const WHOLE: FaultCounts = {
  'kill a service': 100,
  'pause a service': 30,
  rebalance: 30,
  'kill the broker': 10,
  'kill Redis': 10,
  'rewind Redis': 5,
  'kill ClickHouse in mid-insert': 10,
  'registry outage': 5,
};

/** The list for so many faults in all, in the same proportions, at least one of each kind. */
export function countsFor(faults: number): FaultCounts {
  const whole = Object.values(WHOLE).reduce((sum, count) => sum + count, 0);
  const share = (kind: FaultKind): number => Math.max(1, Math.round((WHOLE[kind] * faults) / whole));
  return perKind(share);
}

/** A record with a number for each kind. */
export function perKind(of: (kind: FaultKind) => number): FaultCounts {
  const [a, b, c, d, e, f, g, h] = FAULT_KINDS.map(of);
  return {
    'kill a service': a ?? 0,
    'pause a service': b ?? 0,
    rebalance: c ?? 0,
    'kill the broker': d ?? 0,
    'kill Redis': e ?? 0,
    'rewind Redis': f ?? 0,
    'kill ClickHouse in mid-insert': g ?? 0,
    'registry outage': h ?? 0,
  };
}

/** A fault that happened and was mended. */
export interface Inflicted {
  readonly kind: FaultKind;
  readonly target: string;
  /** Whether another was open at some time of it. */
  readonly overlapped: boolean;
  readonly tookMs: number;
}

export interface ScheduleOptions {
  readonly world: FaultWorld;
  /** Still to be inflicted. */
  readonly counts: FaultCounts;
  /** At once, at most. */
  readonly openMax: number;
  /** Between the starts of two, at most, ms. */
  readonly gapMs: number;
  readonly random: Random;
  readonly onInflicted: (fault: Inflicted) => void;
  /** Ends it early: what is open is mended first. */
  readonly signal: AbortSignal;
}

export interface Schedule {
  /** What is broken now, in words. */
  readonly open: readonly string[];
  /** Resolves once all are inflicted and mended, or it was ended. @throws what a fault could not be mended for */
  readonly done: Promise<void>;
  /** Begins no fault and resolves once none is open, until `resume`. */
  pause(): Promise<void>;
  resume(): void;
}

const LOOK_MS = 100;

/** Inflicts faults of all kinds in a random order, several at once, never two on one target. */
export function startSchedule(options: ScheduleOptions): Schedule {
  const { world, counts, openMax, gapMs, random, onInflicted, signal } = options;
  const left = new Map(FAULT_KINDS.map((kind) => [kind, counts[kind]]));
  const open = new Map<string, { readonly fault: ChosenFault; overlapped: boolean }>();
  let paused = false;
  let failure: Error | undefined;

  async function inflict(fault: ChosenFault): Promise<void> {
    const entry = { fault, overlapped: open.size > 0 };
    for (const other of open.values()) other.overlapped = true;
    open.set(fault.target, entry);
    left.set(fault.kind, (left.get(fault.kind) ?? 0) - 1);
    const begun = performance.now();
    let counted = false;
    try {
      counted = await fault.inflict();
    } catch (why) {
      failure ??= new Error(`${fault.kind}, ${fault.target}: not mended`, { cause: why });
    } finally {
      open.delete(fault.target);
    }
    const { kind, target } = fault;
    if (counted) onInflicted({ kind, target, overlapped: entry.overlapped, tookMs: performance.now() - begun });
    else left.set(kind, (left.get(kind) ?? 0) + 1);
  }

  function next(): ChosenFault | undefined {
    const wanted = FAULT_KINDS.filter((kind) => (left.get(kind) ?? 0) > 0);
    const total = wanted.reduce((sum, kind) => sum + (left.get(kind) ?? 0), 0);
    if (total === 0) return undefined;
    const kind = random.weighted(wanted.map((one) => [left.get(one) ?? 0, one] as const));
    return chooseFault(kind, world, (target) => !open.has(target));
  }

  async function run(): Promise<void> {
    const isDone = (): boolean => open.size === 0 && [...left.values()].every((count) => count <= 0);
    while (failure === undefined && !isDone() && !(signal.aborted && open.size === 0)) {
      const fault = paused || signal.aborted || open.size >= openMax ? undefined : next();
      if (fault === undefined) {
        await delay(LOOK_MS);
        continue;
      }
      void inflict(fault);
      await delay(random.int(0, gapMs), undefined, { signal }).catch(() => undefined);
    }
    while (open.size > 0) await delay(LOOK_MS);
    if (failure !== undefined) throw failure;
  }

  const done = run();
  done.catch(() => undefined); // whoever awaits it is told
  return {
    done,
    get open() {
      return [...open.values()].map(({ fault }) => `${fault.kind}: ${fault.target}`);
    },
    async pause() {
      paused = true;
      while (open.size > 0) await delay(LOOK_MS);
    },
    resume() {
      paused = false;
    },
  };
}
