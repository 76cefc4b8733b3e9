import { isUtf8 } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ReplayFile, ReplayFold, type ReplaySink } from '../../cli/replay/fold.ts';
import { Random } from './random.ts';
import { checkDoor, checkReplayed, compareWithFile, type Replayed, textOf } from './replay-checks.ts';
import { type HostileFile, hostileFile } from './replay-input.ts';

/** What a run over many hostile files has seen. */
export interface ReplayReport {
  files: number;
  /** Lines that were tampered with. */
  inputs: number;
  events: number;
  applied: number;
  duplicates: number;
  readonly rejected: Map<string, number>;
  commands: number;
  /** Of the heap, after a full collection: after the first tenth, and at the end. */
  heapEarlyBytes: number;
  heapLateBytes: number;
}

/** What stands between a replay and its rows, for a fault to be planted there. */
export type Through = (sink: ReplaySink) => ReplaySink;

/** One file in so many goes through the file system and the bytes' own reader, and must give the same. */
const BY_FILE_EVERY = 10;

/**
 * E4: replays hostile files until there were `inputs` hostile lines.
 * @throws Error that names the seed and the file, with what broke
 */
export async function fuzzReplay(
  seed: number,
  inputs: number,
  through: Through = (sink) => sink,
): Promise<ReplayReport> {
  const report: ReplayReport = {
    ...{ files: 0, inputs: 0, events: 0, applied: 0, duplicates: 0, rejected: new Map(), commands: 0 },
    ...{ heapEarlyBytes: 0, heapLateBytes: 0 },
  };
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-fuzz-'));
  try {
    while (report.inputs < inputs) {
      const fileSeed = seed + report.files;
      const file = hostileFile(new Random(fileSeed));
      try {
        const replayed = replayInMemory(file, through);
        count(report, file, replayed, checkReplayed(file, replayed));
        if (report.files % BY_FILE_EVERY === 0) await compareWithFile(file, replayed, folder);
        for (const { bytes } of file.lines) checkDoor(bytes.toString('utf8'));
      } catch (cause) {
        const path = join(tmpdir(), `tollgate-fuzz-${fileSeed}.ndjson`);
        writeFileSync(path, file.bytes);
        const what = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`seed ${fileSeed}, kept as ${path}: ${what}`, { cause });
      }
      report.files += 1;
      if (report.heapEarlyBytes === 0 && report.inputs >= inputs / 10) report.heapEarlyBytes = heapBytes();
    }
    report.heapLateBytes = heapBytes();
    return report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function replayInMemory(file: HostileFile, through: Through): Replayed {
  const rows: Record<ReplayFile, string[]> = {
    ...{ rated: [], ledger: [], balances: [], commands: [], rejected: [], invoices: [] },
  };
  const held = new Map<string, string[]>();
  const sink: ReplaySink = {
    row: (name, json) => void rows[name].push(json),
    holdInvoice: (account, json) => void held.set(account, [...(held.get(account) ?? []), json]),
    heldInvoices: (account) => held.get(account) ?? [],
  };
  const fold = new ReplayFold(through(sink));
  for (const { bytes } of file.lines) fold.line(textOf(bytes), isUtf8(bytes));
  return { rows, summary: fold.finish(undefined) };
}

function count(report: ReplayReport, file: HostileFile, { rows, summary }: Replayed, reasons: readonly string[]): void {
  report.inputs += file.lines.filter(({ hostile }) => hostile).length;
  report.events += summary.events;
  report.applied += summary.applied;
  report.duplicates += summary.duplicates;
  report.commands += rows.commands.length;
  for (const reason of reasons) report.rejected.set(reason, (report.rejected.get(reason) ?? 0) + 1);
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
  return process.memoryUsage().heapUsed;
}
