import { z } from 'zod';
import type { EventLog } from '../../../platform/log/port.ts';
import type { WarehouseClient } from '../../../platform/warehouse/client.ts';
import { REJECTION_REASONS } from '../../shared/contracts/event.ts';
import { TOPICS } from '../../shared/topics.ts';
import type { EventFate, EventVerdict, Position, Verdicts } from '../ports.ts';
import type { RatedProgress } from './rated-progress.ts';
import { reached, settled } from './settled.ts';

const FATES_MAX = 100;

const fateRow = z.object({
  offset: z.string(),
  partition: z.number(),
  account_id: z.string().nullable(),
  verdict: z.enum(['applied', 'duplicate', 'rejected']),
  reason: z.enum(REJECTION_REASONS).nullable(),
  detail: z.string().nullable(),
});
const fateRows = z.array(fateRow);
const verdictRows = z.array(fateRow.omit({ account_id: true }));

export interface VerdictStores {
  readonly log: EventLog;
  readonly warehouse: WarehouseClient;
  readonly progress: RatedProgress;
}

/** What became of events, as the warehouse has it: of any act and of usage that was rejected, repeated or rated. */
export function storedVerdicts({ log, warehouse, progress }: VerdictStores): Verdicts {
  return {
    of: async (source, id) => {
      const partitions = Array.from({ length: log.partitions(TOPICS.events) }, (_, partition) => partition);
      await Promise.all(partitions.map((partition) => settled(progress, log, partition)));
      const result = await warehouse.query({
        query: FATES,
        query_params: { event: `${source}/${id}`, limit: FATES_MAX },
        format: 'JSONEachRow',
      });
      return fateRows.parse(await result.json()).map(
        (row): EventFate => ({
          account: row.account_id ?? undefined,
          position: { partition: row.partition, offset: Number(row.offset) },
          verdict: verdictOf(row.verdict, row.reason, row.detail),
        }),
      );
    },
    wait: async (positions, timeoutMs, signal) => {
      const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const byPartition = new Map<number, number[]>();
      for (const { partition, offset } of positions) {
        byPartition.set(partition, [...(byPartition.get(partition) ?? []), offset]);
      }
      const told = await Promise.all(
        [...byPartition].map(async ([partition, offsets]) => {
          const last = offsets.reduce((greatest, offset) => Math.max(greatest, offset), 0);
          const { nextOffset } = await reached(progress, partition, last + 1, ended);
          return [partition, await verdictsAt(warehouse, partition, offsets, nextOffset)] as const;
        }),
      );
      const verdicts = new Map(told);
      return positions.map(({ partition, offset }: Position): EventVerdict => {
        return verdicts.get(partition)?.get(offset) ?? { status: 'pending' };
      });
    },
  };
}

/** A position before the checkpoint of which the warehouse has no other word is that of usage that was rated. */
async function verdictsAt(
  warehouse: WarehouseClient,
  partition: number,
  offsets: readonly number[],
  nextOffset: number,
): Promise<ReadonlyMap<number, EventVerdict>> {
  const known = offsets.filter((offset) => offset < nextOffset);
  const verdicts = new Map(known.map((offset): [number, EventVerdict] => [offset, { status: 'applied' }]));
  if (known.length === 0) return verdicts;
  const result = await warehouse.query({
    query: VERDICTS,
    query_params: {
      partition,
      from: known.reduce((least, offset) => Math.min(least, offset)),
      to: known.reduce((greatest, offset) => Math.max(greatest, offset)),
    },
    format: 'JSONEachRow',
  });
  for (const { offset, verdict, reason, detail } of verdictRows.parse(await result.json())) {
    if (verdicts.has(Number(offset))) verdicts.set(Number(offset), verdictOf(verdict, reason, detail));
  }
  return verdicts;
}

const VERDICTS = `
SELECT partition, offset, verdict, reason, detail FROM event_verdicts FINAL
WHERE partition = {partition:UInt32} AND offset BETWEEN {from:UInt64} AND {to:UInt64}
UNION ALL
SELECT partition, offset, 'rejected' AS verdict, CAST(reason AS Nullable(String)) AS reason,
  CAST(detail AS Nullable(String)) AS detail
FROM rejections FINAL
WHERE partition = {partition:UInt32} AND offset BETWEEN {from:UInt64} AND {to:UInt64}`;

const FATES = `
SELECT partition, offset, account_id, verdict, reason, detail FROM
(
  SELECT partition, offset, account_id, verdict, reason, detail FROM event_verdicts FINAL WHERE event = {event:String}
  UNION ALL
  SELECT partition, offset, CAST(account_id AS Nullable(String)) AS account_id, 'applied' AS verdict,
    CAST(NULL AS Nullable(String)) AS reason, CAST(NULL AS Nullable(String)) AS detail
  FROM rated_lines FINAL WHERE event = {event:String} GROUP BY partition, offset, account_id
  UNION ALL
  SELECT partition, offset, account_id, 'rejected' AS verdict, CAST(reason AS Nullable(String)) AS reason,
    CAST(detail AS Nullable(String)) AS detail
  FROM rejections FINAL
  WHERE concat(JSONExtractString(event, 'source'), '/', JSONExtractString(event, 'id')) = {event:String}
    AND startsWith(JSONExtractString(event, 'type'), 'usage.')
)
ORDER BY partition, offset LIMIT {limit:UInt32}`;

function verdictOf(
  verdict: 'applied' | 'duplicate' | 'rejected',
  reason: (typeof REJECTION_REASONS)[number] | null,
  detail: string | null,
): EventVerdict {
  if (verdict !== 'rejected') return { status: verdict };
  if (reason === null) throw new Error('a rejected event has no reason in the warehouse');
  return { status: 'rejected', reason, detail: detail ?? '' };
}
