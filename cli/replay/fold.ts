import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import type { Effects } from '../../services/rater/core/account.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import { openInvoices } from '../../services/rater/core/invoices.ts';
import { Partition } from '../../services/rater/core/rate.ts';
import { accountBalanceJson } from '../../services/shared/contracts/account-balance.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { commandLine } from '../../services/shared/contracts/command-line.ts';
import type { Refusal } from '../../services/shared/contracts/event.ts';
import { invoiceJson } from '../../services/shared/contracts/invoice-json.ts';
import { ledgerEntryJson } from '../../services/shared/contracts/ledger-entry-json.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { ratedLineJson } from '../../services/shared/contracts/rated-line-json.ts';
import { rejectionJson } from '../../services/shared/contracts/rejection-json.ts';
import { compareText } from '../../services/shared/text-order.ts';
import { formatInstant, type Instant } from '../../services/shared/time.ts';

/** X: the files of a replay, in the order in which they are named there. */
export const REPLAY_FILES = ['rated', 'ledger', 'balances', 'commands', 'rejected', 'invoices'] as const;
export type ReplayFile = (typeof REPLAY_FILES)[number];

/** Where the rows of a replay go. */
export interface ReplaySink {
  /** One row of a file, without its line end, in the file's order. */
  row(file: ReplayFile, json: string): void;
  /** Holds a final invoice back: they are made in the order of time, and written by account and month. */
  holdInvoice(accountId: string, json: string): void;
  /** The invoices held for an account, in the order in which they were made. */
  heldInvoices(accountId: string): Iterable<string>;
}

/** X: the contents of `summary.json`. `events` is the sum of the other three. */
export interface Summary {
  readonly events: number;
  readonly applied: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly clock: string | null;
}

/** X: runs the lines of an event file through the rater's and the enforcer's core, one partition, in their order. */
export class ReplayFold {
  readonly #sink: ReplaySink;
  readonly #partition = new Partition();
  readonly #enforcement = new Enforcement(0);
  readonly #effects: Effects;
  /** X: commands of one instant are ordered by account; they are held until time has moved on. */
  #commands: Command[] = [];
  #line = 0;
  #applied = 0;
  #duplicates = 0;
  #rejected = 0;

  constructor(sink: ReplaySink) {
    this.#sink = sink;
    const emit = (command: Command): void => this.#command(command);
    this.#effects = {
      line: (line) => sink.row('rated', ratedLineJson(line)),
      entry: (entry) => sink.row('ledger', ledgerEntryJson(entry)),
      update: (update) => this.#enforcement.apply(update, emit),
      reservationCharge: () => undefined,
      invoice: (invoice) => sink.holdInvoice(invoice.accountId, invoiceJson(invoice)),
    };
  }

  /**
   * One line of the file, without its line end. A blank one is skipped, but counted.
   * @param utf8 false for one whose bytes are no UTF-8, which is no JSON either: what its text shows was not in it
   */
  line(text: string, utf8 = true): void {
    this.#line += 1;
    if (isBlank(text)) return;
    if (!utf8) {
      this.#reject({ reason: 'malformed', detail: 'not UTF-8' }, JSON.stringify(text));
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (fault) {
      const detail = fault instanceof SyntaxError ? `not JSON: ${fault.message}` : String(fault);
      this.#reject({ reason: 'malformed', detail }, JSON.stringify(text));
      return;
    }
    const event = parseEvent(value, undefined);
    if ('reason' in event) {
      this.#reject(event, text);
      return;
    }
    const outcome = this.#partition.apply(event, this.#effects);
    if (outcome.kind === 'applied') this.#applied += 1;
    else if (outcome.kind === 'duplicate') this.#duplicates += 1;
    else this.#reject(outcome, text);
  }

  /** X: goes on to `until` (or stays at the last event's time), that instant included, and writes what stands at the end. */
  finish(until: Instant | undefined): Summary {
    const partition = this.#partition;
    partition.advance(Math.max(partition.clock, until ?? partition.clock), this.#effects);
    this.#enforcement.apply(partition.watermark(0, this.#line), (command) => this.#command(command));
    this.#flushCommands();
    for (const id of [...partition.accounts.keys()].sort(compareText)) {
      const account = partition.accounts.get(id);
      if (account === undefined) continue;
      this.#sink.row('balances', accountBalanceJson(balanceOf(account)));
      for (const invoice of this.#sink.heldInvoices(id)) this.#sink.row('invoices', invoice);
      for (const invoice of openInvoices(account)) this.#sink.row('invoices', invoiceJson(invoice));
    }
    return {
      events: this.#applied + this.#duplicates + this.#rejected,
      applied: this.#applied,
      duplicates: this.#duplicates,
      rejected: this.#rejected,
      clock: partition.clock < 0 ? null : formatInstant(partition.clock),
    };
  }

  #reject(refusal: Refusal, eventJson: string): void {
    this.#rejected += 1;
    this.#sink.row('rejected', rejectionJson(this.#line, refusal, eventJson));
  }

  #command(command: Command): void {
    const held = this.#commands[0];
    if (held !== undefined && held.issuedAt !== command.issuedAt) this.#flushCommands();
    this.#commands.push(command);
  }

  #flushCommands(): void {
    const commands = this.#commands.sort((left, right) => compareText(left.accountId, right.accountId));
    for (const command of commands) this.#sink.row('commands', commandLine(command));
    this.#commands = [];
  }
}

function isBlank(text: string): boolean {
  return text.length === 0 || text.trim().length === 0;
}
