import { createWarehouseWriter } from '../../platform/warehouse/writer.ts';
import { partitionMetrics } from '../shared/runtime/partition-metrics.ts';
import { PartitionWorkers } from '../shared/runtime/partition-workers.ts';
import { runService } from '../shared/runtime/service.ts';
import { sleep } from '../shared/runtime/sleep.ts';
import { openServiceStores, sharePartitions } from '../shared/runtime/stores.ts';
import { tracedRows } from '../shared/runtime/tracing.ts';
import { SERVICE_VARIABLES } from '../shared/runtime/variables.ts';
import { TOPICS } from '../shared/topics.ts';
import { Enforcer } from './enforcer.ts';
import { enforcerMetrics } from './metrics.ts';
import { needsPerson } from './needs-person.ts';

/** The group whose members share the partitions of balance updates, and of what operators do. */
const GROUP = 'tollgate-enforcer';
const RUN = { runRecordsMax: 2000, runBytesMax: 4 << 20, wallClockMs: 1000, checkpointRecordsMax: 20_000 } as const;

/** The enforcer as a process of its own: as many partitions as the group gives it. */
await runService('enforcer', SERVICE_VARIABLES.enforcer, process.env, async (context) => {
  const { logger, metrics, tracer, releases, onFailed } = context;
  const { connection, log, partitions, time, wire, state, warehouse } = await openServiceStores(
    'tollgate-enforcer',
    context,
  );
  const rows = tracedRows(createWarehouseWriter({ client: warehouse }), tracer);
  const observer = enforcerMetrics(metrics);
  const owned = partitionMetrics(metrics, partitions);
  const deps = { log, wire, state, rows, logger, observer, tracer, trail: logger, now: Date.now, sleep };
  const workers = new PartitionWorkers({
    make: (partition) => new Enforcer(deps, { partition, live: time === 'append', past: false, ...RUN }),
    needsPerson,
    onFault: (partition, fault) => owned.failed(partition, fault),
    onGivenUp: onFailed,
    ...{ logger, sleep },
  });
  releases.add(() => workers.stop());
  const watched = function* () {
    for (const { partition, state: now, worker } of workers.entries()) {
      yield { partition, enforcer: now === 'running' ? worker : undefined };
    }
  };
  owned.watch(() => workers.entries());
  observer.watch(watched);
  const offsets = function* () {
    for (const { partition, enforcer } of watched()) {
      if (enforcer !== undefined) yield { partition, offset: enforcer.progress.committed };
    }
  };
  await sharePartitions(context, {
    ...{ connection, groupId: GROUP, topics: [TOPICS.updates, TOPICS.operations], owned, workers },
    reading: { topic: TOPICS.updates, log, offsets },
  });
  return { notReady: () => [] };
});
