import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ClickHouseError } from '@clickhouse/client';
import type { WarehouseClient } from './client.ts';
import { WarehouseError } from './errors.ts';
import { warehouseRefusal } from './refusal.ts';
import type { BinaryRows } from './row-binary.ts';
import { quotedIdentifier } from './sql.ts';

export type InsertOptions = {
  /** Names the block in errors and in the server's query log, as `topic:partition:first-last`. */
  readonly token: string;
  /** Of rows in JSON, the columns that their values are for, in order; left out: all columns of the table, in its order. */
  readonly columns?: readonly string[];
};

export type WarehouseWriter = {
  /**
   * Writes a block of rows: in RowBinary, or each an encoded JSON array without line breaks. Resolves once the rows are on
   * disk. Idempotent by row identity: a block may be written again, whole, in part, or cut elsewhere, and FINAL reads each row
   * once.
   * @throws WarehouseError `warehouse_unavailable` after bounded retries of transient faults, `warehouse_not_allowed`,
   * `warehouse_not_trusted`, `warehouse_insert_refused`,
   * `warehouse_rows_lost`, `warehouse_row_too_large`
   */
  insertBlock(table: string, rows: readonly string[] | BinaryRows, options: InsertOptions): Promise<void>;
};

export type WriterOptions = {
  readonly client: WarehouseClient;
  /** Tries of one request, the first included (default 120, which is about a minute). */
  readonly attemptsMax?: number;
  /** Bytes in one request (default 16 MiB); larger blocks are sent as several. */
  readonly requestBytesMax?: number;
  /** Waits between tries; the simulator brings its own. */
  readonly sleep?: (ms: number) => Promise<unknown>;
};

const ATTEMPTS_MAX = 120;
const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
const RETRY_DELAY_MIN_MS = 50;
const RETRY_DELAY_MAX_MS = 500;

/** Makes the one writer of the warehouse: the one retry policy, and loud errors for what no retry can mend. */
export function createWarehouseWriter(options: WriterOptions): WarehouseWriter {
  const attemptsMax = options.attemptsMax ?? ATTEMPTS_MAX;
  const requestBytesMax = options.requestBytesMax ?? REQUEST_BYTES_MAX;
  const sleep = options.sleep ?? ((ms: number) => delay(ms));

  async function send(query: string, part: Part, what: string, token: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await insertOnce(options.client, query, part, what, token);
      } catch (error) {
        if (error instanceof WarehouseError) throw error;
        const refusal = warehouseRefusal(what, error);
        if (refusal !== undefined) throw refusal;
        if (!isTransient(error)) throw new WarehouseError('warehouse_insert_refused', `${what}: ${text(error)}`, error);
        if (attempt >= attemptsMax) {
          throw new WarehouseError('warehouse_unavailable', `${what}, ${attempt} tries: ${text(error)}`, error);
        }
        await sleep(Math.min(RETRY_DELAY_MIN_MS * 2 ** (attempt - 1), RETRY_DELAY_MAX_MS));
      }
    }
  }

  return {
    async insertBlock(table, rows, { token, columns }) {
      const what = `${table}, block ${token}`;
      const { query, parts } =
        'chunks' in rows
          ? binaryInsert(table, rows, requestBytesMax)
          : jsonInsert(table, rows, columns, requestBytesMax);
      for (const part of parts) {
        const bytes = part.pieces.reduce((sum, piece) => sum + piece.length, 0);
        if (bytes > requestBytesMax) throw new WarehouseError('warehouse_row_too_large', `${what}: ${bytes} bytes`);
        await send(query, part, what, token);
      }
    },
  };
}

/** What one request carries. */
type Part = { readonly pieces: readonly Buffer[]; readonly rows: number };

type Insert = { readonly query: string; readonly parts: Iterable<Part> };

function jsonInsert(
  table: string,
  rows: readonly string[],
  columns: readonly string[] | undefined,
  bytesMax: number,
): Insert {
  return { query: insertInto(table, columns, 'JSONCompactEachRow'), parts: partsOfLines(rows, bytesMax) };
}

