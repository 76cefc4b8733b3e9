import { Counter, type Registry } from 'prom-client';
import type { CarrierObserver } from './telemetry.ts';

/** What the Kafka door tells of itself. */
export function carrierMetrics(registry: Registry): CarrierObserver {
  const samples = new Counter({
    name: 'tollgate_ingest_samples_total',
    help: 'Samples of telemetry.samples, by what became of them at the door',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return { carried: (outcome, count) => samples.inc({ outcome }, count) };
}
