import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RaterObserver, RaterProgress } from './rater.ts';

export interface RaterMetrics extends RaterObserver {
  /** From now on tells of the partitions that `raters` gives. */
  watch(raters: () => Iterable<{ readonly partition: number; readonly progress: RaterProgress }>): void;
}

/** What a rater tells of itself. */
export function raterMetrics(registry: Registry): RaterMetrics {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'tollgate_rater_events_total',
    help: 'Events folded by the rater, by what became of them',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const commits = new Histogram({
    name: 'tollgate_rater_commit_seconds',
    help: 'From the end of a group of records to its checkpoint',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  return {
    folded: (counts) => {
      for (const [counted, count] of counts) {
        const kept = counted === 'applied' || counted === 'duplicate';
        outcomes.inc({ outcome: kept ? counted : 'rejected', reason: kept ? '' : counted }, count);
      }
    },
    committed: (_records, tookMs) => commits.observe(tookMs / 1000),
    watch: (raters) => {
      new Gauge({
        name: 'tollgate_rater_offset',
        help: 'Up to which offset of the log of events a partition was folded, and checkpointed',
        labelNames: ['partition', 'stage'],
        registers,
        collect() {
          this.reset();
          for (const { partition, progress } of raters()) {
            this.set({ partition, stage: 'folded' }, progress.folded);
            this.set({ partition, stage: 'checkpointed' }, progress.committed);
          }
        },
      });
      new Gauge({
        name: 'tollgate_rater_clock_seconds',
        help: "The clock of a partition (E2), in seconds since 1970; its distance from now is the watermark's age",
        labelNames: ['partition'],
        registers,
        collect() {
          this.reset();
          for (const { partition, progress } of raters()) this.set({ partition }, Math.max(0, progress.clock) / 1000);
        },
      });
    },
  };
}
