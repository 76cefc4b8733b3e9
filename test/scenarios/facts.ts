/** One object of an output file, or one expectation about it, as it was parsed. */
export type Row = Readonly<Record<string, unknown>>;

/** `[issued_at, command, alert kind, resource kind/id, scope, gpus, reason, attempt?]`. */
export type CommandTuple = readonly unknown[];

/** A command with further fields, the alert that its notice names, the items of its `detail.actions`. */
export interface CommandFact {
  readonly is: CommandTuple;
  readonly account_id?: string;
  readonly has?: Row;
  readonly notice?: CommandTuple;
  readonly actions?: readonly (readonly unknown[])[];
}

/** The facts of a scenario, as README.md here explains them; only what is named is compared. */
export interface Facts {
  readonly balances?: Readonly<Record<string, Row>>;
  readonly rated_totals?: readonly Row[];
  readonly rated_lines?: readonly Row[];
  readonly rated_count?: number;
  readonly ledger?: Readonly<Record<string, readonly (readonly unknown[])[]>>;
  readonly ledger_sums?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly commands?: Readonly<Record<string, readonly CommandTuple[]>>;
  readonly commands_of?: Readonly<
    Record<string, { readonly kinds: readonly string[]; readonly list: readonly CommandTuple[] }>
  >;
  readonly commands_absent?: Readonly<Record<string, readonly (readonly [name: string, resource: string])[]>>;
  readonly command_facts?: readonly CommandFact[];
  readonly laws?: boolean;
  readonly unique_line_ids?: boolean;
  readonly rejected?: readonly (readonly [line: number, reason: string])[];
  readonly invoices?: readonly Row[];
  readonly summary?: Row;
  readonly equal_balances?: readonly (readonly string[])[];
}

/** A file of this folder. */
export interface Scenario {
  readonly title: string;
  readonly rule: readonly string[];
  readonly events: readonly unknown[];
  readonly until?: string;
  readonly expect: Facts;
}

/** What replay wrote, file by file. */
export interface Output {
  readonly rated: readonly Row[];
  readonly ledger: readonly Row[];
  readonly balances: readonly Row[];
  readonly commands: readonly Row[];
  readonly rejected: readonly Row[];
  readonly invoices: readonly Row[];
  readonly summary: Row;
}
