import type { SpanHeaders, Tracer } from './tracing.ts';

export interface TracingOptions {
  /** `service.name` of the spans, unless `OTEL_SERVICE_NAME` says another. */
  readonly serviceName: string;
}

export interface Tracing {
  readonly tracer: Tracer;
  /** Sends what is there still, and ends. Never throws: traces are not worth a failed stop. */
  stop(): Promise<void>;
}

/**
 * Loads OpenTelemetry and begins to trace. Where spans go, how many and what is told of the service is in the variables that
 * OpenTelemetry itself reads: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES` and others.
 */
export async function openTracing({ serviceName }: TracingOptions): Promise<Tracing> {
  const [{ NodeSDK }, api] = await Promise.all([import('@opentelemetry/sdk-node'), import('@opentelemetry/api')]);
  const { context, propagation, SpanStatusCode, trace } = api;
  // Metrics go to Prometheus and logs to stdout: only traces are OpenTelemetry's.
  const sdk = new NodeSDK({ serviceName, metricReaders: [], logRecordProcessors: [], instrumentations: [] });
  sdk.start();
  const tracer = trace.getTracer('tollgate');
  const span: Tracer['span'] = (name, attributes, work, headers) => {
    const parent = headers === undefined ? context.active() : propagation.extract(context.active(), headers, GETTER);
    return tracer.startActiveSpan(name, { attributes }, parent, async (opened) => {
      try {
        return await work();
      } catch (fault) {
        opened.setStatus({ code: SpanStatusCode.ERROR, message: fault instanceof Error ? fault.name : 'fault' });
        throw fault;
      } finally {
        opened.end();
      }
    });
  };
  return {
    tracer: {
      span,
      child: (name, attributes, work) => (trace.getActiveSpan() === undefined ? work() : span(name, attributes, work)),
    },
    stop: () => sdk.shutdown().catch(() => undefined),
  };
}

const GETTER = {
  keys: (headers: SpanHeaders): string[] => Object.keys(headers),
  get: (headers: SpanHeaders, key: string): string | string[] | undefined => {
    const value = headers[key];
    return typeof value === 'object' ? [...value] : value;
  },
};
