import { Counter, type Registry } from 'prom-client';
import { countByOutcome } from './metrics.ts';
import type { CarrierObserver } from './telemetry.ts';

/** What the Kafka door tells of itself. */
export function carrierMetrics(registry: Registry): CarrierObserver {
  const samples = new Counter({
    name: 'tollgate_ingest_samples_total',
    help: 'Samples of telemetry.samples, by outcome (accepted, rejected) and reason of refusal',
    labelNames: ['outcome', 'reason'],
    registers: [registry],
  });
  return { carried: (outcomes) => countByOutcome(samples, outcomes) };
}
