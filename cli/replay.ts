import { parseInstant } from '../services/shared/time.ts';
import { type ReplayFile, ReplayFold, type ReplaySink, type Summary } from './replay/fold.ts';
import { forEachLine, type ReadProgress } from './replay/lines.ts';
import { FolderSink } from './replay/sinks.ts';

export type { Summary } from './replay/fold.ts';

export interface ReplayOptions {
  readonly eventsPath: string;
  /** Made if absent. */
  readonly outDir: string;
  /** X: an instant to go on to after the last event: RFC 3339 or integer ms. */
  readonly until?: string;
  readonly progress?: (read: ReadProgress) => void;
}

/** A call that cannot be carried out as it stands: the command exits with 2. */
export class BadCall extends Error {
  override readonly name = 'BadCall';
}

/**
 * X: replays a file of events into a folder.
 * @throws BadCall for an `until` that is no instant, or a file that cannot be read
 */
export async function replayFile(options: ReplayOptions): Promise<Summary> {
  const until = untilOf(options.until);
  const sink = openSink(options.outDir);
  try {
    const fold = new ReplayFold(sink);
    readInto(options.eventsPath, fold, options.progress ?? (() => undefined));
    const summary = fold.finish(until);
    sink.complete(summary);
    return summary;
  } catch (fault) {
    sink.abandon();
    throw fault;
  }
}

/** X: what a replay writes, as values. */
export interface ReplayOutput extends Readonly<Record<ReplayFile, readonly unknown[]>> {
  readonly summary: Summary;
}

/** X: replays lines in memory; for tests and tools. */
export function replayLines(lines: Iterable<string>, until?: string): ReplayOutput {
  const rows = new MemorySink();
  const fold = new ReplayFold(rows);
  for (const line of lines) fold.line(line);
  const summary = fold.finish(untilOf(until));
  const { rated, ledger, balances, commands, rejected, invoices } = rows.rows;
  return { rated, ledger, balances, commands, rejected, invoices, summary };
}

function untilOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const until = parseInstant(/^\d+$/.test(text) ? Number(text) : text);
  if (until === undefined) {
    throw new BadCall(`--until ${JSON.stringify(text)}: must be RFC 3339 or integer milliseconds, from 1970 to 9999`);
  }
  return until;
}

function openSink(outDir: string): FolderSink {
  try {
    return new FolderSink(outDir);
  } catch (fault) {
    throw new BadCall(`--out ${outDir}: cannot be written: ${messageOf(fault)}`);
  }
}

function readInto(path: string, fold: ReplayFold, progress: (read: ReadProgress) => void): void {
  let begun = false;
  try {
    forEachLine(
      path,
      (text, utf8) => {
        begun = true;
        fold.line(text, utf8);
      },
      progress,
    );
  } catch (fault) {
    if (begun || !(fault instanceof Error) || !('code' in fault)) throw fault;
    throw new BadCall(`${path}: cannot be read: ${messageOf(fault)}`);
  }
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}

class MemorySink implements ReplaySink {
  readonly rows: Record<ReplayFile, unknown[]> = {
    rated: [],
    ledger: [],
    balances: [],
    commands: [],
    rejected: [],
    invoices: [],
  };
  readonly #held = new Map<string, string[]>();

  row(file: ReplayFile, json: string): void {
    this.rows[file].push(JSON.parse(json));
  }

  holdInvoice(accountId: string, json: string): void {
    this.#held.set(accountId, [...(this.#held.get(accountId) ?? []), json]);
  }

  heldInvoices(accountId: string): Iterable<string> {
    return this.#held.get(accountId) ?? [];
  }
}
