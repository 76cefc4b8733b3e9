import { Counter, Gauge, type Registry } from 'prom-client';
import type { Enforcer, EnforcerObserver } from './enforcer.ts';

export interface EnforcerMetrics extends EnforcerObserver {
  /** From now on tells of the partitions that `enforcers` gives. */
  watch(
    enforcers: () => Iterable<{ readonly partition: number; readonly enforcer: Pick<Enforcer, 'progress' | 'holds'> }>,
  ): void;
}

/** What an enforcer tells of itself. */
export function enforcerMetrics(registry: Registry): EnforcerMetrics {
  const registers = [registry];
  const issued = new Counter({
    name: 'tollgate_enforcer_commands_total',
    help: 'Commands and alerts issued, by command and kind of alert',
    labelNames: ['command', 'alert'],
    registers,
  });
  return {
    issued: ({ command, alert }) => issued.inc({ command, alert: alert ?? '' }),
    watch: (enforcers) => {
      new Gauge({
        name: 'tollgate_enforcer_offset',
        help: 'Up to which offset of the log of events a partition was enforced',
        labelNames: ['partition'],
        registers,
        collect() {
          this.reset();
          for (const { partition, enforcer } of enforcers()) this.set({ partition }, enforcer.progress.events);
        },
      });
      new Gauge({
        name: 'tollgate_enforcer_held',
        help: '1 where enforcement of a partition is held, by what holds it (N9, N11)',
        labelNames: ['partition', 'by'],
        registers,
        collect() {
          this.reset();
          for (const { partition, enforcer } of enforcers()) {
            const { hold, brake, suspended } = enforcer.holds();
            this.set({ partition, by: 'operator' }, hold === undefined ? 0 : 1);
            this.set({ partition, by: 'brake' }, brake === undefined ? 0 : 1);
            this.set({ partition, by: 'stale_input' }, suspended ? 1 : 0);
          }
        },
      });
    },
  };
}
