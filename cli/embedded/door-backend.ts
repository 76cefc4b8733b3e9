import type { Enforcer } from '../../services/enforcer/enforcer.ts';
import { enforcementControl } from '../../services/ingest/backend/enforcement-control.ts';
import { eventSink } from '../../services/ingest/backend/event-sink.ts';
import { storedQueries } from '../../services/ingest/backend/queries.ts';
import type { RatedProgress } from '../../services/ingest/backend/rated-progress.ts';
import { storedVerdicts } from '../../services/ingest/backend/verdicts.ts';
import type { DoorDeps } from '../../services/ingest/context.ts';
import type { EventVerdict, Queries, Verdicts } from '../../services/ingest/ports.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import type { Rater } from '../../services/rater/rater.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import type { Stores } from './stores.ts';

/** What runs in the same process, as far as the door asks it. */
interface Asked {
  readonly rater: Pick<Rater, 'account' | 'progress' | 'verdicts'>;
  readonly enforcer: Pick<Enforcer, 'comingActions'>;
}

/** The stores as the door sees them; what rater and enforcer know already need not wait for a checkpoint. */
export function doorBackend(
  asked: Asked,
  { log, state, warehouse }: Stores,
  now: () => number,
): Pick<DoorDeps, 'sink' | 'verdicts' | 'queries' | 'enforcement'> {
  const progress = liveProgress(asked);
  return {
    sink: eventSink(log, JSON_WIRE),
    verdicts: liveVerdicts(asked, storedVerdicts({ log, warehouse, progress })),
    queries: liveQueries(asked, storedQueries({ log, state, warehouse, progress })),
    enforcement: enforcementControl({ log, wire: JSON_WIRE, state, now }),
  };
}

function liveProgress({ rater }: Asked): RatedProgress {
  return async () => ({ nextOffset: rater.progress.committed, clock: rater.progress.committedClock });
}

/** Who was not heard of for long is not in memory, and has not changed since it was last stored. */
function liveQueries({ rater, enforcer }: Asked, stored: Queries): Queries {
  return {
    ...stored,
    account: async (accountId) => {
      const found = rater.account(accountId);
      if (found === undefined) return stored.account(accountId);
      return { ...balanceOf(found), asOf: rater.progress.clock, coming: enforcer.comingActions(accountId) };
    },
  };
}

/** The newest verdicts are in the rater's memory, before any row is written. */
function liveVerdicts({ rater }: Asked, stored: Verdicts): Verdicts {
  return {
    of: (source, id) => stored.of(source, id),
    wait: async (positions, timeoutMs, signal) => {
      const last = positions.reduce((greatest, { offset }) => Math.max(greatest, offset), 0);
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
