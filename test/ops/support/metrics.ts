import { Registry } from 'prom-client';
import { openMemoryState } from '../../../platform/state/memory-state.ts';
import { enforcerMetrics } from '../../../services/enforcer/metrics.ts';
import { doorMetrics } from '../../../services/ingest/metrics.ts';
import { carrierMetrics } from '../../../services/ingest/telemetry-metrics.ts';
import { tickMetrics } from '../../../services/ingest/tick-metrics.ts';
import { raterMetrics } from '../../../services/rater/metrics.ts';
import { consumerLag } from '../../../services/shared/runtime/consumer-lag.ts';
import { partitionMetrics } from '../../../services/shared/runtime/partition-metrics.ts';
import { measuredState } from '../../../services/shared/runtime/state-metrics.ts';

export interface KnownMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** Every metric that the services have of their own, as they register it. */
export function allMetrics(): readonly KnownMetric[] {
  const registry = new Registry();
  const none = (): [] => [];
  doorMetrics(registry, () => 0);
  carrierMetrics(registry);
  tickMetrics(registry, { warn: () => undefined });
  raterMetrics(registry).watch(none);
  enforcerMetrics(registry).watch(none);
  consumerLag(registry, 1);
  partitionMetrics(registry, 1).watch(none);
  measuredState(openMemoryState(), registry);
  return registry.getMetricsAsArray().map((metric) => ({
    name: metric.name,
    help: helpOf(metric),
    type: kindOf(metric),
    labels: labelsOf(metric),
  }));
}

/** The names under which Prometheus stores a metric. */
export function seriesOf({ name, type }: KnownMetric): readonly string[] {
  return type === 'Histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

/** The names of Tollgate's series in a query. */
export function seriesIn(query: string): readonly string[] {
  return [...query.matchAll(/(?<![\w:])tollgate_\w+/g)].map(([name]) => name);
}

function kindOf(metric: object): string {
  return metric.constructor.name;
}

function helpOf(metric: object): string {
  return 'help' in metric && typeof metric.help === 'string' ? metric.help : '';
}

function labelsOf(metric: object): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}
