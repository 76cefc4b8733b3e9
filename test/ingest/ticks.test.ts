import { describe, expect, it } from 'vitest';
import type { EventSink } from '../../services/ingest/ports.ts';
import { startTicks, type TickDeps } from '../../services/ingest/ticks.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { MemorySink, NOW } from './harness.ts';

/** Timers that run when the test says so. */
class ManualTimers {
  readonly waiting: { readonly delayMs: number; readonly run: () => void }[] = [];

  readonly after: TickDeps['after'] = (delayMs, run) => {
    const timer = { delayMs, run };
    this.waiting.push(timer);
    return () => {
      const at = this.waiting.indexOf(timer);
      if (at >= 0) this.waiting.splice(at, 1);
    };
  };

  async fire(): Promise<void> {
    const due = this.waiting.splice(0);
    for (const { run } of due) run();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

function tickDeps(sink: EventSink): TickDeps & { readonly timers: ManualTimers; readonly missed: string[] } {
  const timers = new ManualTimers();
  const missed: string[] = [];
  const observer: TickDeps['observer'] = {
    taken: () => undefined,
    missed: (partition, why) => missed.push(`${partition} ${why === 'busy' ? why : why.message}`),
  };
  return { sink, clock: () => NOW, after: timers.after, observer, timers, missed };
}

describe('ticks', () => {
  it('E1: go to every partition, again and again, as events that the rater reads', async () => {
    const sink = new MemorySink(3);
    const deps = tickDeps(sink);
    const ticks = startTicks(deps, 10_000);
    expect(deps.timers.waiting.map(({ delayMs }) => delayMs)).toEqual([10_000]);
    expect(sink.texts).toEqual([]);
    await deps.timers.fire();
    await deps.timers.fire();
    expect(sink.logs.map((log) => log.length)).toEqual([2, 2, 2]);
    for (const text of sink.texts)
      expect(parseEvent(JSON.parse(text), NOW)).toMatchObject({ body: { type: 'clock.tick' } });
    await ticks.stop();
    expect(deps.timers.waiting).toEqual([]);
  });

  it('leave out a partition that takes none, and go on', async () => {
    const sink: EventSink = {
      partitions: 2,
      append: (partition) =>
        partition === 0 ? Promise.resolve({ kind: 'busy', retryAfterMs: 1 }) : Promise.reject(new Error('disk gone')),
      reject: async () => ({ kind: 'kept' }),
    };
    const deps = tickDeps(sink);
    const ticks = startTicks(deps, 10_000);
    await deps.timers.fire();
    expect(deps.missed).toEqual(['0 busy', '1 disk gone']);
    expect(deps.timers.waiting).toHaveLength(1);
    await ticks.stop();
  });

  it('never have two rounds under way, and stop when the one under way has ended', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sink: EventSink = {
      partitions: 1,
      append: async () => {
        await gate;
        return { kind: 'appended', firstOffset: 0 };
      },
      reject: async () => ({ kind: 'kept' }),
    };
    const deps = tickDeps(sink);
    const ticks = startTicks(deps, 10_000);
    await deps.timers.fire();
    expect(deps.timers.waiting).toEqual([]);
    let stopped = false;
    const stopping = ticks.stop().then(() => {
      stopped = true;
    });
    await Promise.resolve();
    expect(stopped).toBe(false);
    release();
    await stopping;
    expect(deps.timers.waiting).toEqual([]);
  });
});
