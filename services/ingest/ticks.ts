import type { Instant } from '../shared/time.ts';
import type { EventSink } from './ports.ts';

/** What ticks need from outside. */
export interface TickDeps {
  readonly sink: EventSink;
  /** The wall clock, for the ids only: a tick's time is the log's. */
  readonly clock: () => Instant;
  /** Calls `run` after `delayMs`; what it returns calls that off. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly observer: TickObserver;
}

/** What tells of ticks. */
export interface TickObserver {
  /** A tick is in the log. */
  taken(partition: number): void;
  /** A tick that was not taken; the next one will do. */
  missed(partition: number, why: 'busy' | Error): void;
}

export interface Ticks {
  /** Ends the ticking; resolves once what was under way is finished. */
  stop(): Promise<void>;
}

/**
 * E, E1: appends a `clock.tick` to every partition every `everyMs`, so that time passes where nothing else moves it. At most
 * one round is under way; a partition that does not take one is left out until the next. Only for a log that stamps times.
 */
export function startTicks(deps: TickDeps, everyMs: number): Ticks {
  let stopped = false;
  let underWay = Promise.resolve();
  let cancel = deps.after(everyMs, run);

  function run(): void {
    underWay = tickAll(deps).then(() => {
      if (!stopped) cancel = deps.after(everyMs, run);
    });
  }

  return {
    stop: async () => {
      stopped = true;
      cancel();
      await underWay;
    },
  };
}

async function tickAll(deps: TickDeps): Promise<void> {
  const partitions = Array.from({ length: deps.sink.partitions }, (_, partition) => partition);
  await Promise.all(partitions.map((partition) => tick(deps, partition)));
}

async function tick(deps: TickDeps, partition: number): Promise<void> {
  const text = `{"specversion":"1.0","id":"tick:${partition}:${deps.clock()}","source":"tollgate/ingest","type":"clock.tick","data":{}}`;
  try {
    const outcome = await deps.sink.append(partition, [{ account: undefined, at: undefined, text }]);
    if (outcome.kind === 'busy') deps.observer.missed(partition, 'busy');
    else deps.observer.taken(partition);
  } catch (fault) {
    deps.observer.missed(partition, fault instanceof Error ? fault : new Error(String(fault)));
  }
}
