import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import type { Effects } from '../../services/rater/core/account.ts';
import { takeFieldWrites } from '../../services/rater/core/account-fields.ts';
import { restoreAccount } from '../../services/rater/core/account-restore.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import { openInvoices } from '../../services/rater/core/invoices.ts';
import { restorePartition, takePartitionWrites } from '../../services/rater/core/partition-fields.ts';
import { Partition } from '../../services/rater/core/rate.ts';
import { accountBalanceJson } from '../../services/shared/contracts/account-balance.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { commandLine } from '../../services/shared/contracts/command-line.ts';
import { invoiceJson } from '../../services/shared/contracts/invoice-json.ts';
import { ledgerEntryJson } from '../../services/shared/contracts/ledger-entry-json.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { ratedLineJson } from '../../services/shared/contracts/rated-line-json.ts';
import { compareText } from '../../services/shared/text-order.ts';
import { parseInstant } from '../../services/shared/time.ts';

/** The rows that a log gives, as text, file by file. */
export type Texts = Record<'rated' | 'ledger' | 'balances' | 'commands' | 'invoices', string[]>;

/**
 * L10: folds a log as replay does, but writes the state of rater and enforcer down after so many lines, drops it and reads
 * it again, as a process does that dies and comes back. Accounts come back in another order than they were opened in.
 */
export function replayInPieces(lines: readonly string[], until: string | undefined, restartEvery: number): Texts {
  const fold = new PiecewiseFold();
  for (const [index, line] of lines.entries()) {
    if ((index + 1) % restartEvery === 0) fold.restart();
    fold.line(line);
  }
  return fold.finish(until);
}

type Fields = Map<string, string>;

class PiecewiseFold {
  readonly #texts: Texts = { rated: [], ledger: [], balances: [], commands: [], invoices: [] };
  readonly #invoices: { readonly accountId: string; readonly json: string }[] = [];
  readonly #stored: { partition: Fields; accounts: Map<string, Fields> } = {
    partition: new Map(),
    accounts: new Map(),
  };
  readonly #commands: Command[] = [];
  readonly #effects: Effects = {
    line: (line) => this.#texts.rated.push(ratedLineJson(line)),
    entry: (entry) => this.#texts.ledger.push(ledgerEntryJson(entry)),
    update: (update) => this.#enforcement.apply(update, (command) => this.#commands.push(command)),
    reservationCharge: () => undefined,
    invoice: (invoice) => this.#invoices.push({ accountId: invoice.accountId, json: invoiceJson(invoice) }),
  };
  #partition = new Partition();
  #enforcement = new Enforcement(0);

  line(text: string): void {
    const event = eventOf(text);
    if (event !== undefined) this.#partition.apply(event, this.#effects);
  }

  restart(): void {
    const { partition, accounts } = this.#stored;
    write(partition, takePartitionWrites(this.#partition));
    for (const account of this.#partition.accounts.values()) {
      const fields = accounts.get(account.id) ?? new Map<string, string>();
      write(fields, takeFieldWrites(account));
      accounts.set(account.id, fields);
    }
    this.#partition = restorePartition(partition);
    for (const [id, fields] of [...accounts].reverse()) {
      this.#partition.putAccount(restoreAccount(id, fields, this.#partition.clock));
    }
    const enforcement = new Enforcement(0);
    enforcement.putPartition(this.#enforcement.encodePartition());
    for (const id of [...this.#enforcement.accountIds()].reverse()) {
      enforcement.putAccount(this.#enforcement.encodeAccount(id));
    }
    this.#enforcement = enforcement;
  }

  finish(until: string | undefined): Texts {
    const partition = this.#partition;
    partition.advance(Math.max(partition.clock, parseInstant(until) ?? partition.clock), this.#effects);
    this.#enforcement.apply(partition.watermark(0, 0), (command) => this.#commands.push(command));
    const byAccount = (left: Command, right: Command) =>
      left.issuedAt - right.issuedAt || compareText(left.accountId, right.accountId);
    for (const command of this.#commands.sort(byAccount)) this.#texts.commands.push(commandLine(command));
    for (const id of [...partition.accounts.keys()].sort(compareText)) {
      const account = partition.accounts.get(id);
      if (account === undefined) continue;
      this.#texts.balances.push(accountBalanceJson(balanceOf(account)));
      for (const { accountId, json } of this.#invoices) if (accountId === id) this.#texts.invoices.push(json);
      for (const invoice of openInvoices(account)) this.#texts.invoices.push(invoiceJson(invoice));
    }
    return this.#texts;
  }
}

function write(fields: Fields, writes: readonly (readonly [string, string | null])[]): void {
  for (const [field, value] of writes) {
    if (value === null) fields.delete(field);
    else fields.set(field, value);
  }
}

function eventOf(text: string): Parameters<Partition['apply']>[0] | undefined {
  try {
    const event = parseEvent(JSON.parse(text), undefined);
    return 'reason' in event ? undefined : event;
  } catch {
    return undefined;
  }
}
