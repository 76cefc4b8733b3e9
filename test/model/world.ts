import type { Account } from './account.ts';
import { formatAmount } from './amounts.ts';
import { formatTime, monthOf } from './calendar.ts';
import type { Entry } from './invoices.ts';
import type { LedgerLine, RatedLine, RejectedLine } from './output.ts';
import type { PriceEntry } from './price-book.ts';
import type { Line, Piece } from './rate-sample.ts';
import type { ModelEvent } from './read-event.ts';

/** The model's state: all that happened so far. */
export interface World {
  clock: number | undefined;
  readonly accounts: Map<string, Account>;
  readonly prices: PriceEntry[];
  /** E3: the applied events by business id. */
  readonly known: Map<string, ModelEvent>;
  /** By cluster or volume (`resourceKey`). */
  readonly pieces: Map<string, Piece[]>;
  /** By R6's key. */
  readonly lines: Map<string, Line[]>;
  readonly rated: RatedLine[];
  readonly entries: Entry[];
  readonly rejected: RejectedLine[];
  applied: number;
  duplicates: number;
}

/** What becomes of an event: E4's reasons are the refusals. */
export type Verdict =
  | 'applied'
  | 'duplicate'
  | 'interval_invalid'
  | 'interval_too_long'
  | 'in_future'
  | 'too_late'
  | 'unknown_account'
  | 'conflict'
  | 'no_price'
  | 'retroactive_price'
  | 'unknown_reservation'
  | 'not_allowed'
  | 'insufficient_credits';

export function emptyWorld(): World {
  const lists = { prices: [], rated: [], entries: [], rejected: [] };
  return {
    clock: undefined,
    accounts: new Map(),
    known: new Map(),
    pieces: new Map(),
    lines: new Map(),
    applied: 0,
    duplicates: 0,
    ...lists,
  };
}

export interface Move {
  kind: LedgerLine['kind'];
  amount: bigint;
  ref: string;
  time: number;
  cause: string;
}

/** C5: takes an amount from the balance. */
export function charge(world: World, account: Account, move: Move): void {
  account.movements.push({ kind: 'charge', amount: move.amount });
  enter(world, account, { ...move, amount: -move.amount });
}

/** C5: writes a movement of the balance down, unless it is 0. */
export function enter(world: World, account: Account, { kind, amount, ref, time, cause }: Move): void {
  if (amount === 0n) return;
  const written: LedgerLine = {
    entry_id: `${kind}/${account.id}/${cause}`,
    account_id: account.id,
    time: formatTime(time),
    kind,
    amount: formatAmount(amount),
    ref,
    ...(kind === 'usage' ? {} : { invoice_month: monthOf(time) }),
  };
  world.entries.push({ written, amount });
}
