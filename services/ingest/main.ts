import { readFileSync } from 'node:fs';
import type { KafkaConnection } from '../../platform/kafka/connection.ts';
import { openKafkaLog } from '../../platform/log/kafka-log.ts';
import { describeKafkaTopics } from '../../platform/log/kafka-topics.ts';
import type { EventLog } from '../../platform/log/port.ts';
import { TopicsMissing } from '../shared/runtime/connect.ts';
import { isContradiction } from '../shared/runtime/contradictions.ts';
import { partitionMetrics } from '../shared/runtime/partition-metrics.ts';
import { PartitionWorkers } from '../shared/runtime/partition-workers.ts';
import { runService } from '../shared/runtime/service.ts';
import { sleep } from '../shared/runtime/sleep.ts';
import { openServiceStores, sharePartitions } from '../shared/runtime/stores.ts';
import { SERVICE_VARIABLES } from '../shared/runtime/variables.ts';
import { SAMPLES_TOPIC } from '../shared/wire/avro-schemas.ts';
import { enforcementControl } from './backend/enforcement-control.ts';
import { eventSink } from './backend/event-sink.ts';
import { storedQueries } from './backend/queries.ts';
import { storedProgress } from './backend/rated-progress.ts';
import { storedVerdicts } from './backend/verdicts.ts';
import { type DoorConfig, doorConfig, keyEntries } from './config.ts';
import { createKeyRing, type KeyEntry } from './keys.ts';
import { startDoor } from './server.ts';
import { SampleCarrier } from './telemetry.ts';
import { carrierMetrics } from './telemetry-metrics.ts';
import { tickMetrics } from './tick-metrics.ts';
import { startTicks } from './ticks.ts';

/** The group whose members share the partitions of samples that agents produce straight to Kafka. */
const GROUP = 'tollgate-ingest';

/** The doors as a process of its own: HTTP, and Kafka for as many partitions of samples as the group gives it. */
await runService('ingest', SERVICE_VARIABLES.ingest, process.env, async (context) => {
  const { settings, logger, metrics, tracer, releases, stopping, onFailed } = context;
  const keys = readKeys(settings.TOLLGATE_KEYS_FILE);
  const { connection, log, time, wire, state, warehouse } = await openServiceStores('tollgate-ingest', context);

  const sink = eventSink(log, wire);
  const progress = storedProgress(state);
  const config = doorConfig.parse({
    host: settings.TOLLGATE_HTTP_HOST,
    port: settings.TOLLGATE_HTTP_PORT,
    logTime: time,
  });
  if (time === 'append') {
    const ticks = startTicks(
      {
        ...{ sink, clock: Date.now, after },
        observer: tickMetrics(metrics, logger),
      },
      settings.TOLLGATE_TICK_MS,
    );
    releases.add(() => ticks.stop());
  }

  const samples = await openSamples(connection);
  releases.add(() => samples.close());
  const observer = carrierMetrics(metrics);
  const owned = partitionMetrics(metrics, samples.partitions(SAMPLES_TOPIC));
  const workers = new PartitionWorkers({
    make: (partition) =>
      new SampleCarrier(
        { samples, sink, state, wire, rules: rulesOf(config), observer, tracer, trail: logger, now: Date.now },
        partition,
      ),
    needsPerson: isContradiction,
    onFault: (partition, fault) => owned.failed(partition, fault),
    onGivenUp: onFailed,
    ...{ logger, sleep },
  });
  releases.add(() => workers.stop());
  owned.watch(() => workers.entries());
  const offsets = function* () {
    for (const { partition, state: now, worker } of workers.entries()) {
      if (now === 'running' && worker !== undefined) yield { partition, offset: worker.nextOffset };
    }
  };
  await sharePartitions(context, {
    ...{ connection, groupId: GROUP, topics: [SAMPLES_TOPIC], owned, workers },
    reading: { topic: SAMPLES_TOPIC, log: samples, offsets },
  });

  const notReady = (): readonly string[] => (stopping.aborted ? ['stopping'] : []);
  const door = await startDoor(
    {
      ...{ sink, logger, metrics, tracer, trail: logger },
      verdicts: storedVerdicts({ log, warehouse, progress }),
      queries: storedQueries({ log, state, warehouse, progress }),
      enforcement: enforcementControl({ log, wire, state, now: Date.now }),
      keys: createKeyRing(keys),
      clock: Date.now,
      readiness: () => ({ ready: notReady().length === 0, reasons: notReady() }),
    },
    config,
  );
  releases.add(() => door.stop());
  logger.info({ url: door.url }, 'door');
  return { notReady };
});

/** @throws Error for a file that cannot be read, or says something else than keys */
function readKeys(path: string): readonly KeyEntry[] {
  const parsed = keyEntries.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path}: ${parsed.error.message}`);
  return parsed.data;
}

async function openSamples(connection: KafkaConnection): Promise<EventLog> {
  const topic = (await describeKafkaTopics(connection, [SAMPLES_TOPIC])).get(SAMPLES_TOPIC);
  if (topic === undefined)
    throw new TopicsMissing(`${SAMPLES_TOPIC} does not exist; create it: tollgate topics create`);
  const { partitions, time } = topic;
  // Nothing is appended here, so that a topic with room for small records only will do.
  const bounds = { recordBytesMax: 64 << 10, batchRecordsMax: 1000, batchBytesMax: 256 << 10 };
  return openKafkaLog({ connection, topics: [{ name: SAMPLES_TOPIC, partitions, time }], bounds });
}

function rulesOf({ logTime, recordCharsMax }: DoorConfig) {
  return { logTime, recordCharsMax };
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
