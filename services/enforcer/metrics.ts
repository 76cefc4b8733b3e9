import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Enforcer, EnforcerObserver } from './enforcer.ts';

/** One partition's enforcer, as far as metrics ask it. */
interface Watched {
  readonly partition: number;
  /** Undefined between two tries. */
  readonly enforcer: Pick<Enforcer, 'progress' | 'holds' | 'heldActions'> | undefined;
}

export interface EnforcerMetrics extends EnforcerObserver {
  /** From now on tells of the partitions that `enforcers` gives. */
  watch(enforcers: () => Iterable<Watched>): void;
}

/** What an enforcer tells of itself. No label holds an account: their number has no bound. */
export function enforcerMetrics(registry: Registry): EnforcerMetrics {
  const registers = [registry];
  const issued = new Counter({
    name: 'tollgate_enforcer_commands_total',
    help: 'Commands and alerts issued, by command and kind of alert',
    labelNames: ['command', 'alert'],
    registers,
  });
  const commits = new Histogram({
    name: 'tollgate_enforcer_commit_duration_seconds',
    help: 'From a step to its state written, its commands published and the outbox empty again',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  /** Kept beside the enforcers: one that fails to publish is gone, and what it left is not. */
  const outboxes = new Map<number, number>();
  return {
    issued: ({ command, alert }) => issued.inc({ command, alert: alert ?? '' }),
    committed: (tookMs) => commits.observe(tookMs / 1000),
    outbox: (partition, commands) => outboxes.set(partition, commands),
    watch: (enforcers) => {
      new Gauge({
        name: 'tollgate_enforcer_outbox_commands',
        help: 'Commands of a partition that were decided and are not confirmed as published yet',
        labelNames: ['partition'],
        registers,
        collect() {
          this.reset();
          for (const { partition } of enforcers()) this.set({ partition }, outboxes.get(partition) ?? 0);
        },
      });
      watchProgress(registers, enforcers);
      watchHeld(registers, enforcers);
    },
  };
}

function watchProgress(registers: Registry[], enforcers: () => Iterable<Watched>): void {
  new Gauge({
    name: 'tollgate_enforcer_offset',
    help: 'Up to which offset of the log of events a partition was enforced',
    labelNames: ['partition'],
    registers,
    collect() {
      this.reset();
      for (const { partition, enforcer } of enforcers()) {
        if (enforcer !== undefined) this.set({ partition }, enforcer.progress.events);
      }
    },
  });
  new Gauge({
    name: 'tollgate_enforcer_watermark_timestamp_seconds',
    help: 'The clock that a partition was enforced up to, in seconds since 1970; N9 holds its actions when it is too old',
    labelNames: ['partition'],
    registers,
    collect() {
      this.reset();
      for (const { partition, enforcer } of enforcers()) {
        const clock = enforcer?.progress.clock ?? 0;
        if (clock > 0) this.set({ partition }, clock / 1000);
      }
    },
  });
}

function watchHeld(registers: Registry[], enforcers: () => Iterable<Watched>): void {
  new Gauge({
    name: 'tollgate_enforcer_held',
    help: '1 where enforcement of a partition is held, by what holds it: operator, brake (N11), stale_input (N9)',
    labelNames: ['partition', 'by'],
    registers,
    collect() {
      this.reset();
      for (const { partition, enforcer } of enforcers()) {
        if (enforcer === undefined) continue;
        const { hold, brake, suspended } = enforcer.holds();
        this.set({ partition, by: 'operator' }, hold === undefined ? 0 : 1);
        this.set({ partition, by: 'brake' }, brake === undefined ? 0 : 1);
        this.set({ partition, by: 'stale_input' }, suspended ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'tollgate_enforcer_held_actions',
    help: 'Actions whose time has come and that are held (N9, N11)',
    labelNames: ['partition'],
    registers,
    collect() {
      this.reset();
      for (const { partition, enforcer } of enforcers()) {
        if (enforcer !== undefined) this.set({ partition }, enforcer.heldActions().actions);
      }
    },
  });
  new Gauge({
    name: 'tollgate_enforcer_oldest_held_action_timestamp_seconds',
    help: 'When the action that is held for longest was due, in seconds since 1970; absent where none is held',
    labelNames: ['partition'],
    registers,
    collect() {
      this.reset();
      for (const { partition, enforcer } of enforcers()) {
        const dueAt = enforcer?.heldActions().oldestDueAt;
        if (dueAt !== undefined) this.set({ partition }, dueAt / 1000);
      }
    },
  });
}
