import type { EventLog } from '../../../platform/log/port.ts';
import type { StateStore } from '../../../platform/state/port.ts';

/** What is told of a span: nothing that was sent, and no account. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** Tells how long work takes, as spans. Absent where tracing is off: then nothing of it is loaded, and nothing is done. */
export interface Tracer {
  /**
   * Does `work` as a span, in the span that is open, or in that of another process which `headers` name, or as a trace of its
   * own. What `work` throws marks the span as failed, and is thrown on.
   */
  span<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>, headers?: SpanHeaders): Promise<T>;
  /** The same in the span that is open; where none is, it only does the work. */
  child<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
}

/** The headers of a request; `traceparent` (W3C) is looked at. */
export type SpanHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Does `work` as a span, where there is a tracer. */
export function inSpan<T>(
  tracer: Tracer | undefined,
  name: string,
  attributes: SpanAttributes,
  work: () => Promise<T>,
  headers?: SpanHeaders,
): Promise<T> {
  return tracer === undefined ? work() : tracer.span(name, attributes, work, headers);
}

/** The same log; appends are spans within what is being done. */
export function tracedLog(log: EventLog, tracer: Tracer | undefined): EventLog {
  if (tracer === undefined) return log;
  return {
    partitions: (topic) => log.partitions(topic),
    append: (topic, partition, records) => {
      const attributes = {
        'messaging.operation.name': 'append',
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': `${partition}`,
        'messaging.batch.message_count': records.length,
      };
      return tracer.child(`append ${topic}`, attributes, () => log.append(topic, partition, records));
    },
    read: (topic, partition, fromOffset, limits) => log.read(topic, partition, fromOffset, limits),
    waitFor: (topic, partition, offset, signal) => log.waitFor(topic, partition, offset, signal),
    startOffset: (topic, partition) => log.startOffset(topic, partition),
    endOffset: (topic, partition) => log.endOffset(topic, partition),
    trimBefore: (topic, partition, offset) => log.trimBefore(topic, partition, offset),
    close: () => log.close(),
  };
}

/** The same store; commits are spans within what is being done. */
export function tracedState(store: StateStore, tracer: Tracer | undefined): StateStore {
  if (tracer === undefined) return store;
  return {
    claim: (scope) => store.claim(scope),
    load: (scope, fence, keys) => store.load(scope, fence, keys),
    due: (scope, fence, upTo, limit) => store.due(scope, fence, upTo, limit),
    commit: (scope, fence, step) => {
      const attributes = { 'tollgate.scope': scope, 'tollgate.writes': step.writes.length };
      return tracer.child('commit', attributes, () => store.commit(scope, fence, step));
    },
    peek: (scope, keys) => store.peek(scope, keys),
    scan: (scope, page) => store.scan(scope, page),
    close: () => store.close(),
  };
}

/** A block of rows, in whatever form. */
interface Block {
  readonly length: number;
}

type InsertBlock<Table extends string, Rows extends Block> = (
  table: Table,
  rows: Rows,
  options: { readonly token: string },
) => Promise<void>;

/** The same sink of rows; inserts are spans within what is being done. */
export function tracedRows<
  Table extends string,
  Rows extends Block,
  Sink extends { readonly insertBlock: InsertBlock<Table, Rows> },
>(sink: Sink & { readonly insertBlock: InsertBlock<Table, Rows> }, tracer: Tracer | undefined): Sink {
  if (tracer === undefined) return sink;
  const insertBlock: InsertBlock<Table, Rows> = (table, rows, options) =>
    tracer.child(`insert ${table}`, { 'db.collection.name': table, 'db.operation.batch.size': rows.length }, () =>
      sink.insertBlock(table, rows, options),
    );
  return { ...sink, insertBlock };
}
