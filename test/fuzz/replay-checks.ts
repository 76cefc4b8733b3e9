import { isUtf8 } from 'node:buffer';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayFile, Summary } from '../../cli/replay/fold.ts';
import { replayFile } from '../../cli/replay.ts';
import { accept } from '../../services/ingest/core/accept.ts';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import type { Output, Row } from '../scenarios/facts.ts';
import { checkLaws } from '../scenarios/laws.ts';
import { readOutput } from '../scenarios/read-output.ts';
import type { HostileFile } from './replay-input.ts';

const DETAIL_CHARS_MAX = 1000;
const OPERATOR = { keyId: 'fuzz', role: 'operator', accounts: 'all' } as const;

/** What a replay has written, as text. */
export interface Replayed {
  readonly rows: Readonly<Record<ReplayFile, readonly string[]>>;
  readonly summary: Summary;
}

/** A line that ends in a carriage return loses it, as one of a file with CRLF does. */
export function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\r$/, '');
}

/**
 * E4: applied + duplicates + rejected = what was sent, what was rejected is kept as it was sent, and the laws hold.
 * @returns how often what was rejected for which reason
 */
export function checkReplayed(file: HostileFile, { rows, summary }: Replayed): readonly string[] {
  const sent = file.lines.filter(({ bytes }) => textOf(bytes).trim().length > 0).length;
  const told = summary.applied + summary.duplicates + summary.rejected;
  if (told !== sent || summary.events !== sent) {
    throw new Error(`E4: ${sent} lines were sent, of ${told} the summary says what became of them`);
  }
  if (rows.rejected.length !== summary.rejected) {
    throw new Error(`E4: ${summary.rejected} lines were rejected, ${rows.rejected.length} are kept`);
  }
  const parsed = Object.fromEntries(Object.entries(rows).map(([name, lines]) => [name, lines.map(parseRow)]));
  const output = { ...parsed, summary: { ...summary } } as unknown as Output;
  const broken = [...checkLaws(output), ...checkSequences(output)];
  if (broken.length > 0) throw new Error(broken.slice(0, 5).join('\n'));
  checkKept(file, rows.rejected, output.rejected);
  return output.rejected.map(({ reason }) => String(reason));
}

/** N8: an account's commands and alerts are numbered without a gap, so that none can be missing unnoticed. */
function checkSequences({ commands }: Output): readonly string[] {
  const sequences = new Map<unknown, number[]>();
  for (const { account_id, sequence } of commands) {
    sequences.set(account_id, [...(sequences.get(account_id) ?? []), Number(sequence)]);
  }
  return [...sequences].flatMap(([account, own]) => {
    const gap = own.sort((left, right) => left - right).findIndex((sequence, index) => sequence !== index + 1);
    return gap < 0 ? [] : [`N8: ${String(account)} has no command ${gap + 1}`];
  });
}

/** E4: as JSON if it was JSON, as text if not, in the order of the lines. */
function checkKept(file: HostileFile, rows: readonly string[], rejected: readonly Row[]): void {
  let before = 0;
  for (const [index, { line, detail }] of rejected.entries()) {
    const at = Number(line);
    if (at <= before) throw new Error(`X: line ${at} of rejected.ndjson comes after ${before}`);
    before = at;
    const bytes = file.lines[at - 1]?.bytes ?? Buffer.alloc(0);
    const text = textOf(bytes);
    const event = isUtf8(bytes) && isJson(text) ? text : JSON.stringify(text);
    const kept = rows[index] ?? '';
    if (!kept.endsWith(`"event":${event}}`)) {
      throw new Error(`E4: line ${at} is not kept as it was sent: ${kept.slice(0, 300)}`);
    }
    if (String(detail).length > DETAIL_CHARS_MAX) throw new Error(`E4: a detail of ${String(detail).length}`);
  }
}

function parseRow(json: string): Row {
  if (json.includes('\n')) throw new Error(`X: a row of two lines: ${json.slice(0, 300)}`);
  return JSON.parse(json) as Row;
}

/** X: the command's own way from bytes to files gives the same. */
export async function compareWithFile(file: HostileFile, { rows, summary }: Replayed, folder: string): Promise<void> {
  const eventsPath = join(folder, 'events.ndjson');
  const outDir = join(folder, 'out');
  writeFileSync(eventsPath, file.bytes);
  await replayFile({ eventsPath, outDir });
  readOutput(outDir);
  for (const [name, lines] of Object.entries(rows)) {
    const written = readFileSync(join(outDir, `${name}.ndjson`), 'utf8');
    if (written !== lines.map((line) => `${line}\n`).join('')) {
      throw new Error(`X: ${name}.ndjson of the file is not what replay in memory gives`);
    }
  }
  const told = readFileSync(join(outDir, 'summary.json'), 'utf8');
  if (told !== `${JSON.stringify(summary)}\n`) throw new Error(`X: summary.json is ${told}`);
}

/** What ingest lets in the rater can read, and its dump is an event that replay judges the same. */
export function checkDoor(line: string): void {
  if (!isJson(line)) return;
  const value: unknown = JSON.parse(line);
  const answer = accept(value, OPERATOR, { logTime: 'event', recordCharsMax: 256 * 1024 });
  if (answer.kind !== 'accepted' || answer.at === undefined) return;
  const dumped = parseEvent(JSON.parse(eventLine(answer.text, answer.at)), undefined);
  const own = parseEvent(value, undefined);
  if ('reason' in dumped || 'reason' in own) throw new Error(`ingest lets in what the rater cannot read: ${line}`);
  const sent = { ...own, envelope: { ...own.envelope, forwarded: false } };
  if (JSON.stringify(dumped, asJson) !== JSON.stringify(sent, asJson)) {
    throw new Error(`the log holds something else than was sent: ${line}`);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function asJson(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Map ? [...value] : value;
}
