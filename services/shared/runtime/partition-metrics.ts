import { Counter, Gauge, type Registry } from 'prom-client';
import type { WorkerState } from './partition-workers.ts';

/** Tells of the partitions that a process owns. */
export interface PartitionMetrics {
  /** The group told the process what it owns. */
  assigned(): void;
  /** A try to work on a partition ended with this fault. */
  failed(partition: number, fault: unknown): void;
  /** From now on tells of the partitions that `partitions` gives. */
  watch(partitions: () => Iterable<{ readonly partition: number; readonly state: WorkerState }>): void;
}

const STATES: readonly WorkerState[] = ['starting', 'running', 'failing', 'stopped'];

/** What a process that shares partitions with others tells of them. @param partitions how many the group shares */
export function partitionMetrics(registry: Registry, partitions: number): PartitionMetrics {
  const registers = [registry];
  new Gauge({
    name: 'tollgate_group_partitions',
    help: 'How many partitions the processes of the group share',
    registers,
  }).set(partitions);
  const assignments = new Counter({
    name: 'tollgate_group_rebalances_total',
    help: 'How often the group shared its partitions out anew, as this process was told',
    registers,
  });
  const faults = new Counter({
    name: 'tollgate_partition_faults_total',
    help: 'Tries to work on a partition that ended with a fault, by its name (docs/OPERATIONS.md)',
    labelNames: ['partition', 'code'],
    registers,
  });
  return {
    assigned: () => assignments.inc(),
    failed: (partition, fault) => faults.inc({ partition, code: fault instanceof Error ? fault.name : 'other' }),
    watch: (owned) => {
      new Gauge({
        name: 'tollgate_partition_state',
        help: '1 for the state that a partition owned by this process is in: starting, running, failing, stopped',
        labelNames: ['partition', 'state'],
        registers,
        collect() {
          this.reset();
          for (const { partition, state: now } of owned()) {
            for (const state of STATES) this.set({ partition, state }, state === now ? 1 : 0);
          }
        },
      });
    },
  };
}
