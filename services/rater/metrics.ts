import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { IDENTITIES } from './books.ts';
import type { RaterObserver, RaterProgress } from './rater.ts';

export interface RaterMetrics extends RaterObserver {
  /** From now on tells of the partitions that `raters` gives. */
  watch(raters: () => Iterable<{ readonly partition: number; readonly progress: RaterProgress }>): void;
}

/** What a rater tells of itself. No label holds an account: their number has no bound. */
export function raterMetrics(registry: Registry): RaterMetrics {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'tollgate_rater_events_total',
    help: 'Events folded by the rater, by what became of them (applied, duplicate, rejected) and reason of rejection',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const commits = new Histogram({
    name: 'tollgate_rater_commit_duration_seconds',
    help: 'From the end of a group of records until its rows, rejections and checkpoint are durable',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const committed = new Counter({
    name: 'tollgate_rater_committed_records_total',
    help: 'Records of the log of events of which all effects are durable',
    registers,
  });
  const differences = new Gauge({
    name: 'tollgate_rater_accounting_difference_nanos',
    help: 'By how much the books are off since the start (L7), in billionths of the currency: 0, or money is wrong',
    labelNames: ['partition', 'identity'],
    registers,
  });
  const violations = new Counter({
    name: 'tollgate_rater_accounting_violations_total',
    help: 'Groups of records whose books disagreed (L7), by identity: totals, grants, ledger',
    labelNames: ['identity'],
    registers,
  });
  for (const identity of IDENTITIES) violations.inc({ identity }, 0);
  return {
    folded: (counts) => {
      for (const [counted, count] of counts) {
        const kept = counted === 'applied' || counted === 'duplicate';
        outcomes.inc({ outcome: kept ? counted : 'rejected', reason: kept ? '' : counted }, count);
      }
    },
    committed: (records, tookMs) => {
      committed.inc(records);
      commits.observe(tookMs / 1000);
    },
    booked: (partition, check) => {
      for (const identity of IDENTITIES) {
        differences.inc({ partition, identity }, Number(check[identity]));
        if (check[identity] !== 0n) violations.inc({ identity });
      }
    },
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
        name: 'tollgate_rater_watermark_timestamp_seconds',
        help: 'The clock that a partition was rated up to (E2), in seconds since 1970; its distance from now is its age',
        labelNames: ['partition'],
        registers,
        collect() {
          this.reset();
          for (const { partition, progress } of raters()) {
            // Before the first event there is no clock, and nothing to be behind with.
            if (progress.clock >= 0) this.set({ partition }, progress.clock / 1000);
          }
        },
      });
    },
  };
}
