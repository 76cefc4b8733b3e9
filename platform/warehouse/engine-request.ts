import type { IncomingHttpHeaders } from 'node:http';
import { leadingKeyword, quotedIdentifier, stringLiteral } from './sql.ts';

/** What a request of ClickHouse's HTTP interface asks of the engine. */
export type EngineRequest = {
  readonly sql: string;
  /** Rows of an INSERT whose SQL came in the URL. */
  readonly rows: Buffer | undefined;
  readonly format: string;
  readonly queryId: string | undefined;
  /** Statements that prepare a fresh connection: database, settings, parameters. */
  readonly preparation: readonly string[];
  /** Whether the whole result must be there before the answer begins. */
  readonly waitsForEnd: boolean;
};

/** A request that the engine's face cannot serve as it stands; `code` and `type` are ClickHouse's. */
export class EngineRequestError extends Error {
  readonly status: number;
  readonly code: number;
  readonly type: string;

  constructor(status: number, code: number, type: string, message: string) {
    super(message);
    this.name = 'EngineRequestError';
    this.status = status;
    this.code = code;
    this.type = type;
  }
}

/** Members of the URL that belong to the HTTP interface and are no settings. */
const NO_SETTING = new Set([
  'query',
  'database',
  'query_id',
  'default_format',
  'wait_end_of_query',
  'buffer_size',
  'user',
  'password',
  'quota_key',
  'compress',
  'decompress',
  'stacktrace',
  'session_timeout',
  'session_check',
  'close_session',
  'client_protocol_version',
]);
/** What the engine has none of, and how a client does without it. */
const UNSUPPORTED = new Map([
  ['session_id', 'send none; clickhouse-connect: get_client(..., autogenerate_session_id=False)'],
  ['role', 'all may do all'],
]);
const SETTING_NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const PARAM_NAME = /^param_[A-Za-z0-9_]+$/;

/**
 * Reads a request. A GET may not write, as with a server. With SQL in the URL the body is an INSERT's rows, otherwise
 * it is the SQL.
 * @throws EngineRequestError for what the engine cannot do: sessions, roles, multipart bodies
 */
export function parseEngineRequest(
  method: string,
  url: URL,
  headers: IncomingHttpHeaders,
  body: Buffer,
  resultBytesMax: number,
): EngineRequest {
  if (headers['content-type']?.startsWith('multipart/') === true) {
    throw new EngineRequestError(501, 48, 'NOT_IMPLEMENTED', 'multipart bodies: send parameters in the URL');
  }
  const query = url.searchParams.get('query') ?? '';
  const sql = query === '' ? utf8(body) : query;
  const rows = query !== '' && body.length > 0 ? body : undefined;
  return {
    sql,
    rows,
    format:
      formatOf(sql) ??
      url.searchParams.get('default_format') ??
      header(headers, 'x-clickhouse-format') ??
      'TabSeparated',
    queryId: url.searchParams.get('query_id') ?? undefined,
    preparation: preparation(method, url.searchParams, headers, resultBytesMax),
    waitsForEnd: url.searchParams.get('wait_end_of_query') === '1',
  };
}

function preparation(
  method: string,
  members: URLSearchParams,
  headers: IncomingHttpHeaders,
  resultBytesMax: number,
): readonly string[] {
  const assignments = new Map([['max_result_bytes', String(resultBytesMax)]]);
  for (const [name, value] of members) {
    const instead = UNSUPPORTED.get(name);
    if (instead !== undefined) {
      throw new EngineRequestError(501, 48, 'NOT_IMPLEMENTED', `${name}: the embedded engine has none: ${instead}`);
    }
    if (NO_SETTING.has(name)) continue;
    if (!SETTING_NAME.test(name) || (name.startsWith('param_') && !PARAM_NAME.test(name))) {
      throw new EngineRequestError(400, 115, 'UNKNOWN_SETTING', `no setting has the name ${JSON.stringify(name)}`);
    }
    assignments.set(name, value);
  }
  if (method === 'GET') assignments.set('readonly', '2');
  const database = members.get('database') ?? header(headers, 'x-clickhouse-database') ?? 'default';
  return [
    ...(database === 'default' ? [] : [`USE ${quotedIdentifier(database)}`]),
    `SET ${[...assignments].map(([name, value]) => `${name} = ${stringLiteral(value)}`).join(', ')}`,
  ];
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Text as the engine takes it; what is not UTF-8 would be stored as something else. */
export function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new EngineRequestError(
      501,
      48,
      'NOT_IMPLEMENTED',
      'the embedded engine takes UTF-8, and of binary formats RowBinaryWithNamesAndTypes only',
    );
  }
}

/** The format that a query's own FORMAT clause names. */
export function formatOf(sql: string): string | undefined {
  return /\bFORMAT\s+([A-Za-z]+)\s*;?\s*$/i.exec(sql)?.[1];
}

export type InsertStatement = {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly format: InsertFormat;
};

const INSERT_FORMATS = ['JSONEachRow', 'JSONCompactEachRow', 'RowBinaryWithNamesAndTypes'] as const;
export type InsertFormat = (typeof INSERT_FORMATS)[number];

const NAME = '(?:[A-Za-z0-9_]+|`[A-Za-z0-9_]+`|"[A-Za-z0-9_]+")';
const INSERT = new RegExp(
  `^\\s*INSERT\\s+INTO\\s+(?:TABLE\\s+)?(${NAME}(?:\\.${NAME})?)\\s*` +
    `(?:\\(\\s*(${NAME}(?:\\s*,\\s*${NAME})*)\\s*\\))?\\s*FORMAT\\s+(${INSERT_FORMATS.join('|')})\\s*;?\\s*$`,
  'i',
);

/** The plain INSERT of JSON lines or of RowBinary, which the engine takes as bytes; any other form goes to it as text. */
export function insertOf(sql: string): InsertStatement | undefined {
  const match = INSERT.exec(sql);
  const format = INSERT_FORMATS.find((known) => known.toLowerCase() === match?.[3]?.toLowerCase());
  if (match?.[1] === undefined || format === undefined) return undefined;
  const unquoted = (name: string) => name.trim().replaceAll(/[`"]/g, '');
  return {
    table: unquoted(match[1]),
    columns: match[2]?.split(',').map(unquoted),
    format,
  };
}

const LINE_FORMATS = new Set(['JSONEachRow', 'JSONCompactEachRow', 'JSONStringsEachRow', 'JSONCompactStringsEachRow']);

/** Whether the result can be sent chunk by chunk: a read, in a format that has neither head nor foot. */
export function isStreamable(request: EngineRequest): boolean {
  return LINE_FORMATS.has(request.format) && isRead(request.sql) && !/\bINSERT\b/i.test(request.sql);
}

/** Whether an abandoned run of it may be killed: it changes nothing. */
export function isRead(sql: string): boolean {
  const keyword = leadingKeyword(sql);
  return keyword === 'SELECT' || keyword === 'WITH';
}
