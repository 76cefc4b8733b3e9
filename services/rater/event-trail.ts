import type { BalanceUpdate } from '../shared/contracts/balance-update.ts';
import type { MeteringEvent } from '../shared/contracts/event.ts';
import type { Invoice } from '../shared/contracts/invoice.ts';
import type { LedgerEntry } from '../shared/contracts/ledger-entry.ts';
import type { RatedLine } from '../shared/contracts/rated-line.ts';
import type { ReservationCharge } from '../shared/contracts/reservation-charge.ts';
import type { Trail } from '../shared/runtime/trail.ts';
import type { Effects } from './core/account.ts';
import type { Outcome } from './core/outcome.ts';

/** Hands effects on, and tells of each event what it led to, by ids; what its time made due before it is part of that. */
export class EventTrail implements Effects {
  readonly #trail: Trail;
  readonly #partition: number;
  readonly #effects: Effects;
  #lines: string[] = [];
  #entries: string[] = [];
  #updates: { readonly account: string; readonly sequence: number }[] = [];

  constructor(trail: Trail, partition: number, effects: Effects) {
    this.#trail = trail;
    this.#partition = partition;
    this.#effects = effects;
  }

  line(line: RatedLine): void {
    this.#lines.push(line.lineId);
    this.#effects.line(line);
  }

  entry(entry: LedgerEntry): void {
    this.#entries.push(entry.entryId);
    this.#effects.entry(entry);
  }

  update(update: BalanceUpdate): void {
    this.#updates.push({ account: update.accountId, sequence: update.sequence });
    this.#effects.update(update);
  }

  reservationCharge(charge: ReservationCharge): void {
    this.#effects.reservationCharge(charge);
  }

  invoice(invoice: Invoice): void {
    this.#effects.invoice(invoice);
  }

  /** Tells of the event at `offset`, and begins anew. */
  tell(offset: number, { envelope }: MeteringEvent, outcome: Outcome): void {
    this.#trail.debug(
      {
        event: `${envelope.source}/${envelope.id}`,
        account: envelope.subject,
        partition: this.#partition,
        offset,
        outcome: outcome.kind,
        reason: outcome.kind === 'rejected' ? outcome.reason : undefined,
        ...{ lines: this.#lines, entries: this.#entries, updates: this.#updates },
      },
      'event rated',
    );
    this.#lines = [];
    this.#entries = [];
    this.#updates = [];
  }
}
