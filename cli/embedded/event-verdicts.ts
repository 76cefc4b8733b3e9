import { z } from 'zod';
import type { EventLog } from '../../platform/log/port.ts';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import type { EventFate, EventVerdict, Verdicts } from '../../services/ingest/ports.ts';
import type { Rater } from '../../services/rater/rater.ts';
import { REJECTION_REASONS } from '../../services/shared/contracts/event.ts';
import { settled } from './settled.ts';

const FATES_MAX = 100;

const fateRows = z.array(
  z.object({
    offset: z.string(),
    partition: z.number(),
    account_id: z.string().nullable(),
    verdict: z.enum(['applied', 'duplicate', 'rejected']),
    reason: z.enum(REJECTION_REASONS).nullable(),
    detail: z.string().nullable(),
  }),
);

/** What became of events: of the newest from the rater's memory, of any act and of rejected or rated usage from the warehouse. */
export function verdicts(rater: Rater, log: EventLog, warehouse: WarehouseClient): Verdicts {
  return {
    of: async (source, id) => {
      await settled(rater, log);
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
      const last = Math.max(...positions.map(({ offset }) => offset));
      await rater.verdicts.wait(last + 1, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      return positions.map(({ offset }): EventVerdict => {
        const outcome = rater.verdicts.of(offset);
        if (outcome === undefined) return { status: 'pending' };
        return outcome.kind === 'rejected'
          ? { status: 'rejected', reason: outcome.reason, detail: outcome.detail }
          : { status: outcome.kind };
      });
    },
  };
}

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
