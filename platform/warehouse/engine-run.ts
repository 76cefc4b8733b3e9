import { Session } from 'chdb';
import { type BinaryFiles, insertBinary, openBinaryFiles } from './engine-binary.ts';
import { type EngineRequest, EngineRequestError, insertOf, isRead, isStreamable, utf8 } from './engine-request.ts';
import { stringLiteral } from './sql.ts';

/** Where an answer goes. `begin` comes once, before the first `write`; what fails before it fails as a whole. */
export type EngineSink = {
  begin(writtenRows: number | undefined): void;
  /** Resolves when more can be taken; rejects when nobody takes it any more. */
  write(bytes: Uint8Array): Promise<void>;
};

export type EngineRunner = {
  /** Runs one request to its end. An abort ends a read early; a write is always carried to its end. */
  run(request: EngineRequest, sink: EngineSink, signal: AbortSignal): Promise<void>;
};

/**
 * Runs requests on the engine of one data directory.
 *
 * Each has a connection of its own (under a millisecond): settings, parameters, databases, and the rest of a result
 * that failed half-way all stick to a connection, and would reach the next request. Parameters are set as `param_*`
 * settings, since the engine's own binding mixes up those of queries that run side by side.
 */
export function createEngineRunner(dataDir: string, resultBytesMax: number): EngineRunner {
  let tags = 0;
  const files = openBinaryFiles(dataDir);
  return {
    async run(request, sink, signal) {
      const tag = `/* request ${++tags} */`;
      const session = new Session(dataDir);
      const kill = () => void killTagged(dataDir, tag);
      const killable = isRead(request.sql);
      if (killable) signal.addEventListener('abort', kill, { once: true });
      try {
        for (const statement of request.preparation) await session.queryAsync(statement);
        const tagged = {
          ...request,
          sql: killable ? `${request.sql.trimEnd().replace(/;$/, '')}\n${tag}` : request.sql,
        };
        if (request.rows !== undefined) await insert(session, tagged, request.rows, files, sink);
        else if (isStreamable(request)) await stream(session, tagged, sink, resultBytesMax, signal);
        else await whole(session, tagged, sink);
      } finally {
        signal.removeEventListener('abort', kill);
        session.close();
      }
    },
  };
}

async function insert(
  session: Session,
  request: EngineRequest,
  rows: Buffer,
  files: BinaryFiles,
  sink: EngineSink,
): Promise<void> {
  const statement = insertOf(request.sql);
  if (statement === undefined) {
    const result = await session.queryAsync(`${request.sql}\n${utf8(rows)}`, { format: request.format });
    sink.begin(undefined);
    await sink.write(result.bytes());
    return;
  }
  const { table, columns, format } = statement;
  if (format === 'RowBinaryWithNamesAndTypes') {
    await files.hold(rows, (file) => insertBinary(session, { table, columns, format }, file));
    sink.begin(undefined);
    return;
  }
  const summary = await session.insert({ table, values: rows, format, ...(columns === undefined ? {} : { columns }) });
  sink.begin(summary.rowsWritten);
}

async function whole(session: Session, request: EngineRequest, sink: EngineSink): Promise<void> {
  const result = await session.queryAsync(request.sql, { format: request.format });
  sink.begin(undefined);
  await sink.write(result.bytes());
}

async function stream(
  session: Session,
  request: EngineRequest,
  sink: EngineSink,
  resultBytesMax: number,
  signal: AbortSignal,
): Promise<void> {
  // a limit on the whole result is for results that are held in memory
  await session.queryAsync('SET max_result_bytes = 0');
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let begun = false;
  for await (const chunk of session.queryStream(request.sql, { format: request.format })) {
    signal.throwIfAborted();
    const bytes = withoutExtraNewline(chunk.raw());
    if (request.waitsForEnd) {
      heldBytes += bytes.length;
      if (heldBytes > resultBytesMax) {
        throw new EngineRequestError(
          500,
          396,
          'TOO_MANY_ROWS_OR_BYTES',
          `the result has more than the ${resultBytesMax} bytes that wait_end_of_query may hold`,
        );
      }
      held.push(bytes);
      continue;
    }
    if (!begun) sink.begin(undefined);
    begun = true;
    await sink.write(bytes);
  }
  if (!begun) sink.begin(undefined);
  for (const bytes of held) await sink.write(bytes);
}

const NEWLINE = 10;

/** The engine ends each chunk of a stream with one newline too many. */
function withoutExtraNewline(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === NEWLINE && bytes.at(-2) === NEWLINE ? bytes.subarray(0, -1) : bytes;
}

/** Ends an abandoned query: the engine would otherwise compute it to its end for nobody. */
async function killTagged(dataDir: string, tag: string): Promise<void> {
  let session: Session | undefined;
  try {
    session = new Session(dataDir);
    const pattern = stringLiteral(`%${tag}`);
    await session.queryAsync(`KILL QUERY WHERE query LIKE ${pattern} AND query NOT LIKE 'KILL%' ASYNC`);
  } catch {
    // it ended by itself in the meantime, which is what was wanted; otherwise it only takes longer
  } finally {
    session?.close();
  }
}
