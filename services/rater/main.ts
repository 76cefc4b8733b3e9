import { createWarehouseWriter } from '../../platform/warehouse/writer.ts';
import { isContradiction } from '../shared/runtime/contradictions.ts';
import { partitionMetrics } from '../shared/runtime/partition-metrics.ts';
import { PartitionWorkers } from '../shared/runtime/partition-workers.ts';
import { runService } from '../shared/runtime/service.ts';
import { sleep } from '../shared/runtime/sleep.ts';
import { openServiceStores, sharePartitions } from '../shared/runtime/stores.ts';
import { tracedRows } from '../shared/runtime/tracing.ts';
import { SERVICE_VARIABLES } from '../shared/runtime/variables.ts';
import { TOPICS } from '../shared/topics.ts';
import { raterMetrics } from './metrics.ts';
import { Rater, RaterStopped } from './rater.ts';
import { warehouseRows } from './warehouse-rows.ts';

/** The group whose members share the partitions of the log of events. */
const GROUP = 'tollgate-rater';
const CLOCK_JUMP_MAX_MS = 600_000;
const RUN = { runRecordsMax: 2000, runBytesMax: 4 << 20 } as const;

/** The rater as a process of its own: as many partitions as the group gives it. */
await runService('rater', SERVICE_VARIABLES.rater, process.env, async (context) => {
  const { settings, logger, metrics, tracer, releases, onFailed } = context;
  const { connection, log, partitions, time, wire, state, warehouse } = await openServiceStores(
    'tollgate-rater',
    context,
  );
  const rows = tracedRows(warehouseRows(warehouse, createWarehouseWriter({ client: warehouse })), tracer);
  const observer = raterMetrics(metrics);
  const owned = partitionMetrics(metrics, partitions);
  const deps = { log, wire, state, rows, logger, observer, tracer, trail: logger, now: Date.now, sleep };
  const workers = new PartitionWorkers({
    make: (partition) =>
      new Rater(deps, {
        ...{ partition, partitions, ...RUN },
        groupRecordsMax: settings.TOLLGATE_RATER_GROUP_RECORDS,
        groupMs: settings.TOLLGATE_RATER_GROUP_MS,
        accountsMax: settings.TOLLGATE_RATER_ACCOUNTS,
        clockJumpMaxMs: time === 'append' ? CLOCK_JUMP_MAX_MS : undefined,
      }),
    needsPerson: (fault) => fault instanceof RaterStopped || isContradiction(fault),
    onFault: (partition, fault) => owned.failed(partition, fault),
    onGivenUp: onFailed,
    ...{ logger, sleep },
  });
  releases.add(() => workers.stop());
  const running = function* () {
    for (const { partition, state: now, worker } of workers.entries()) {
      if (now === 'running' && worker !== undefined) yield { partition, progress: worker.progress };
    }
  };
  owned.watch(() => workers.entries());
  observer.watch(running);
  const offsets = function* () {
    for (const { partition, progress } of running()) yield { partition, offset: progress.committed };
  };
  await sharePartitions(context, {
    ...{ connection, groupId: GROUP, topics: [TOPICS.events], owned, workers },
    reading: { topic: TOPICS.events, log, offsets },
  });
  return { notReady: () => [] };
});
