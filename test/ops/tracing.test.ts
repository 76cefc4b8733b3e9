import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMemoryLog } from '../../platform/log/memory-log.ts';
import { faultsAt } from '../../platform/memory/simulation.ts';
import { openMemoryState } from '../../platform/state/memory-state.ts';
import { inSpan, tracedLog, tracedRows, tracedState } from '../../services/shared/runtime/tracing.ts';
import type { Tracing } from '../../services/shared/runtime/tracing-otel.ts';
import { usage } from '../ingest/harness.ts';
import { Collector, type SpanTold } from './support/collector.ts';
import { MemoryPipeline, PAYING } from './support/pipeline.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

/** What of OpenTelemetry's SDK is loaded in this process; its bare interface vitest loads as well. */
function loaded(): string[] {
  return Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@opentelemetry/sdk'));
}

test('tracing that is off loads nothing, and puts nothing between the services and their stores', async () => {
  const log = openMemoryLog({ topics: [{ name: 't', partitions: 1, time: 'append' }], now: () => 0 });
  const state = openMemoryState();
  const rows = { insertBlock: async () => undefined };
  expect(tracedLog(log, undefined)).toBe(log);
  expect(tracedState(state, undefined)).toBe(state);
  expect(tracedRows(rows, undefined)).toBe(rows);
  expect(await inSpan(undefined, 'work', {}, async () => 7)).toBe(7);
  const pipeline = new MemoryPipeline({ level: 'info' });
  await pipeline.start();
  await pipeline.send([...PAYING, usage('s1')]);
  await pipeline.stop();
  expect(loaded()).toEqual([]);
});

describe('tracing that is on', () => {
  const collector = new Collector();
  let tracing: Tracing;

  beforeAll(async () => {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = await collector.listen();
    process.env.OTEL_EXPORTER_OTLP_PROTOCOL = 'http/json';
    const { openTracing } = await import('../../services/shared/runtime/tracing-otel.ts');
    tracing = await openTracing({ serviceName: 'tollgate-test' });
    const { tracer } = tracing;

    const pipeline = new MemoryPipeline({ level: 'info', tracer });
    await pipeline.start();
    await pipeline.send(PAYING);
    await pipeline.send([usage('s1')], { traceparent: `00-${TRACE}-${PARENT}-01` });
    await pipeline.stop();

    const failing = new MemoryPipeline({
      level: 'info',
      tracer,
      stateFaults: faultsAt([{ name: 'commit', nth: 1, kind: 'fail', when: 'before' }]),
    });
    await failing.start();
    await failing.post(PAYING);
    await expect(failing.stop()).rejects.toMatchObject({ code: 'StateWriteFailed' });
    await tracing.stop();
  });

  afterAll(() => collector.close());

  const named = (name: string): SpanTold[] => collector.spans.filter((span) => span.name === name);

  test('tells of a request and its append, in the trace of who sent it', () => {
    expect([...collector.services]).toEqual(['{"stringValue":"tollgate-test"}']);
    const request = named('POST /v1/events').find(({ traceId }) => traceId === TRACE);
    expect(request?.parentSpanId).toBe(PARENT);
    if (request !== undefined) expect(collector.within(request)).toEqual(['append metering.events']);
    expect(named('POST /v1/events')).toHaveLength(3);
  });

  test('tells of a group of the rater: its inserts, and its commit', () => {
    const [group] = named('write group');
    expect(group?.parentSpanId).toBeUndefined();
    const parts = named('write group').flatMap((span) => collector.within(span));
    expect(parts).toEqual(expect.arrayContaining(['insert rated_lines', 'insert ledger_entries', 'commit']));
  });

  test('tells of a step of the enforcer: its commit, what it published, and the rows', () => {
    const parts = named('enforce').flatMap((span) => collector.within(span));
    expect(parts).toEqual(expect.arrayContaining(['commit', 'append control.alerts', 'insert commands']));
  });

  test('tells what failed, by the name of the fault', () => {
    const failed = collector.spans.filter(({ status }) => status.code === 2);
    expect(failed.map(({ name, status }) => `${name}: ${status.message}`)).toContain('commit: StateWriteFailed');
    expect(failed.map(({ name }) => name)).toContain('write group');
  });

  test('tells of no account, no id and no amount', () => {
    const keys = new Set(collector.spans.flatMap(({ attributes }) => attributes.map(({ key }) => key)));
    expect([...keys].filter((key) => !/^(http|messaging|db|tollgate)\./.test(key))).toEqual([]);
    expect(JSON.stringify(collector.spans)).not.toMatch(/acme|agent\/1|s1"|0\.10/);
  });

  test('loads OpenTelemetry, and ends in peace where nobody receives', async () => {
    expect(loaded().length).toBeGreaterThan(0);
    await expect(tracing.stop()).resolves.toBeUndefined();
  });
});
