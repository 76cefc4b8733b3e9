import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the door counts. No label holds an account or a key: their number has no bound. */
export interface DoorMetrics {
  readonly events: Counter<'outcome' | 'reason'>;
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>;
  readonly batchEvents: Histogram;
  readonly problems: Counter<'code'>;
}

/** Counts events by outcome and reason. @param outcomes how many were `accepted`, or refused for which reason */
export function countByOutcome(events: Counter<'outcome' | 'reason'>, outcomes: ReadonlyMap<string, number>): void {
  for (const [outcome, count] of outcomes) {
    if (outcome === 'accepted') events.inc({ outcome, reason: '' }, count);
    else events.inc({ outcome: 'rejected', reason: outcome }, count);
  }
}

/** Registers the door's metrics. @param inFlightBytes asked at each scrape */
export function doorMetrics(registry: Registry, inFlightBytes: () => number): DoorMetrics {
  const registers = [registry];
  new Gauge({
    name: 'tollgate_ingest_in_flight_bytes',
    help: 'Bytes of request bodies being worked on',
    registers,
    collect() {
      this.set(inFlightBytes());
    },
  });
  return {
    events: new Counter({
      name: 'tollgate_ingest_events_total',
      help: 'Events received, by outcome (accepted, rejected) and reason of refusal',
      labelNames: ['outcome', 'reason'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'tollgate_ingest_request_duration_seconds',
      help: 'From the headers of a request to its answer',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    batchEvents: new Histogram({
      name: 'tollgate_ingest_batch_events',
      help: 'Events in one request',
      buckets: [1, 10, 100, 1000, 10_000],
      registers,
    }),
    problems: new Counter({
      name: 'tollgate_ingest_problems_total',
      help: 'Requests that were not done, by code',
      labelNames: ['code'],
      registers,
    }),
  };
}
