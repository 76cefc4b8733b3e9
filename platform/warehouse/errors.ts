/** What can go wrong between Tollgate and its warehouse: code, meaning, remedy. Nothing else is thrown from here. */
export const WAREHOUSE_ERRORS = {
  warehouse_directory_in_use: {
    meaning: 'the data directory could not be opened, as a rule because another process has it open',
    remedy: 'stop the other process, or give another data directory; the message has what the engine said',
  },
  warehouse_start_failed: {
    meaning: 'the engine did not come up',
    remedy: 'read the message: it has the last lines that the engine printed',
  },
  warehouse_restarts_exhausted: {
    meaning: 'the engine kept dying and is not started again',
    remedy: 'read its log lines, check memory and disk, then start Tollgate again: nothing acknowledged is lost',
  },
  warehouse_unavailable: {
    meaning: 'the warehouse did not answer within the bounded retries',
    remedy: 'check that it runs and is reachable; the rows are derived from the log and will be written again',
  },
  warehouse_not_allowed: {
    meaning: 'the warehouse refuses this client: its user, its password, or what it may do',
    remedy: 'see the user of the environment and the roles of ops/clickhouse/access.sql; nothing is lost',
  },
  warehouse_not_trusted: {
    meaning: 'no TLS with the warehouse',
    remedy: 'see its certificate, the authorities that are trusted, and the port; nothing is lost',
  },
  warehouse_insert_refused: {
    meaning: 'the warehouse refused rows, which is a bug or a schema that does not fit this version',
    remedy: 'run the migrations; if they are applied, report the message',
  },
  warehouse_rows_lost: {
    meaning: 'the warehouse acknowledged fewer rows than were sent',
    remedy: 'nothing was checkpointed: report the message, and start again',
  },
  warehouse_row_too_large: {
    meaning: 'one row is larger than a request may be',
    remedy: 'raise the writer bound and the body bound of the engine together',
  },
  warehouse_value_refused: {
    meaning: 'a value is one that its column cannot hold',
    remedy: 'nothing was written of it: report the message, with the event before it in the log',
  },
  warehouse_migration_changed: {
    meaning: 'a migration that was applied has other content now',
    remedy: 'restore the file as it was released, and put the change into a new migration',
  },
  warehouse_migration_invalid: {
    meaning: 'the migrations are not numbered 0001, 0002, ... without gaps, or one is empty or broken',
    remedy: 'fix the file that the message names',
  },
  warehouse_schema_newer: {
    meaning: 'the warehouse holds migrations that this version does not know',
    remedy: 'run the version that made them, or a later one',
  },
} as const;

export type WarehouseErrorCode = keyof typeof WAREHOUSE_ERRORS;

/** An error of the warehouse adapter; `code` is one of WAREHOUSE_ERRORS, the message names what and where. */
export class WarehouseError extends Error {
  readonly code: WarehouseErrorCode;

  constructor(code: WarehouseErrorCode, detail: string, cause?: unknown) {
    const { meaning, remedy } = WAREHOUSE_ERRORS[code];
    super(`${code}: ${meaning}: ${detail} (${remedy})`, cause === undefined ? undefined : { cause });
    this.name = 'WarehouseError';
    this.code = code;
  }
}