function binaryInsert(table: string, rows: BinaryRows, bytesMax: number): Insert {
  const query = insertInto(table, rows.columns.names, 'RowBinaryWithNamesAndTypes');
  return { query, parts: partsOfChunks(rows, bytesMax) };
}

function insertInto(table: string, columns: readonly string[] | undefined, format: string): string {
  const names = columns === undefined ? '' : ` (${columns.map(quotedIdentifier).join(', ')})`;
  return `INSERT INTO ${quotedIdentifier(table)}${names} FORMAT ${format}`;
}

async function insertOnce(
  client: WarehouseClient,
  query: string,
  part: Part,
  what: string,
  token: string,
): Promise<void> {
  const { stream, summary } = await client.exec({
    query,
    values: Readable.from(part.pieces, { objectMode: false }),
    clickhouse_settings: { wait_end_of_query: 1, log_comment: token },
  });
  for await (const _ of stream) {
    // an insert answers with nothing; the socket is free once that was read
  }
  const written = summary?.written_rows;
  if (written !== undefined && Number(written) < part.rows) {
    throw new WarehouseError('warehouse_rows_lost', `${what}: ${part.rows} sent, ${written} acknowledged`);
  }
}

/** Cuts rows into requests of at most `bytesMax`; a larger row stands alone. */
function* partsOfLines(rows: readonly string[], bytesMax: number): Generator<Part> {
  let from = 0;
  let bytes = 0;
  for (const [at, row] of rows.entries()) {
    const length = Buffer.byteLength(row) + 1;
    if (at > from && bytes + length > bytesMax) {
      yield partOfLines(rows, from, at);
      from = at;
      bytes = 0;
    }
    bytes += length;
  }
  if (from < rows.length) yield partOfLines(rows, from, rows.length);
}

function partOfLines(rows: readonly string[], from: number, to: number): Part {
  const whole = from === 0 && to === rows.length ? rows : rows.slice(from, to);
  return { pieces: [Buffer.from(`${whole.join('\n')}\n`)], rows: to - from };
}

/** Puts chunks together to requests of at most `bytesMax`; a larger chunk stands alone. Each begins with the header. */
function* partsOfChunks({ columns, chunks }: BinaryRows, bytesMax: number): Generator<Part> {
  let pieces = [columns.header];
  let bytes = columns.header.length;
  let rows = 0;
  for (const chunk of chunks) {
    if (rows > 0 && bytes + chunk.bytes.length > bytesMax) {
      yield { pieces, rows };
      pieces = [columns.header];
      bytes = columns.header.length;
      rows = 0;
    }
    pieces.push(chunk.bytes);
    bytes += chunk.bytes.length;
    rows += chunk.rows;
  }
  if (rows > 0) yield { pieces, rows };
}

/** Faults of the network and of a process that is starting, stopping or overloaded: nothing is wrong with the rows. */
const TRANSIENT_NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ECONNABORTED',
]);

/** ClickHouse's own codes for the same. */
const TRANSIENT_SERVER = new Set([
  '159', // TIMEOUT_EXCEEDED
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '225', // NO_ZOOKEEPER
  '236', // ABORTED
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '243', // NOT_ENOUGH_SPACE
  '252', // TOO_MANY_PARTS
  '285', // TOO_FEW_LIVE_REPLICAS
  '319', // UNKNOWN_STATUS_OF_INSERT
  '394', // QUERY_WAS_CANCELLED
  '439', // CANNOT_SCHEDULE_TASK
  '999', // KEEPER_EXCEPTION
]);

/** Whether the same request may well succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ClickHouseError) return TRANSIENT_SERVER.has(error.code);
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && TRANSIENT_NETWORK.has(error.code)) return true;
  return error.message === 'Timeout error.' || error.message === 'socket hang up' || error.message === 'aborted';
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
