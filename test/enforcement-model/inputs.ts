import { Partition } from '../../services/rater/core/rate.ts';
import type { BalanceUpdate } from '../../services/shared/contracts/balance-update.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { type Instant, parseInstant } from '../../services/shared/time.ts';

/** What the enforcer is told of a log: each account's balance updates in their order, and the instant time comes to. */
export interface Inputs {
  readonly updates: ReadonlyMap<string, readonly BalanceUpdate[]>;
  readonly end: Instant;
}

/** B, X: the updates that the rater gives for a file of events, gone on to `until`. */
export function inputsOf(lines: readonly string[], until?: string): Inputs {
  const updates = new Map<string, BalanceUpdate[]>();
  const partition = new Partition();
  const effects = {
    line: () => undefined,
    entry: () => undefined,
    reservationCharge: () => undefined,
    invoice: () => undefined,
    update: (update: BalanceUpdate) => {
      updates.set(update.accountId, [...(updates.get(update.accountId) ?? []), update]);
    },
  };
  for (const line of lines) {
    const event = parseEvent(parsed(line), undefined);
    if (!('reason' in event)) partition.apply(event, effects);
  }
  const end = until === undefined ? partition.clock : Math.max(partition.clock, parseInstant(until) ?? 0);
  partition.advance(end, effects);
  return { updates, end };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
