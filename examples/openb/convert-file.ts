import { createWriteStream } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { eventLog } from './event-log.ts';
import { toLine } from './log-event.ts';
import { DAY_MS, dayAt, MINUTE_MS, SECOND_MS, TRACE_START_AT } from './time.ts';
import { type PodRow, parsePods, TraceError } from './trace-csv.ts';
import { type Fleet, toFleet } from './workloads.ts';

export interface ConvertOptions {
  readonly podsPath: string;
  readonly outPath: string;
  /** A whole number of minutes, at most 24 h (E4: `interval_too_long`). */
  readonly sampleMs: number;
  readonly fromDay: number;
  /** How many days from `fromDay`; up to the last pod's end if absent. */
  readonly days?: number;
  readonly reservations: boolean;
  /** Told now and then how much of the window is written, from 0 to 1, and the events so far. */
  readonly onProgress?: (share: number, events: number) => void;
}

export interface Converted {
  readonly pods: number;
  readonly leftOut: Fleet['leftOut'];
  readonly roundedUp: number;
  readonly events: number;
  readonly eventsByType: ReadonlyMap<string, number>;
  readonly bytes: number;
}

const CHUNK_CHARS = 256 * 1024;
const DAYS_MAX = 1_000;

/**
 * Converts a pod list into an event log (SPEC E, X), as a stream: `outPath` appears when it is complete. The same file
 * and options give the same bytes.
 * @throws TraceError for a CSV or a window that cannot be converted; errors of the file system as they come
 */
export async function convertFile(options: ConvertOptions): Promise<Converted> {
  const { podsPath, outPath, sampleMs, fromDay } = options;
  const file = basename(podsPath);
  if (sampleMs < MINUTE_MS || sampleMs > DAY_MS || sampleMs % MINUTE_MS !== 0) {
    throw new TraceError(`a sample of ${sampleMs} ms: give whole minutes, from 1m to 24h`);
  }
  const rows = parsePods(await readFile(podsPath, 'utf8'), file);
  const days = options.days ?? daysIn(rows, fromDay);
  if (days > DAYS_MAX) throw new TraceError(`${days} days: at most ${DAYS_MAX} are converted`);
  const window = { startAt: dayAt(fromDay), endAt: dayAt(fromDay + days) };
  const fleet = toFleet(rows, window, file);
  if (fleet.workloads.length === 0) {
    throw new TraceError(`${file}: no pod with GPUs runs from day ${fromDay} to day ${fromDay + days}`);
  }

  let events = 0;
  let bytes = 0;
  const eventsByType = new Map<string, number>();
  function* chunks(): Generator<Buffer> {
    let text = '';
    for (const event of eventLog(fleet, { window, sampleMs, reservations: options.reservations })) {
      events += 1;
      eventsByType.set(event.type, (eventsByType.get(event.type) ?? 0) + 1);
      text += `${toLine(event)}\n`;
      if (text.length < CHUNK_CHARS) continue;
      const chunk = Buffer.from(text);
      bytes += chunk.length;
      yield chunk;
      text = '';
      options.onProgress?.((event.at - window.startAt) / (window.endAt - window.startAt), events);
    }
    const chunk = Buffer.from(text);
    bytes += chunk.length;
    yield chunk;
  }

  const partial = `${outPath}.partial`;
  try {
    await pipeline(Readable.from(chunks()), createWriteStream(partial));
    await rename(partial, outPath);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  options.onProgress?.(1, events);
  return {
    pods: fleet.workloads.length,
    leftOut: fleet.leftOut,
    roundedUp: fleet.roundedUp,
    events,
    eventsByType,
    bytes,
  };
}

/** How many days a pod list covers from a day on: up to its last pod's end, at least 1. */
export async function daysOf(podsPath: string, fromDay: number): Promise<number> {
  return daysIn(parsePods(await readFile(podsPath, 'utf8'), basename(podsPath)), fromDay);
}

function daysIn(rows: readonly PodRow[], fromDay: number): number {
  const lastAt = rows.reduce((at, row) => Math.max(at, TRACE_START_AT + row.deletionSeconds * SECOND_MS), 0);
  return Math.max(1, Math.ceil((lastAt - dayAt(fromDay)) / DAY_MS));
}
