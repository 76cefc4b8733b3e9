import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Access } from '../access/port.ts';
import { textsOf } from '../access/records.ts';
import { exportTo } from '../export/export.ts';
import type { LogEnd } from '../export/log-end.ts';
import { REPLAY_FILES, ReplayFold } from '../replay/fold.ts';
import { FolderSink } from '../replay/sinks.ts';
import { type Difference, differenceOf } from './difference.ts';

/** What a verification found. */
export interface Verification {
  readonly end: LogEnd;
  /** By file, in the order of X: where what was stored (left) is not what the rules make of the log (right). */
  readonly differences: ReadonlyMap<string, Difference>;
}

/** Told how far it is; it takes as long as an export and a replay. */
export interface VerifyProgress {
  /** So many rows of what was stored were read. */
  readonly read: (rows: number) => void;
  /** So many events of all were rated anew. */
  readonly rated: (events: number, of: number) => void;
}

/**
 * The bill, proven: rates the log anew with the same core, up to its present end, and compares with what was stored. Both
 * go to a folder for the time being, so that memory stays flat.
 */
export async function verify(access: Access, partition: number, progress: VerifyProgress): Promise<Verification> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-verify-'));
  try {
    const stored = join(folder, 'stored');
    const anew = join(folder, 'anew');
    const end = await exportTo(access, stored, partition, undefined, progress.read);
    await rateAnew(access, anew, end, progress);
    const differences = new Map<string, Difference>();
    for (const file of [...REPLAY_FILES.map((name) => `${name}.ndjson`), 'summary.json']) {
      const difference = await differenceOf(join(stored, file), join(anew, file));
      if (difference !== undefined) differences.set(file, difference);
    }
    return { end, differences };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rateAnew(access: Access, folder: string, end: LogEnd, progress: VerifyProgress): Promise<void> {
  const sink = new FolderSink(folder);
  try {
    const fold = new ReplayFold(sink);
    for await (const records of textsOf(access, TOPICS.events, end.partition, { from: 0, to: end.offset })) {
      for (const { text, time } of records) fold.line(eventLine(text, time));
      progress.rated((records[records.length - 1]?.offset ?? 0) + 1, end.offset);
    }
    sink.complete(fold.finish(undefined));
  } catch (fault) {
    sink.abandon();
    throw fault;
  }
}
