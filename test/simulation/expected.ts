import { type ReplayFile, ReplayFold, type ReplaySink, type Summary } from '../../cli/replay/fold.ts';
import type { LogRecord } from '../../platform/log/port.ts';
import { Partition } from '../../services/rater/core/rate.ts';
import { Group } from '../../services/rater/group.ts';
import { RATER_TABLES, type RaterTable } from '../../services/rater/rows.ts';
import { eventLine, forwardedText } from '../../services/shared/contracts/event-record.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { updateRecordText } from '../../services/shared/contracts/update-record.ts';
import { rowTexts } from '../support/binary-rows.ts';

/** What replay writes for the dump of a partition, as text. */
export interface Replayed {
  readonly rows: Readonly<Record<ReplayFile, readonly string[]>>;
  readonly summary: Summary;
}

/** X: replays the log of one partition, as `log dump | replay` does. */
export function replayed(records: readonly LogRecord[]): Replayed {
  const sink = new TextSink();
  const fold = new ReplayFold(sink);
  for (const record of records) fold.line(eventLine(record.value.toString('utf8'), record.time));
  const summary = fold.finish(undefined);
  return { rows: sink.rows, summary };
}

class TextSink implements ReplaySink {
  readonly rows: Record<ReplayFile, string[]> = {
    ...{ rated: [], ledger: [], balances: [], commands: [], rejected: [], invoices: [] },
  };
  readonly #held = new Map<string, string[]>();

  row(file: ReplayFile, json: string): void {
    this.rows[file].push(json);
  }

  holdInvoice(accountId: string, json: string): void {
    this.#held.set(accountId, [...(this.#held.get(accountId) ?? []), json]);
  }

  heldInvoices(accountId: string): Iterable<string> {
    return this.#held.get(accountId) ?? [];
  }
}

/** What a rater that is never disturbed, and folds one record at a time, makes of a partition. */
export interface Undisturbed {
  readonly tables: ReadonlyMap<RaterTable, readonly string[]>;
  /** Records of `balance.updates` without watermarks. */
  readonly updates: readonly string[];
  /** B3: the clock after each record. */
  readonly clocks: readonly number[];
  readonly rejected: readonly string[];
  /** E1: what goes on to the other partitions. */
  readonly forwards: readonly string[];
}

export function undisturbed(partition: number, records: readonly LogRecord[]): Undisturbed {
  const core = new Partition();
  const group = new Group(partition);
  const updates: string[] = [];
  const clocks: number[] = [];
  const forwards: string[] = [];
  for (const record of records) {
    const text = record.value.toString('utf8');
    const event = parseEvent(JSON.parse(text), record.time);
    if ('reason' in event) throw new Error(`ingest let in what it should not: ${text}`);
    group.begin(record.offset);
    const outcome = core.apply(event, group);
    clocks.push(core.clock);
    updates.push(...group.takeUpdates().flatMap((records) => records.map(({ record }) => updateRecordText(record))));
    const { envelope, body } = event;
    if (outcome.kind === 'rejected') {
      const { reason, detail } = outcome;
      const whole = eventLine(text, record.time);
      group.rejection({ accountId: envelope.subject, reason, detail, event: whole, clock: core.clock });
    }
    const isPrice = body.type === 'prices.published' && envelope.forwarded !== true;
    if (isPrice && outcome.kind === 'applied') forwards.push(forwardedText(text));
    if (body.type === 'clock.tick' || (body.type.startsWith('usage.') && outcome.kind !== 'duplicate')) continue;
    group.verdict({
      event: `${envelope.source}/${envelope.id}`,
      accountId: envelope.subject,
      verdict: outcome.kind,
      reason: outcome.kind === 'rejected' ? outcome.reason : undefined,
      detail: outcome.kind === 'rejected' ? outcome.detail : undefined,
      clock: core.clock,
    });
  }
  const tables = new Map(RATER_TABLES.map((table) => [table, rowTexts(group.rows[table])]));
  return { tables, updates, clocks, rejected: group.rejected.map(({ value }) => value), forwards };
}
