import { ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client';

export type WarehouseClient = ReturnType<typeof createClient>;

export type WarehouseClientOptions = {
  readonly url: string;
  readonly database?: string;
  readonly username?: string;
  readonly password?: string;
  /** The authorities that are trusted, PEM text, for a URL of https; without it those of Node. */
  readonly ca?: string;
  /** How long a request may be silent, ms (default 60,000). The server gives a query up at nine tenths of it. */
  readonly requestTimeoutMs?: number;
  /** Tables are replicated: an insert is acknowledged once most replicas have it, and reads see all that was. */
  readonly quorum?: boolean;
  /** Sockets (default 4). */
  readonly connectionsMax?: number;
};

const REQUEST_TIMEOUT_MS = 60_000;
/** Below the 10 s after which servers close idle sockets: a socket taken from the pool must still be open there. */
const IDLE_SOCKET_TTL_MS = 5_000;

/**
 * Makes the client for an engine or a ClickHouse server, with every setting that exact money needs.
 * The caller closes it. Reads give 64-bit and larger integers and decimals as strings, decimals with all their places,
 * times as RFC 3339 with milliseconds and `Z`.
 */
export function createWarehouseClient(options: WarehouseClientOptions): WarehouseClient {
  const requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  return createClient({
    url: options.url,
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.ca === undefined ? {} : { tls: { ca_cert: Buffer.from(options.ca) } }),
    application: 'tollgate',
    request_timeout: requestTimeoutMs,
    max_open_connections: options.connectionsMax ?? 4,
    keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_TTL_MS, eagerly_destroy_stale_sockets: true },
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      ...EXACT_READS,
      ...STRICT_WRITES,
      ...(options.quorum === true ? QUORUM : {}),
      max_execution_time: Math.max(1, Math.floor((requestTimeoutMs * 9) / 10_000)),
    },
  });
}

const QUORUM: ClickHouseSettings = {
  insert_quorum: 'auto',
  insert_quorum_parallel: 0,
  select_sequential_consistency: '1',
};

/** JSON.parse would round bare 64-bit integers and decimals; the default date format has neither zone nor `T`. */
const EXACT_READS: ClickHouseSettings = {
  output_format_json_quote_decimals: 1,
  output_format_json_quote_64bit_integers: 1,
  output_format_decimal_trailing_zeros: 1,
  output_format_json_escape_forward_slashes: 0,
  date_time_output_format: 'iso',
};

/**
 * A row is stored as it was sent or refused loudly. The defaults would turn null into '', and numbers and objects into
 * text. (What no setting prevents: null or '' for a number is 0, digits beyond a decimal's scale are cut, integers wrap.) A server that batches inserts (async_insert, its default since 26.3) would
 * acknowledge what it does not have yet.
 *
 * insert_deduplicate is off on purpose. The server writes a block's token to its log before it publishes the block's
 * part: killed in between, it would drop the retry as a duplicate of rows that it does not have. Rows are idempotent by
 * identity (ReplacingMergeTree read by FINAL), which no kill can break.
 */
const STRICT_WRITES: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 0,
  // merges and FINAL drop repeats; to look for them in each block as well costs a tenth of the insert
  optimize_on_insert: 0,
  date_time_input_format: 'best_effort',
  input_format_null_as_default: 0,
  input_format_json_read_numbers_as_strings: 0,
  input_format_json_read_bools_as_strings: 0,
  input_format_json_read_bools_as_numbers: 0,
  input_format_json_read_objects_as_strings: 0,
  input_format_json_read_arrays_as_strings: 0,
  // a tuple is written as an array: no names to misspell, none to leave out
  input_format_json_named_tuples_as_objects: 0,
  input_format_skip_unknown_fields: 0,
  throw_on_max_partitions_per_insert_block: 0,
  // a block is a few MB: parsing it on one core costs a seventh less CPU and is hardly slower
  input_format_parallel_parsing: 0,
};
